"""MonitoringAgent: a log batch in, findings out."""

from typing import TypeVar

from app.agents.evidence import checked_findings
from app.domain.answer import AgentName, Priority
from app.domain.incident import (
    ErrorFinding,
    ErrorSeverity,
    Findings,
    FindingsSummary,
    WarningFinding,
)
from app.domain.logbatch import LogBatch
from app.domain.ports import Reasoner
from app.domain.questions import MonitoringFacts, Question, Teller

F = TypeVar("F", ErrorFinding, WarningFinding)

HIGH_PRIORITIES = {Priority.P0, Priority.P1}


async def find_problems(batch: LogBatch, reasoner: Reasoner, teller: Teller) -> Findings:
    """Errors and warnings, each once, with counts that agree with the lists."""
    question = Question(AgentName.MONITORING, MonitoringFacts(batch), Findings)
    findings = checked_findings(await reasoner.ask(question, teller), batch)
    errors = _merged(findings.errors)
    warnings = _merged(findings.warnings)
    return Findings(summary=_summary(errors, warnings), errors=errors, warnings=warnings)


def _merged(findings: tuple[F, ...]) -> tuple[F, ...]:
    merged: dict[tuple[str, str, str], F] = {}
    for finding in findings:
        key = (finding.service, finding.severity, finding.message)
        merged[key] = _together(merged[key], finding) if key in merged else finding
    return tuple(merged.values())


def _together(first: F, repeat: F) -> F:
    count = sum(finding.additional_context.occurrence_count for finding in (first, repeat))
    context = first.additional_context.model_copy(update={"occurrence_count": count})
    lines = first.lines + repeat.lines
    return first.model_copy(update={"additional_context": context, "lines": lines})


def _summary(
    errors: tuple[ErrorFinding, ...], warnings: tuple[WarningFinding, ...]
) -> FindingsSummary:
    findings: list[ErrorFinding | WarningFinding] = [*errors, *warnings]
    return FindingsSummary(
        total_errors=len(errors),
        total_warnings=len(warnings),
        critical_count=sum(error.severity is ErrorSeverity.CRITICAL for error in errors),
        high_priority_count=sum(finding.priority in HIGH_PRIORITIES for finding in findings),
        unique_services_affected=len({finding.service for finding in findings}),
    )
