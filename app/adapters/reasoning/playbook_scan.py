"""One linear pass over the lines: which symptoms and which signs of recovery stand where."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import re2

from app.adapters.reasoning.playbook_model import Library, Playbook, Symptom
from app.adapters.reasoning.playbook_shapes import is_plausible
from app.adapters.reasoning.playbook_states import States, read_states
from app.domain.logbatch import Line
from app.intake.verdict import judge

CAPTURES_PER_SYMPTOM = 60
"""More lines of one kind seldom name anything new."""

LINE_CHARACTERS = 20_000
"""Beyond this a line is read at its two ends."""

QUIET_SHARE = 0.4
"""What a symptom counts on a line that calls itself informational."""

LOUD = 8.0
"""A symptom this strong counts in full on every line."""


DECIDING = frozenset({"variable", "command"})
"""Captures without which, when they are none, the symptom is none either."""

_ESCAPED_QUOTE = re2.compile(r'\\+"')


@dataclass(frozen=True, slots=True)
class Sighting:
    """A symptom of a mode in a line."""

    mode: str
    symptom: Symptom
    line: Line
    strength: float
    captures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything a pass saw."""

    lines: tuple[Line, ...]
    sightings: tuple[Sighting, ...]
    recoveries: tuple[tuple[str, int], ...]
    """(mode, or empty for any mode; line number)."""
    exclusions: frozenset[str]
    """Modes that some line rules out."""
    resolved_lines: tuple[int, ...]
    """Lines that declare the whole thing over or intended, as far as they can be believed."""
    is_declared_over: bool
    """Whether an alert, a tool or an announcement says so, not prose alone."""
    states: States
    """How the objects of status tables and pages stand at the end."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """One pattern and what a match of it means."""

    pattern: str
    kind: str
    mode: str = ""
    symptom: Symptom | None = None


@dataclass(slots=True)
class _Seen:
    """What a scan collects on its way."""

    sightings: list[Sighting] = field(default_factory=list)
    recoveries: list[tuple[str, int]] = field(default_factory=list)
    exclusions: set[str] = field(default_factory=set)
    resolved: list[int] = field(default_factory=list)
    remarks: list[int] = field(default_factory=list)
    captured: Counter[str] = field(default_factory=Counter)

    def wants(self, watch: _Watch) -> bool:
        """Whether more captures of this pattern could still say something new."""
        self.captured[watch.pattern] += 1
        return self.captured[watch.pattern] <= CAPTURES_PER_SYMPTOM

    def note(self, watch: _Watch, number: int) -> None:
        """Keep what is no symptom."""
        match watch.kind:
            case "recovered":
                self.recoveries.append((watch.mode, number))
            case "excluded":
                self.exclusions.add(watch.mode)
            case "resolved":
                self.resolved.append(number)
            case "remark":
                self.remarks.append(number)
            case _:
                pass

    def finished(self, lines: Sequence[Line]) -> Scan:
        """Everything, as a value."""
        states = read_states(lines)
        last = max((sighting.line.number for sighting in self.sightings), default=0)
        believed = [] if states.is_bad else [number for number in self.remarks if number >= last]
        return Scan(
            tuple(lines),
            tuple(self.sightings),
            tuple(self.recoveries),
            frozenset(self.exclusions),
            (*self.resolved, *believed),
            bool(self.resolved),
            states,
        )


class Scanner:
    """Compiles every pattern of a library once; a scan costs time linear in the text."""

    def __init__(self, library: Library) -> None:
        """Compile."""
        self._watches = tuple(_watches(library))
        self._filter = _compile_filter([watch.pattern for watch in self._watches])
        self._good_news = [compile_pattern(item) for item in library.background.good_news]
        self._captures = {
            watch.pattern: compile_pattern(watch.pattern)
            for watch in self._watches
            if watch.symptom and "(?P<" in watch.pattern
        }

    def scan(self, lines: Sequence[Line]) -> Scan:
        """Look at every line once."""
        seen = _Seen()
        for line in lines:
            hits = self._hits(line.text)
            kinds = {watch.kind for watch in hits}
            if "order" in kinds:
                continue
            vetoes = {watch.pattern for watch in hits if watch.kind == "unless"}
            for watch in hits:
                if watch.kind == "symptom":
                    if "harmless" not in kinds and _applies(watch, vetoes):
                        self._note_sighting(watch, line, kinds, seen)
                else:
                    seen.note(watch, line.number)
        return seen.finished(lines)

    def is_calm(self, text: str) -> bool:
        """Whether a line is harmless by itself: good news, an informational level, a command."""
        if any(watch.kind in {"harmless", "quiet", "order"} for watch in self._hits(text)):
            return True
        rest = self._without_good_news(text)
        return rest != text and judge(rest.encode("utf-8", "replace")) is None

    def _hits(self, text: str) -> list[_Watch]:
        hits = self._matches(_bounded(text).lower())
        if any(watch.kind == "good_news" for watch in hits):
            return self._matches(self._without_good_news(_bounded(text).lower()))
        return hits

    def _matches(self, text: str) -> list[_Watch]:
        return [self._watches[index] for index in self._filter.Match(text) or ()]

    def _without_good_news(self, text: str) -> str:
        for pattern in self._good_news:
            text = pattern.sub(" ; ", text)
        return text

    def _note_sighting(self, watch: _Watch, line: Line, kinds: set[str], seen: _Seen) -> None:
        symptom = watch.symptom
        assert symptom is not None
        captures = self._captured(watch, line.text) if seen.wants(watch) else ()
        if not all(_decides(name, value) for name, value in captures):
            seen.captured[watch.pattern] -= 1
            return
        is_quiet = symptom.weight < LOUD and not symptom.loud and "quiet" in kinds
        strength = symptom.weight * (QUIET_SHARE if is_quiet else 1)
        seen.sightings.append(Sighting(watch.mode, symptom, line, strength, captures))

    def _captured(self, watch: _Watch, text: str) -> tuple[tuple[str, str], ...]:
        pattern = self._captures.get(watch.pattern)
        found = pattern.search(_bounded(text)) if pattern else None
        if found is None:
            return ()
        return tuple((name, value) for name, value in found.groupdict().items() if value)


def compile_pattern(pattern: str) -> Any:
    """Compiled without regard to case; the library has no types."""
    options = re2.Options()
    options.case_sensitive = False
    return re2.compile(pattern, options)


def _compile_filter(patterns: Sequence[str]) -> Any:
    """Looks for the literal words of all patterns at once, then tests only what can match.

    One automaton of all patterns would be as fast once it is warm, but a workflow reads one text.
    """
    options = re2.Options()
    options.case_sensitive = False
    compiled = re2.Filter()
    for pattern in patterns:
        compiled.Add(pattern, options)
    compiled.Compile()
    return compiled


def _watches(library: Library) -> Iterable[_Watch]:
    for book in library.playbooks:
        yield from _watches_of(book)
    unless = {s.unless for book in library.playbooks for s in book.symptoms if s.unless}
    for pattern in sorted(unless):
        yield _Watch(pattern, "unless")
    background = library.background
    for kind, patterns in (
        ("good_news", background.good_news),
        ("harmless", background.harmless),
        ("order", background.orders),
        ("quiet", background.quiet),
        ("recovered", background.recovered),
        ("resolved", background.resolved),
        ("remark", background.remarks),
    ):
        yield from (_Watch(pattern, kind) for pattern in patterns)


def _watches_of(book: Playbook) -> Iterable[_Watch]:
    for symptom in book.symptoms:
        yield _Watch(symptom.see, "symptom", book.mode, symptom)
    for pattern in book.excluded_by:
        yield _Watch(pattern, "excluded", book.mode)
    for pattern in book.recovered_by:
        yield _Watch(pattern, "recovered", book.mode)


def _applies(watch: _Watch, vetoes: set[str]) -> bool:
    return watch.symptom is not None and watch.symptom.unless not in vetoes


def _decides(name: str, value: str) -> bool:
    meaning = name.rstrip("0123456789")
    return meaning not in DECIDING or is_plausible(meaning, value)


def _bounded(text: str) -> str:
    """A line at its two ends, with quotes inside quotes as they are written outside."""
    if '\\"' in text:
        text = _ESCAPED_QUOTE.sub('"', text)
    if len(text) <= LINE_CHARACTERS:
        return text
    half = LINE_CHARACTERS // 2
    return f"{text[:half]} {text[-half:]}"
