"""What is known about one diagnosis: its objects, what the symptoms captured, what follows."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import re2

from app.adapters.reasoning.playbook_circumstances import CircumstanceReader
from app.adapters.reasoning.playbook_derived import derived
from app.adapters.reasoning.playbook_diagnosis import Diagnosis, Verdict
from app.adapters.reasoning.playbook_model import Background
from app.adapters.reasoning.playbook_scan import compile_pattern
from app.adapters.reasoning.playbook_shapes import is_plausible
from app.adapters.reasoning.playbook_text import VALUE_CHARACTERS, Parameters
from app.domain.answer import Entities
from app.domain.logbatch import Line, LogBatch
from app.intake.entities import find_entities

NEAR_LINES = 40
"""Facts this close to a symptom belong to it."""

MATCHES_PER_FACT = 20
"""Matches of a fact's pattern tried until one looks like what it claims."""

LINES_ABOUT = 40
"""Lines that name an object, read for its namespace."""

_NAMESPACE = re2.compile(
    r"""(?i)(?:\s-n[ =]|--namespace[ =]|\bnamespace["']?[:=] ?["']?)([a-z0-9][a-z0-9-]*)"""
)

NEAR_SIGHTINGS = 4
EVIDENCE_LINES = 6
WHOLE_TEXT_CHARACTERS = 400_000
VALUES_PER_NAME = 12


class FactReader:
    """Reads the parameters of diagnoses; compiles each fact pattern once."""

    def __init__(self, background: Background) -> None:
        """Start with no playbook's patterns compiled."""
        self._compiled: dict[str, Any] = {}
        self._circumstances = CircumstanceReader(background)

    def read(self, diagnosis: Diagnosis, verdict: Verdict, batch: LogBatch) -> Parameters:
        """The parameters of a diagnosis."""
        entities = entities_of(diagnosis, verdict, batch)
        values: dict[str, list[str]] = {}
        for sighting in diagnosis.sightings:
            for name, value in sighting.captures:
                _keep(values, name, value)
        near = _near(diagnosis, verdict.scan.lines)
        whole = _whole(verdict.scan.lines)
        for pattern in diagnosis.playbook.facts:
            for name, value in self._captures(pattern, near) or self._captures(pattern, whole):
                _keep(values, name, value)
        for name, value in derived(values, entities, diagnosis, batch):
            _add(values, name, value)
        for name, value in self._circumstances.read(entities, verdict.scan.lines):
            _add(values, name, value)
        known = {name: tuple(found) for name, found in values.items()}
        return Parameters(known, entities.namespace)

    def _captures(self, pattern: str, text: str) -> list[tuple[str, str]]:
        if pattern not in self._compiled:
            self._compiled[pattern] = compile_pattern(pattern)
        for found in islice(self._compiled[pattern].finditer(text), MATCHES_PER_FACT):
            named = [(name, value) for name, value in found.groupdict().items() if value]
            if all(is_plausible(name.rstrip("0123456789"), value) for name, value in named):
                return named
        return []


def entities_of(diagnosis: Diagnosis, verdict: Verdict, batch: LogBatch) -> Entities:
    """The objects the evidence names, completed by those of the whole text that fit."""
    own = find_entities(diagnosis.evidence[:1])
    if not (own.pod or own.workload_kind):
        own = find_entities(diagnosis.evidence[:EVIDENCE_LINES])
    if not (own.pod or own.workload_kind) and _is_object_text(verdict.scan.lines):
        own = find_entities(_before(diagnosis.evidence[0], verdict.scan.lines))
    whole = batch.entities
    if not (own.pod or own.workload_kind):
        own = _under_heading(own, verdict.sections.owner(diagnosis.evidence[0].number), verdict)
    if not (own.pod or own.workload_kind):
        return _completed(_modest(own, whole), whole)
    if _is_same(own, whole):
        return _completed(own, whole)
    return own.model_copy(update={"namespace": _namespace_of(own, diagnosis, verdict, whole)})


def _namespace_of(
    own: Entities, diagnosis: Diagnosis, verdict: Verdict, whole: Entities
) -> str | None:
    """Of an object that is not the text's main one: another incident's namespace is not its own."""
    heading = verdict.sections.owner(diagnosis.evidence[0].number)
    if own.namespace or heading.namespace:
        return own.namespace or heading.namespace
    name = own.pod or own.workload or ""
    about = [line for line in verdict.scan.lines if name in line.text][:LINES_ABOUT]
    near = find_entities(about).namespace
    if near or whole.namespace is None:
        return near
    named = {match[1] for line in verdict.scan.lines for match in _NAMESPACE.finditer(line.text)}
    return whole.namespace if len(named) < 2 else None


def _under_heading(own: Entities, owner: Entities, verdict: Verdict) -> Entities:
    """Completed by the object whose log or page the evidence stands in, and by its own page."""
    if not (owner.pod or owner.workload_kind):
        return own
    page = verdict.sections.page_of(owner.pod) if owner.pod else Entities()
    return _completed(_completed(own.model_copy(update={"workload": None}), owner), page)


def _modest(own: Entities, whole: Entities) -> Entities:
    """A service that only logs counts where the whole text names nothing better."""
    is_named = bool(whole.pod or whole.workload_kind)
    return Entities(
        namespace=own.namespace,
        container=own.container,
        workload=None if is_named else own.workload,
    )


def _is_object_text(lines: Sequence[Line]) -> bool:
    return bool(lines) and lines[0].text.lstrip().startswith(("{", "["))


def _before(line: Line, lines: Sequence[Line]) -> Sequence[Line]:
    """The lines that lead to one, up to the object it is part of."""
    index = next(i for i, other in enumerate(lines) if other.number == line.number)
    start = max(0, index - NEAR_LINES)
    for position in range(index, start, -1):
        if '"involvedObject"' in lines[position].text:
            return lines[position : index + 8]
    return ()


def _is_same(own: Entities, whole: Entities) -> bool:
    if own.pod and whole.pod:
        return own.pod == whole.pod or own.workload == whole.workload
    return own.workload == whole.workload or not (whole.workload or whole.pod)


def _completed(own: Entities, whole: Entities) -> Entities:
    given = {name: value for name, value in own.model_dump().items() if value}
    rest = whole.model_dump()
    if own.workload and own.workload != whole.workload and not own.workload_kind:
        # A pod's name lets its workload be guessed; a text that tells the pod's owner knows it.
        if own.pod and own.pod == whole.pod and whole.workload_kind:
            del given["workload"]
        else:
            del rest["workload_kind"]
    return Entities(**{**rest, **given})


def _keep(values: dict[str, list[str]], name: str, value: str) -> None:
    clean = " ".join(value.split()).strip("\"'\\`,; ")[:VALUE_CHARACTERS].rstrip(".:")
    meaning = name.rstrip("0123456789")
    if clean and is_plausible(meaning, clean):
        _add(values, meaning, clean)


def _add(values: dict[str, list[str]], name: str, value: str) -> None:
    kept = values.setdefault(name, [])
    if value not in kept and len(kept) < VALUES_PER_NAME:
        kept.append(value)


def _near(diagnosis: Diagnosis, lines: Sequence[Line]) -> str:
    position = {line.number: index for index, line in enumerate(lines)}
    wanted: dict[int, None] = {}
    for line in diagnosis.evidence[:NEAR_SIGHTINGS]:
        centre = position[line.number]
        for index in range(max(0, centre - NEAR_LINES), min(len(lines), centre + NEAR_LINES)):
            wanted[index] = None
    return "\n".join(lines[index].text for index in sorted(wanted))


def _whole(lines: Sequence[Line]) -> str:
    return "\n".join(_bounded(lines))


def _bounded(lines: Sequence[Line]) -> Iterator[str]:
    total = 0
    for line in lines:
        total += len(line.text)
        if total > WHOLE_TEXT_CHARACTERS:
            return
        yield line.text
