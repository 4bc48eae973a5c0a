"""What every answer of an agent has in common."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict
from pydantic.json_schema import SkipJsonSchema


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


ABOVE = frozenset({"IMMEDIATE", "CRITICAL", "HIGH"})
"""Grades that some scale has at its top, and another has not at all."""


class Scale(StrEnum):
    """Grades from the greatest down; a greater one than it has counts as its greatest."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        return next(iter(cls)) if value in ABOVE else None


class Level(Scale):
    """How bad a cause, its impact or an issue is."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class WarningLevel(Scale):
    """How bad a warning is: what is worse is no warning any more."""

    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Probability(Scale):
    """How likely a cause is."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"


class Urgency(Scale):
    """How soon something should be done."""

    IMMEDIATE = "IMMEDIATE"
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
    labels: SkipJsonSchema[tuple[str, ...]] = ()
    """As `key=value`; some of a log's fields as well, such as `env=prod`. No model is asked."""

    def with_labels_of(self, whole: "Entities") -> Self:
        """With the labels of what it is part of, where it has none and is in no other namespace."""
        is_elsewhere = self.namespace and whole.namespace and self.namespace != whole.namespace
        if self.labels or is_elsewhere:
            return self
        return self.model_copy(update={"labels": whole.labels})
