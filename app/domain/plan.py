"""The remediation plan: RemediationAgent's answer (contract section 3)."""

from enum import StrEnum

from pydantic import Field

from app.domain.answer import Answer, Entities, Level, Priority
from app.domain.incident import UNKNOWN_SERVICE, UNKNOWN_TIME


class Phase(StrEnum):
    """Look, change, look again."""

    INVESTIGATE = "INVESTIGATE"
    REMEDIATE = "REMEDIATE"
    VERIFY = "VERIFY"


class SafetyLevel(StrEnum):
    """The plan author's own label; the guard's risk counts where it is higher."""

    SAFE = "SAFE"
    CAUTION = "CAUTION"
    DESTRUCTIVE = "DESTRUCTIVE"


class Command(Answer):
    """One kubectl command as text; it is parsed and judged before anything else happens to it."""

    command: str
    explanation: str = ""
    safety_level: SafetyLevel = SafetyLevel.CAUTION
    expected_output: str = ""
    estimated_time_seconds: int = Field(default=5, ge=0)


class RollbackCommand(Answer):
    """How to take a step back."""

    command: str
    explanation: str = ""


class Step(Answer):
    """Commands that belong together, and how to know that they worked."""

    phase: Phase
    step_number: int = Field(default=1, ge=1)
    description: str = ""
    commands: tuple[Command, ...] = ()
    success_criteria: str = ""
    rollback_commands: tuple[RollbackCommand, ...] = ()


class Alternative(Answer):
    """Another way, with what speaks for and against it."""

    approach: str
    pros: tuple[str, ...] = ()
    cons: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()


class Plan(Answer):
    """How to remedy one issue."""

    timestamp: str = UNKNOWN_TIME
    service: str = UNKNOWN_SERVICE
    issue: str
    root_cause: str = ""
    severity: Level = Level.HIGH
    priority: Priority = Priority.P1
    estimated_time_minutes: int = Field(default=5, ge=0)
    steps: tuple[Step, ...] = ()
    alternative_solutions: tuple[Alternative, ...] = ()
    preventive_measures: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    blast_radius: str = ""
    requires_manual_intervention: bool = False
    manual_steps: str = ""
    failure_mode: str = "unknown"
    entities: Entities = Entities()


class ExecutionOrder(Answer):
    """In what order the plans should run."""

    order: int
    issue_id: str
    reason: str = ""
    can_run_parallel: bool = False


class RemediationSummary(Answer):
    """Counts over the plans."""

    total_issues: int = 0
    critical_remediations: int = 0
    automated_fixes: int = 0
    manual_interventions: int = 0
    estimated_time_minutes: int = 0


class Remediation(Answer):
    """RemediationAgent's answer; no plan means that none could be made."""

    remediation_summary: RemediationSummary = RemediationSummary()
    remediation_plans: tuple[Plan, ...] = ()
    execution_order: tuple[ExecutionOrder, ...] = ()


class RepairedCommands(Answer):
    """The reasoner's second try at commands the guard refused, in the order they were asked.

    An empty string means: leave it out.
    """

    commands: tuple[str, ...] = ()
