"""AnalysisAgent's question: why did it go wrong?"""

import re
from collections.abc import Sequence

from app.adapters.reasoning.playbook_diagnosis import Diagnosis, Verdict
from app.adapters.reasoning.playbook_findings import service_of, unexplained
from app.adapters.reasoning.playbook_parameters import FactReader, entities_of
from app.adapters.reasoning.playbook_scan import (
    LINE_CHARACTERS,
    Scanner,
    Sighting,
    compile_pattern,
)
from app.adapters.reasoning.playbook_text import Parameters, render, render_all, render_first
from app.domain.answer import Level, Priority, Probability, Urgency, WarningLevel
from app.domain.incident import (
    UNKNOWN_TIME,
    Analysis,
    AnalysisSummary,
    Cause,
    DetectedPattern,
    Findings,
    Impact,
    PatternType,
    RootCause,
    WarningAnalysis,
    WarningFinding,
)
from app.domain.logbatch import Line, LogBatch, Pattern

QUOTES = 4
QUOTE_CHARACTERS = 300
DECISIVE_CHARACTERS = 200
ADDING = 4.0
"""A second line is quoted when its symptom is at least this strong …"""

TELLING = 20
"""… and it holds more characters than a bare status."""

MOST_WARNINGS = 20

CHANGED = "Changed shortly before: {change}"

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")


def analyse(
    batch: LogBatch, findings: Findings, verdict: Verdict, scanner: Scanner, facts: FactReader
) -> Analysis:
    """Root causes in order, or none where nothing is wrong any more."""
    causes = tuple(
        _root_cause(item, verdict, batch, facts.read(item, verdict, batch))
        for item in verdict.diagnoses
    )
    if not causes:
        causes = _honest(unexplained(batch, verdict, scanner), batch)
    services = dict.fromkeys(cause.service for cause in causes)
    return Analysis(
        analysis_summary=AnalysisSummary(
            total_issues_analyzed=len(findings.errors) + len(findings.warnings),
            root_causes_identified=sum(not cause.is_cascading_effect for cause in causes),
            critical_issues=sum(cause.severity is Level.CRITICAL for cause in causes),
            cascading_failures_detected=sum(cause.is_cascading_effect for cause in causes),
            services_affected=tuple(services),
        ),
        root_cause_analysis=causes,
        warning_analysis=_warnings(findings, verdict),
        patterns_detected=_shapes(verdict, causes),
    )


def quote(line: Line) -> str:
    """`line N: <text>`, cut where it is long."""
    return f"line {line.number}: {line.text.strip()[:QUOTE_CHARACTERS]}"


def _root_cause(item: Diagnosis, verdict: Verdict, batch: LogBatch, known: Parameters) -> RootCause:
    book = item.playbook
    first = item.evidence[0]
    sentences = (*render_all(book.explanation, known), _decisive(item))
    time = _TIME.search(first.text)
    return RootCause(
        timestamp=time.group() if time else UNKNOWN_TIME,
        service=known.first("workload") or known.first("pod") or service_of(None, batch),
        error_message=first.text.strip()[:QUOTE_CHARACTERS],
        severity=book.severity,
        priority=book.priority,
        root_cause=render_first(book.cause, known) or book.title,
        explanation=" ".join(sentences),
        contributing_factors=render_all((*book.factors, CHANGED), known),
        impact=Impact(
            severity=book.impact.severity,
            blast_radius=render(book.impact.blast, known) or "",
            user_impact=render(book.impact.users, known) or "",
            cascading_effects=render_all(book.impact.effects, known),
        ),
        evidence=tuple(quote(line) for line in item.evidence[:QUOTES]),
        is_cascading_effect=item.caused_by is not None,
        related_to=item.caused_by,
        failure_mode=item.mode,
        entities=entities_of(item, verdict, batch),
    )


def _decisive(item: Diagnosis) -> str:
    """Points at the strongest line in words around its core, and at one that adds to it."""
    first = item.sightings[0]
    told = f"The decisive evidence is in line {first.line.number}, which says “{_core(first)}”."
    second = next((other for other in item.sightings if _adds(other, first)), None)
    if second is None:
        return told
    return f"{told} Line {second.line.number} adds “{_core(second)}”."


def _adds(other: Sighting, first: Sighting) -> bool:
    is_other = other.line.number != first.line.number and _group(other) != _group(first)
    return is_other and other.strength >= ADDING and len(other.line.text.strip()) > TELLING


def _group(sighting: Sighting) -> str:
    return sighting.symptom.group or sighting.symptom.see


def _core(sighting: Sighting) -> str:
    """A long line from its symptom on, and its end, where wrapped errors name their cause."""
    text = sighting.line.text.strip()
    if len(text) <= DECISIVE_CHARACTERS:
        return text
    found = compile_pattern(sighting.symptom.see).search(text[:LINE_CHARACTERS])
    at = min(found.start() if found else len(text), len(text) - DECISIVE_CHARACTERS)
    before = "…" if at else ""
    if len(text) - at <= DECISIVE_CHARACTERS:
        return f"{before}{text[at:]}"
    half = DECISIVE_CHARACTERS // 2
    return f"{before}{text[at : at + half]}…{text[-half:]}"


def _honest(patterns: Sequence[Pattern], batch: LogBatch) -> tuple[RootCause, ...]:
    """One cause that says what is not known; none without a real error."""
    if not patterns:
        return ()
    worst = patterns[0]
    service = service_of(worst, batch)
    count = sum(pattern.count for pattern in patterns)
    return (
        RootCause(
            timestamp=worst.timestamp,
            service=service,
            error_message=worst.message[:QUOTE_CHARACTERS],
            severity=Level.MEDIUM,
            priority=Priority.P2,
            root_cause=f"{service} reports an error that no playbook explains: "
            f"{worst.message[:DECISIVE_CHARACTERS]}",
            explanation=f"The input holds {count} error records of {len(patterns)} kinds, the "
            f"first in line {worst.samples[0].number}. Why they happen is not known from these "
            "lines alone; the investigation steps collect what is missing.",
            evidence=tuple(quote(pattern.samples[0]) for pattern in patterns[:QUOTES]),
            entities=batch.entities,
        ),
    )


def _warnings(findings: Findings, verdict: Verdict) -> tuple[WarningAnalysis, ...]:
    titles = [item.playbook.title for item in verdict.recovered]
    return tuple(
        _warning(warning, titles[number] if number < len(titles) else None)
        for number, warning in enumerate(findings.warnings[:MOST_WARNINGS])
    )


def _warning(warning: WarningFinding, recovered: str | None) -> WarningAnalysis:
    cause = Cause(
        cause=recovered or "Not known from these lines alone",
        probability=Probability.HIGH if recovered else Probability.LOW,
        explanation="It was seen and is over: later lines show that it works again."
        if recovered
        else "No playbook counts it as a failure.",
    )
    return WarningAnalysis(
        timestamp=warning.timestamp,
        service=warning.service,
        warning_message=warning.message,
        severity=WarningLevel.LOW,
        priority=warning.priority,
        potential_causes=(cause,),
        potential_impact="None that shows now.",
        recommended_action="Watch whether it comes back or grows.",
        urgency=Urgency.LOW,
    )


def _shapes(verdict: Verdict, causes: Sequence[RootCause]) -> tuple[DetectedPattern, ...]:
    services = tuple(dict.fromkeys(cause.service for cause in causes))
    shapes = {
        item.playbook.pattern: item
        for item in reversed(verdict.diagnoses)
        if item.playbook.pattern and item.playbook.pattern is not PatternType.CASCADING_FAILURE
    }
    found = [
        DetectedPattern(
            pattern_type=shape,
            description=f"{item.playbook.title}, seen in {len(item.evidence)} lines.",
            affected_services=services,
            evidence_count=len(item.evidence),
            recommendation=next(iter(item.playbook.prevent), ""),
        )
        for shape, item in shapes.items()
        if shape
    ]
    effects = [cause for cause in causes if cause.is_cascading_effect]
    if effects:
        names = ", ".join(cause.failure_mode for cause in effects)
        found.append(
            DetectedPattern(
                pattern_type=PatternType.CASCADING_FAILURE,
                description=f"{causes[0].failure_mode} brings about {names}.",
                affected_services=services,
                evidence_count=len(effects),
                recommendation="Remedy the cause first; its effects may end by themselves.",
            )
        )
    return tuple(found)
