"""MonitoringAgent's question: what went wrong in this text?"""

import re2

from app.adapters.reasoning.playbook_diagnosis import (
    QUIET_AFTER,
    START_UP_LINES,
    Diagnosis,
    Verdict,
)
from app.adapters.reasoning.playbook_scan import Scanner
from app.adapters.reasoning.playbook_service import Services
from app.domain.answer import Priority
from app.domain.incident import (
    UNKNOWN_SERVICE,
    ErrorContext,
    ErrorFinding,
    ErrorSeverity,
    ErrorType,
    Findings,
    FindingsSummary,
    WarningContext,
    WarningFinding,
    WarningType,
)
from app.domain.logbatch import LineSeverity, LogBatch, Pattern

MOST_FINDINGS = 200
MESSAGE_CHARACTERS = 500

_CLAIM = re2.compile(
    r"\b(?:ERROR|ERR|FATAL|CRITICAL|SEVERE|PANIC|EMERG|Error|Fatal|Failed|Exception)\b"
    r"|(?i)\b(?:failed|fatal|panic|unable to|cannot|could not|error:)"
    r"|(?i)\blevel[\"']?\s*[=:]\s*[\"']?(?:error|err|fatal|critical)|^E\d{4} |\w(?:Error|Exception)\b"
)
"""Words by which a line itself says that something went wrong."""

_URGENT = ("oomkilled", "crashloopbackoff", "panic", "data loss", "corrupt")
_MINOR = ("deprecat", "will be removed")
_SLOW = ("slow", "latency", "took", "timeout", "throttl")
_DATABASE = ("sql", "database", "postgres", "mongo", "redis", "deadlock")
_NETWORK = ("connect", "dial", "timeout", "timed out", "dns", "resolve", "tls", "x509", "route")
_KUBERNETES = ("kubelet", "pod", "container", "node", "volume", "image", "scheduler", "evict")


def unexplained(batch: LogBatch, verdict: Verdict, scanner: Scanner) -> tuple[Pattern, ...]:
    """Errors that are neither harmless nor over, and that no playbook knows."""
    if verdict.is_incident or verdict.scan.is_declared_over:
        return ()
    closing = max(verdict.scan.resolved_lines, default=0)
    over = {line.number for item in verdict.recovered for line in item.evidence}
    return tuple(
        pattern
        for pattern in batch.patterns
        if _is_claimed(pattern)
        and pattern.samples[-1].number > closing
        and not scanner.is_calm(pattern.samples[0].text)
        and not any(line.number in over for line in pattern.samples)
        and not _is_start_up(pattern, batch)
    )


def find(batch: LogBatch, verdict: Verdict, scanner: Scanner) -> Findings:
    """Errors and warnings; empty when the text shows nothing that needs anyone."""
    if not verdict.is_incident and not unexplained(batch, verdict, scanner):
        return _without_incident(batch, verdict, scanner)
    services = Services(batch, verdict.sections)
    marks = {line.number: item for item in verdict.diagnoses for line in item.evidence}
    shown = [
        pattern
        for pattern in batch.patterns[:MOST_FINDINGS]
        if _mark(pattern, marks) or not scanner.is_calm(pattern.samples[0].text)
    ]
    errors = [
        _error(pattern, _mark(pattern, marks), services)
        for pattern in shown
        if pattern.severity is not LineSeverity.WARNING or _mark(pattern, marks)
    ]
    covered = {line.number for pattern in shown for line in pattern.samples}
    errors += [_seen(item, services) for item in verdict.diagnoses if _is_new(item, covered)]
    warnings = [
        _warning(pattern, services)
        for pattern in shown
        if pattern.severity is LineSeverity.WARNING and not _mark(pattern, marks)
    ]
    return _summed(tuple(errors), tuple(warnings))


def _without_incident(batch: LogBatch, verdict: Verdict, scanner: Scanner) -> Findings:
    """Warnings, and what failed and is over: worth knowing, urgent for nobody."""
    services = Services(batch, verdict.sections)
    over = {line.number for item in verdict.recovered for line in item.evidence}
    shown = [
        pattern
        for pattern in batch.patterns[:MOST_FINDINGS]
        if not scanner.is_calm(pattern.samples[0].text)
        and not any(line.number in over for line in pattern.samples)
    ]
    warnings = [_warning(pattern, services) for pattern in shown if not _is_claimed(pattern)]
    if verdict.scan.resolved_lines:
        warnings += [_closed(pattern, services) for pattern in shown if _is_claimed(pattern)]
    recovered = () if verdict.scan.is_declared_over else verdict.recovered
    return _summed((), (*(_over(item, services) for item in recovered), *warnings))


def _is_claimed(pattern: Pattern) -> bool:
    is_warning = pattern.severity is LineSeverity.WARNING
    return not is_warning and bool(_CLAIM.search(pattern.samples[0].text))


def _summed(errors: tuple[ErrorFinding, ...], warnings: tuple[WarningFinding, ...]) -> Findings:
    services = {item.service for item in errors} | {item.service for item in warnings}
    return Findings(
        summary=FindingsSummary(
            total_errors=len(errors),
            total_warnings=len(warnings),
            critical_count=sum(item.severity is ErrorSeverity.CRITICAL for item in errors),
            high_priority_count=sum(item.priority in {Priority.P0, Priority.P1} for item in errors),
            unique_services_affected=len(services),
        ),
        errors=errors,
        warnings=warnings,
    )


def _is_start_up(pattern: Pattern, batch: LogBatch) -> bool:
    first = pattern.samples[0].number
    return (
        pattern.count <= 2
        and pattern.severity is not LineSeverity.CRITICAL
        and first <= START_UP_LINES
        and batch.total_lines - first > QUIET_AFTER
    )


def _mark(pattern: Pattern, marks: dict[int, Diagnosis]) -> Diagnosis | None:
    return next((marks[line.number] for line in pattern.samples if line.number in marks), None)


def _is_new(item: Diagnosis, covered: set[int]) -> bool:
    return not any(line.number in covered for line in item.evidence)


def service_of(pattern: Pattern | None, batch: LogBatch) -> str:
    """Who the finding is about, as far as anything says."""
    named = [pattern.service, pattern.entities.workload, pattern.entities.pod] if pattern else []
    candidates = [*named, batch.entities.workload, batch.entities.pod]
    return next((name for name in candidates if name and name != UNKNOWN_SERVICE), UNKNOWN_SERVICE)


def _error(pattern: Pattern, item: Diagnosis | None, services: Services) -> ErrorFinding:
    is_critical = pattern.severity is LineSeverity.CRITICAL
    return ErrorFinding(
        timestamp=pattern.timestamp,
        service=services.of(pattern),
        severity=ErrorSeverity.CRITICAL if is_critical else ErrorSeverity.ERROR,
        priority=item.playbook.priority if item else _priority(pattern),
        message=pattern.message[:MESSAGE_CHARACTERS],
        error_type=item.playbook.error_type if item else _error_type(pattern.message.lower()),
        additional_context=ErrorContext(
            error_code=_code(item), stack_trace=pattern.trace, occurrence_count=pattern.count
        ),
        lines=tuple(line.number for line in pattern.samples),
    )


def _seen(item: Diagnosis, services: Services) -> ErrorFinding:
    """A diagnosis whose evidence carries no error word of its own, such as a status column."""
    line = item.evidence[0]
    is_urgent = item.playbook.priority is Priority.P0
    return ErrorFinding(
        service=services.at(line),
        severity=ErrorSeverity.CRITICAL if is_urgent else ErrorSeverity.ERROR,
        priority=item.playbook.priority,
        message=line.text.strip()[:MESSAGE_CHARACTERS],
        error_type=item.playbook.error_type,
        additional_context=ErrorContext(
            error_code=_code(item), occurrence_count=len(item.evidence)
        ),
        lines=tuple(line.number for line in item.evidence[:5]),
    )


def _over(item: Diagnosis, services: Services) -> WarningFinding:
    line = item.evidence[0]
    return WarningFinding(
        service=services.at(line),
        priority=Priority.P3,
        message=f"Recovered: {line.text.strip()}"[:MESSAGE_CHARACTERS],
        additional_context=WarningContext(occurrence_count=len(item.evidence)),
        lines=tuple(line.number for line in item.evidence[:5]),
    )


def _closed(pattern: Pattern, services: Services) -> WarningFinding:
    """An error that the text itself declares over."""
    return WarningFinding(
        timestamp=pattern.timestamp,
        service=services.of(pattern),
        priority=Priority.P3,
        message=f"Declared over: {pattern.message}"[:MESSAGE_CHARACTERS],
        additional_context=WarningContext(occurrence_count=pattern.count),
        lines=tuple(line.number for line in pattern.samples),
    )


def _warning(pattern: Pattern, services: Services) -> WarningFinding:
    text = pattern.message.lower()
    kind = WarningType.RESOURCE
    if any(word in text for word in _MINOR):
        kind = WarningType.DEPRECATION
    elif any(word in text for word in _SLOW):
        kind = WarningType.PERFORMANCE
    return WarningFinding(
        timestamp=pattern.timestamp,
        service=services.of(pattern),
        priority=Priority.P3 if kind is WarningType.DEPRECATION else Priority.P2,
        message=pattern.message[:MESSAGE_CHARACTERS],
        warning_type=kind,
        additional_context=WarningContext(occurrence_count=pattern.count),
        lines=tuple(line.number for line in pattern.samples),
    )


def _code(item: Diagnosis | None) -> str | None:
    if item is None:
        return None
    captured = [pair for sighting in item.sightings for pair in sighting.captures]
    return next((value for name, value in captured if name in {"exit_code", "status"}), None)


def _priority(pattern: Pattern) -> Priority:
    text = pattern.message.lower()
    if pattern.severity is LineSeverity.CRITICAL or any(word in text for word in _URGENT):
        return Priority.P0
    return Priority.P1


def _error_type(text: str) -> ErrorType:
    for words, kind in (
        (_DATABASE, ErrorType.DATABASE),
        (_NETWORK, ErrorType.NETWORK),
        (_KUBERNETES, ErrorType.KUBERNETES),
    ):
        if any(word in text for word in words):
            return kind
    return ErrorType.APPLICATION
