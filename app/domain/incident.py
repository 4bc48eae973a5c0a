"""Findings and root causes: the answers of MonitoringAgent and AnalysisAgent (contract section 3)."""

from enum import StrEnum

from pydantic import Field

from app.domain.answer import (
    Answer,
    Entities,
    Level,
    Priority,
    Probability,
    Urgency,
    WarningLevel,
)

UNKNOWN_TIME = "UNKNOWN"
UNKNOWN_SERVICE = "UNKNOWN_SERVICE"


class ErrorSeverity(StrEnum):
    """FATAL and CRITICAL lines are CRITICAL, ERROR and ERR lines are ERROR."""

    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


class ErrorType(StrEnum):
    """The layer in which an error shows."""

    KUBERNETES = "kubernetes"
    APPLICATION = "application"
    NETWORK = "network"
    DATABASE = "database"


class WarningSeverity(StrEnum):
    """Warnings have one severity."""

    WARNING = "WARNING"


class WarningType(StrEnum):
    """What a warning is about."""

    PERFORMANCE = "performance"
    RESOURCE = "resource"
    DEPRECATION = "deprecation"


class ErrorContext(Answer):
    """What stands around an error."""

    error_code: str | None = None
    stack_trace: str | None = None
    occurrence_count: int = Field(default=1, ge=1)


class WarningContext(Answer):
    """What stands around a warning."""

    metric_value: str | None = None
    threshold: str | None = None
    occurrence_count: int = Field(default=1, ge=1)


class ErrorFinding(Answer):
    """One distinct error of the input; repeats are counted."""

    timestamp: str = UNKNOWN_TIME
    service: str = UNKNOWN_SERVICE
    severity: ErrorSeverity = ErrorSeverity.ERROR
    priority: Priority = Priority.P1
    message: str
    error_type: ErrorType = ErrorType.APPLICATION
    additional_context: ErrorContext = ErrorContext()
    lines: tuple[int, ...] = ()
    """Line numbers in the input, from 1; the first few when there are many."""


class WarningFinding(Answer):
    """One distinct warning of the input; repeats are counted."""

    timestamp: str = UNKNOWN_TIME
    service: str = UNKNOWN_SERVICE
    severity: WarningSeverity = WarningSeverity.WARNING
    priority: Priority = Priority.P2
    message: str
    warning_type: WarningType = WarningType.RESOURCE
    additional_context: WarningContext = WarningContext()
    lines: tuple[int, ...] = ()


class FindingsSummary(Answer):
    """Counts over the findings."""

    total_errors: int = 0
    total_warnings: int = 0
    critical_count: int = 0
    high_priority_count: int = 0
    unique_services_affected: int = 0


class Findings(Answer):
    """MonitoringAgent's answer."""

    summary: FindingsSummary = FindingsSummary()
    errors: tuple[ErrorFinding, ...] = ()
    warnings: tuple[WarningFinding, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all was found."""
        return not self.errors and not self.warnings


class Impact(Answer):
    """Who and what suffers from a root cause."""

    severity: Level = Level.MEDIUM
    blast_radius: str = ""
    user_impact: str = ""
    cascading_effects: tuple[str, ...] = ()


class RootCause(Answer):
    """One cause, with the evidence quoted from the input."""

    timestamp: str = UNKNOWN_TIME
    service: str = UNKNOWN_SERVICE
    error_message: str = ""
    severity: Level = Level.HIGH
    priority: Priority = Priority.P1
    root_cause: str
    explanation: str = ""
    contributing_factors: tuple[str, ...] = ()
    impact: Impact = Impact()
    evidence: tuple[str, ...] = ()
    """Quotes from the input, each `line N: <text>`."""
    is_cascading_effect: bool = False
    related_to: str | None = None
    failure_mode: str = "unknown"
    """A name from the closed list of failure modes the playbooks use, or `unknown`."""
    entities: Entities = Entities()


class Cause(Answer):
    """One possible cause of a warning."""

    cause: str
    probability: Probability = Probability.MEDIUM
    explanation: str = ""


class WarningAnalysis(Answer):
    """What a warning may lead to."""

    timestamp: str = UNKNOWN_TIME
    service: str = UNKNOWN_SERVICE
    warning_message: str
    severity: WarningLevel = WarningLevel.MEDIUM
    priority: Priority = Priority.P2
    potential_causes: tuple[Cause, ...] = ()
    potential_impact: str = ""
    recommended_action: str = ""
    urgency: Urgency = Urgency.MEDIUM


class PatternType(StrEnum):
    """A shape that several findings make together."""

    RESOURCE_EXHAUSTION = "resource_exhaustion"
    NETWORK_PARTITION = "network_partition"
    CASCADING_FAILURE = "cascading_failure"
    CONFIGURATION_DRIFT = "configuration_drift"


class DetectedPattern(Answer):
    """A pattern and the services in it."""

    pattern_type: PatternType
    description: str = ""
    affected_services: tuple[str, ...] = ()
    evidence_count: int = 0
    recommendation: str = ""


class AnalysisSummary(Answer):
    """Counts over the analysis."""

    total_issues_analyzed: int = 0
    root_causes_identified: int = 0
    critical_issues: int = 0
    cascading_failures_detected: int = 0
    services_affected: tuple[str, ...] = ()


class Analysis(Answer):
    """AnalysisAgent's answer; no root cause means that none could be determined."""

    analysis_summary: AnalysisSummary = AnalysisSummary()
    root_cause_analysis: tuple[RootCause, ...] = ()
    warning_analysis: tuple[WarningAnalysis, ...] = ()
    patterns_detected: tuple[DetectedPattern, ...] = ()
