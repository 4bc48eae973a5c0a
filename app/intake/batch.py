"""A redacted text into a log batch: problems found, grouped and counted."""

import re

from app.domain.answer import Entities
from app.domain.incident import UNKNOWN_SERVICE, UNKNOWN_TIME
from app.domain.logbatch import Line, LineSeverity, LogBatch, Pattern
from app.intake.entities import find_entities

_PROBLEM = re.compile(
    r"(?P<critical>\b(?:FATAL|CRITICAL|OOMKilled|CrashLoopBackOff|panic:))"
    r"|(?P<error>(?i:\berror\b|failed|exception|refused|denied|timed out|unable to)|^E\d{4} )"
    r"|(?P<warning>(?i:\bwarn(?:ing)?\b)|^W\d{4} )"
)
_VARYING = re.compile(r"\b[0-9a-f]{6,}\b|\d+")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")


def read_batch(text: str, redactions: tuple[tuple[str, int], ...] = ()) -> LogBatch:
    """What the reasoners see of an already redacted text."""
    lines = tuple(
        Line(number, line) for number, line in enumerate(text.removesuffix("\n").split("\n"), 1)
    )
    groups: dict[str, list[tuple[Line, LineSeverity]]] = {}
    for line in lines:
        if found := _PROBLEM.search(line.text):
            severity = LineSeverity[str(found.lastgroup).upper()]
            groups.setdefault(_VARYING.sub("<*>", line.text), []).append((line, severity))
    patterns = tuple(_pattern(template, members) for template, members in groups.items())
    return LogBatch(
        total_lines=len(lines),
        total_bytes=len(text.encode("utf-8", "surrogatepass")),
        patterns=tuple(sorted(patterns, key=lambda p: list(LineSeverity).index(p.severity))),
        patterns_left_out=0,
        excerpt=lines[:20_000],
        is_complete=len(lines) <= 20_000,
        entities=find_entities(lines),
        redactions=redactions,
    )


def _pattern(template: str, members: list[tuple[Line, LineSeverity]]) -> Pattern:
    first, severity = members[0]
    time = _TIME.search(first.text)
    samples = tuple(line for line, _ in members[:5])
    return Pattern(
        template=template,
        severity=severity,
        count=len(members),
        timestamp=time.group() if time else UNKNOWN_TIME,
        service=UNKNOWN_SERVICE,
        message=first.text,
        samples=samples,
        trace=None,
        entities=find_entities(samples) if samples else Entities(),
    )
