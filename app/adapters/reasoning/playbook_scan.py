"""One linear pass over the lines: which symptoms and which signs of recovery stand where."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import re2

from app.adapters.reasoning.playbook_model import Library, Playbook, Symptom
from app.domain.logbatch import Line

PATTERNS_PER_SET = 120
"""Small sets keep the automaton of each within its memory."""

SET_MEMORY = 64 << 20
LINE_CHARACTERS = 20_000
"""Beyond this a line is read at its two ends."""

QUIET_SHARE = 0.4
"""What a symptom counts on a line that calls itself informational."""

LOUD = 8.0
"""A symptom this strong counts in full on every line."""


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
    """Lines that declare the whole thing over or intended."""


@dataclass(frozen=True, slots=True)
class _Watch:
    """One pattern and what a match of it means."""

    pattern: str
    kind: str
    mode: str = ""
    symptom: Symptom | None = None


class Scanner:
    """Compiles every pattern of a library once; a scan costs time linear in the text."""

    def __init__(self, library: Library) -> None:
        """Compile."""
        self._watches = tuple(_watches(library))
        self._sets = tuple(
            _compile_set(
                [watch.pattern for watch in self._watches[start : start + PATTERNS_PER_SET]]
            )
            for start in range(0, len(self._watches), PATTERNS_PER_SET)
        )
        background = library.background
        self._harmless = _compile_set((*background.harmless, *background.orders))
        self._quiet = _compile_set(background.quiet)
        self._captures = {
            watch.symptom.see: compile_pattern(watch.symptom.see)
            for watch in self._watches
            if watch.symptom
        }
        self._unless = {
            watch.symptom.unless: compile_pattern(watch.symptom.unless)
            for watch in self._watches
            if watch.symptom and watch.symptom.unless
        }

    def scan(self, lines: Sequence[Line]) -> Scan:
        """Look at every line once."""
        sightings: list[Sighting] = []
        recoveries: list[tuple[str, int]] = []
        exclusions: set[str] = set()
        resolved: list[int] = []
        for line in lines:
            for watch in self._hits(_bounded(line.text)):
                match watch.kind:
                    case "symptom":
                        sightings.extend(self._sighting(watch, line))
                    case "recovered":
                        recoveries.append((watch.mode, line.number))
                    case "excluded":
                        exclusions.add(watch.mode)
                    case _:
                        resolved.append(line.number)
        return Scan(
            tuple(lines),
            tuple(sightings),
            tuple(recoveries),
            frozenset(exclusions),
            tuple(resolved),
        )

    def is_calm(self, text: str) -> bool:
        """Whether a line is harmless by itself: good news, an informational level, a command."""
        shown = _bounded(text)
        return bool(self._harmless.Match(shown) or self._quiet.Match(shown))

    def _hits(self, text: str) -> list[_Watch]:
        hits = [
            self._watches[part * PATTERNS_PER_SET + index]
            for part, patterns in enumerate(self._sets)
            for index in sorted(patterns.Match(text) or ())
        ]
        if hits and self._harmless.Match(text):
            return [watch for watch in hits if watch.kind != "symptom"]
        return hits

    def _sighting(self, watch: _Watch, line: Line) -> Iterable[Sighting]:
        symptom = watch.symptom
        text = _bounded(line.text)
        if symptom is None or (symptom.unless and self._unless[symptom.unless].search(text)):
            return
        found = self._captures[symptom.see].search(text)
        if found is None:
            return
        is_quiet = symptom.weight < LOUD and bool(self._quiet.Match(text))
        yield Sighting(
            mode=watch.mode,
            symptom=symptom,
            line=line,
            strength=symptom.weight * (QUIET_SHARE if is_quiet else 1),
            captures=tuple((name, value) for name, value in found.groupdict().items() if value),
        )


def compile_pattern(pattern: str) -> Any:
    """Compiled without regard to case; the library has no types."""
    options = re2.Options()
    options.case_sensitive = False
    return re2.compile(pattern, options)


def _compile_set(patterns: Sequence[str]) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = SET_MEMORY
    compiled = re2.Set.SearchSet(options)
    for pattern in patterns:
        compiled.Add(pattern)
    compiled.Compile()
    return compiled


def _watches(library: Library) -> Iterable[_Watch]:
    for book in library.playbooks:
        yield from _watches_of(book)
    for pattern in library.background.recovered:
        yield _Watch(pattern, "recovered")
    for pattern in library.background.resolved:
        yield _Watch(pattern, "resolved")


def _watches_of(book: Playbook) -> Iterable[_Watch]:
    for symptom in book.symptoms:
        yield _Watch(symptom.see, "symptom", book.mode, symptom)
    for pattern in book.excluded_by:
        yield _Watch(pattern, "excluded", book.mode)
    for pattern in book.recovered_by:
        yield _Watch(pattern, "recovered", book.mode)


def _bounded(text: str) -> str:
    if len(text) <= LINE_CHARACTERS:
        return text
    half = LINE_CHARACTERS // 2
    return f"{text[:half]} {text[-half:]}"
