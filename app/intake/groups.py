"""Problem records of one shape, counted exactly in bounded memory."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.answer import Entities
from app.domain.incident import UNKNOWN_SERVICE
from app.domain.logbatch import Line, LineSeverity, Pattern
from app.intake.anatomy import LONGEST_OBJECT, Anatomy, dissect
from app.intake.cut import cut_line
from app.intake.entities import find_entities
from app.intake.shape import template_of
from app.intake.traces import Trace, fold
from app.intake.verdict import rank

SAMPLES = 5
# Patterns kept while counting: the worse the severity, the longer there is room for a new one.
_ROOM = {LineSeverity.WARNING: 6_000, LineSeverity.ERROR: 9_000, LineSeverity.CRITICAL: 12_000}


@dataclass(slots=True)
class Group:
    """The records of one shape."""

    template: str
    severity: LineSeverity
    anatomy: Anatomy
    trace: str | None
    count: int = 0
    samples: list[Line] = field(default_factory=list)

    def add(self, number: int, line: bytes) -> None:
        """Count one more record."""
        self.count += 1
        if len(self.samples) < SAMPLES:
            self.samples.append(Line(number, cut_line(line)))

    def pattern(self) -> Pattern:
        """The group as the reasoners see it."""
        entities = find_entities(self.samples)
        return Pattern(
            template=self.template,
            severity=self.severity,
            count=self.count,
            timestamp=self.anatomy.timestamp,
            service=_service(self.anatomy.service, entities),
            message=self.anatomy.message,
            samples=tuple(self.samples),
            trace=self.trace,
            entities=entities,
        )


@dataclass(slots=True)
class Groups:
    """All groups of an input."""

    _groups: dict[tuple[LineSeverity, str], Group] = field(default_factory=dict)
    _turned_away: set[int] = field(default_factory=set)

    def group_for(self, line: bytes, severity: LineSeverity, trace: Trace | None) -> Group | None:
        """The group of this record; None when there is no room for another one."""
        is_long = len(line) > LONGEST_OBJECT
        anatomy = dissect(cut_line(line) if is_long else line.decode("utf-8", "replace"))
        if trace is not None and trace.conclusion is not None and "Traceback" in anatomy.message:
            conclusion = trace.conclusion.decode("utf-8", "replace").strip()
            anatomy = Anatomy(anatomy.timestamp, anatomy.service, conclusion)
        template = template_of(anatomy.message)
        group = self._groups.get((severity, template))
        if group is None:
            if len(self._groups) >= _ROOM[severity]:
                self._turned_away.add(hash((severity, template)))
                return None
            folded = fold(cut_line(line), trace) if trace is not None else None
            group = self._groups[severity, template] = Group(template, severity, anatomy, folded)
        return group

    def __iter__(self) -> Iterator[Group]:
        """The groups, in order of their first record."""
        return iter(self._groups.values())

    def patterns(self, limit: int) -> tuple[tuple[Pattern, ...], int]:
        """The worst and first patterns, and how many more there are."""
        chosen = heapq.nsmallest(
            limit, self._groups.values(), key=lambda g: (-rank(g.severity), g.samples[0].number)
        )
        left_out = len(self._groups) - len(chosen) + len(self._turned_away)
        return tuple(group.pattern() for group in chosen), left_out


def _service(service: str, entities: Entities) -> str:
    if service != UNKNOWN_SERVICE:
        return service
    return entities.workload or entities.container or entities.pod or UNKNOWN_SERVICE
