"""What every answer of an agent has in common."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class AgentName(StrEnum):
    """Who speaks in the event stream (contract section 2)."""

    ORCHESTRATOR = "OrchestratorAgent"
    MONITORING = "MonitoringAgent"
    ANALYSIS = "AnalysisAgent"
    REMEDIATION = "RemediationAgent"
    KUBECTL_COMMAND = "KubectlCommandAgent"


class Priority(StrEnum):
    """How soon a person must look: P0 now, P3 some day."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"
    P3 = "P3"


class Level(StrEnum):
    """A graded judgement, used for severity, probability and urgency."""

    IMMEDIATE = "IMMEDIATE"
    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Answer(BaseModel):
    """A frozen part of an agent's answer; unknown keys of a model's answer are dropped."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Entities(Answer):
    """The Kubernetes objects a text names; None where it names none."""

    namespace: str | None = None
    workload_kind: str | None = None
    """Lower-case singular kind of the workload: deployment, statefulset, daemonset, job, …"""
    workload: str | None = None
    pod: str | None = None
    container: str | None = None
    image: str | None = None
    node: str | None = None
