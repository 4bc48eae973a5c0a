"""From symptoms to ranked failure modes: what is the cause, what follows from it, what is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from app.adapters.reasoning.playbook_model import Library, Playbook
from app.adapters.reasoning.playbook_scan import LOUD, Scan, Scanner, Sighting
from app.domain.incident import ErrorType
from app.domain.logbatch import Line, LogBatch

MOST_MODES = 6
"""As many root causes as a person reads."""

OTHER_SYMPTOMS_SHARE = 0.35
OTHER_SYMPTOMS_AT_MOST = 4.0

START_UP_LINES = 15
"""A complaint in the first lines of a log …"""

QUIET_AFTER = 80
"""… that this many lines follow without another one is a matter of starting up."""

CERTAIN = 9.5
"""A symptom this strong is not explained away by a start or a closing remark."""

CASCADE_SCORE = 5.0
"""A cause weaker than its presumed effect by more than this does not explain it."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A failure mode that the lines show, with the lines that show it."""

    playbook: Playbook
    score: float
    sightings: tuple[Sighting, ...]
    """Strongest first, then by line."""
    caused_by: str | None = None
    """The mode this one follows from."""

    @property
    def mode(self) -> str:
        """The mode's name."""
        return self.playbook.mode

    @property
    def evidence(self) -> tuple[Line, ...]:
        """The lines, strongest first, each once."""
        seen: dict[int, Line] = {}
        for sighting in self.sightings:
            seen.setdefault(sighting.line.number, sighting.line)
        return tuple(seen.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the lines show: causes in order, and what was seen but is over."""

    diagnoses: tuple[Diagnosis, ...]
    recovered: tuple[Diagnosis, ...]
    scan: Scan

    @property
    def is_incident(self) -> bool:
        """Whether something is wrong now."""
        return bool(self.diagnoses)


def diagnose(batch: LogBatch, library: Library, scanner: Scanner) -> Verdict:
    """Scan, weigh, set aside what recovered, order causes before their effects."""
    scan = scanner.scan(lines_of(batch))
    found = [
        diagnosis
        for book in library.playbooks
        if (diagnosis := _weigh(book, scan)) and book.mode not in scan.exclusions
    ]
    over = [diagnosis for diagnosis in found if _is_over(diagnosis, scan)]
    present = [diagnosis for diagnosis in found if diagnosis not in over]
    present.sort(key=lambda diagnosis: -diagnosis.score)
    return Verdict(_in_causal_order(present), tuple(over), scan)


def lines_of(batch: LogBatch) -> tuple[Line, ...]:
    """Every line a batch holds, in order, each once."""
    lines = {line.number: line for line in batch.excerpt}
    for pattern in batch.patterns:
        for line in pattern.samples:
            lines.setdefault(line.number, line)
    return tuple(lines[number] for number in sorted(lines))


def _weigh(book: Playbook, scan: Scan) -> Diagnosis | None:
    own = [sighting for sighting in scan.sightings if sighting.mode == book.mode]
    best: dict[str, float] = {}
    for sighting in own:
        key = sighting.symptom.group or sighting.symptom.see
        best[key] = max(best.get(key, 0), sighting.strength)
    if not best:
        return None
    ranked = sorted(best.values(), reverse=True)
    others = min(OTHER_SYMPTOMS_AT_MOST, OTHER_SYMPTOMS_SHARE * sum(ranked[1:]))
    plain = ranked[0] + others
    if plain < book.needs:
        return None
    score = plain + book.rank + min(1.0, log10(len(own)) / 2)
    own.sort(key=lambda sighting: (-sighting.strength, sighting.line.number))
    return Diagnosis(book, score, tuple(own))


def _is_over(diagnosis: Diagnosis, scan: Scan) -> bool:
    last = max(sighting.line.number for sighting in diagnosis.sightings)
    strongest = diagnosis.sightings[0].strength
    is_platform = diagnosis.playbook.error_type is ErrorType.KUBERNETES
    if any(mode == diagnosis.mode and number > last for mode, number in scan.recoveries):
        return True
    if any(not mode and number >= last for mode, number in scan.recoveries):
        return True
    if strongest >= CERTAIN or (is_platform and strongest >= LOUD):
        return False
    return bool(scan.resolved_lines) or _is_start_up_noise(last, scan)


def _is_start_up_noise(last: int, scan: Scan) -> bool:
    first = scan.lines[0].number
    return last - first < START_UP_LINES and scan.lines[-1].number - last > QUIET_AFTER


def _in_causal_order(ranked: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    scores = {diagnosis.mode: diagnosis.score for diagnosis in ranked}
    placed: list[Diagnosis] = []
    effects: list[Diagnosis] = []
    for diagnosis in ranked:
        cause = _cause_of(diagnosis, scores)
        if cause is None:
            placed.append(diagnosis)
        else:
            effects.append(_caused(diagnosis, cause))
    return tuple((placed + effects)[:MOST_MODES])


def _cause_of(diagnosis: Diagnosis, scores: dict[str, float]) -> str | None:
    causes = [
        mode
        for mode in diagnosis.playbook.follows
        if mode in scores and scores[mode] >= diagnosis.score - CASCADE_SCORE
    ]
    return max(causes, key=lambda mode: scores[mode]) if causes else None


def _caused(diagnosis: Diagnosis, cause: str) -> Diagnosis:
    return Diagnosis(diagnosis.playbook, diagnosis.score, diagnosis.sightings, cause)
