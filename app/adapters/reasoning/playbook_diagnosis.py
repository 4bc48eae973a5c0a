"""From symptoms to ranked failure modes: what is the cause, what follows from it, what is over."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log10

from app.adapters.reasoning.playbook_model import Library, Playbook
from app.adapters.reasoning.playbook_recovery import has_recovered
from app.adapters.reasoning.playbook_scan import LOUD, Scan, Scanner, Sighting
from app.adapters.reasoning.playbook_sections import Sections
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

PROVEN = 8.0
"""A second cause of its own has at least one symptom this strong."""

SUGGESTED = 4.0
"""A known effect or cause of what stands needs less."""

TELLING_LINES = 40
"""Lines of evidence that are asked which pod they are about."""

CAUSING = 5.0
"""A mere hint, however often it is seen, is nobody's cause."""

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
    sections: Sections

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
    explained = _claims(over)
    present = [
        diagnosis
        for diagnosis in found
        if diagnosis not in over and _own_strength(diagnosis, explained) > 0
    ]
    present.sort(key=lambda diagnosis: -diagnosis.score)
    sections = Sections(scan.lines)
    return Verdict(_in_causal_order(_carried(present)), tuple(over), scan, sections)


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


def _carried(ranked: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    """Without modes that live on lines which a stronger one explains better.

    A line proves one thing. The first mode stands; a later one needs a line of its own, and a
    symptom that proves rather than suggests, unless it is a known effect or cause of one that
    stands.
    """
    kept: list[Diagnosis] = []
    for diagnosis in ranked:
        strongest = _own_strength(diagnosis, _claims(kept))
        if not kept or strongest >= (SUGGESTED if _is_related(diagnosis, kept) else PROVEN):
            kept.append(diagnosis)
    return tuple(kept)


def _claims(diagnoses: Iterable[Diagnosis]) -> dict[int, float]:
    """By line, how strongly the best of these explains it."""
    claims: dict[int, float] = {}
    for diagnosis in diagnoses:
        for sighting in diagnosis.sightings:
            number = sighting.line.number
            claims[number] = max(claims.get(number, 0), sighting.strength)
    return claims


def _own_strength(diagnosis: Diagnosis, claims: Mapping[int, float]) -> float:
    """The strongest symptom on a line that nothing else explains better; 0 without one."""
    own = (s.strength for s in diagnosis.sightings if s.strength >= claims.get(s.line.number, 0))
    return max(own, default=0.0)


def _is_related(diagnosis: Diagnosis, others: Sequence[Diagnosis]) -> bool:
    return any(
        other.mode in diagnosis.playbook.follows or diagnosis.mode in other.playbook.follows
        for other in others
    )


def _is_over(diagnosis: Diagnosis, scan: Scan) -> bool:
    last = max(sighting.line.number for sighting in diagnosis.sightings)
    if _is_ready_again(diagnosis, last, scan):
        return True
    if _is_left_bad(diagnosis, scan):
        return False
    return has_recovered(diagnosis.mode, diagnosis.sightings, scan) or (
        not scan.states.is_bad and _is_declared_over(diagnosis, last, scan)
    )


def _is_declared_over(diagnosis: Diagnosis, last: int, scan: Scan) -> bool:
    """What is said about the whole input: believed where no pod is left in a bad state."""
    strongest = diagnosis.sightings[0].strength
    is_platform = diagnosis.playbook.error_type is ErrorType.KUBERNETES
    if strongest >= CERTAIN:
        return False
    if any(not mode and number >= last for mode, number in scan.recoveries):
        return True
    if is_platform and strongest >= LOUD:
        return False
    return bool(scan.resolved_lines) or _is_start_up_noise(last, scan)


def _is_ready_again(diagnosis: Diagnosis, last: int, scan: Scan) -> bool:
    """The pod the evidence is about was seen ready later; without a name, all pods were."""
    end = diagnosis.playbook.ends_when
    if not end:
        return False
    evidence = diagnosis.evidence[:TELLING_LINES]
    known = {*scan.states.last, *scan.states.stopped} - {""}
    pods = {pod for pod in known if any(pod in line.text for line in evidence)}
    seen = pods or set(scan.states.last)
    is_steady = end == "steady"
    return bool(seen) and all(
        scan.states.is_well_after(pod, last, is_steady=is_steady) for pod in seen
    )


def _is_left_bad(diagnosis: Diagnosis, scan: Scan) -> bool:
    """Whether the evidence itself is the last word on a pod, and a bad one."""
    bad = {state.number for state in scan.states.last.values() if not state.is_well}
    return any(line.number in bad for line in diagnosis.evidence)


def _is_start_up_noise(last: int, scan: Scan) -> bool:
    first = scan.lines[0].number
    return last - first < START_UP_LINES and scan.lines[-1].number - last > QUIET_AFTER


def _in_causal_order(ranked: Sequence[Diagnosis]) -> tuple[Diagnosis, ...]:
    scores = {
        diagnosis.mode: diagnosis.score
        for diagnosis in ranked
        if diagnosis.sightings[0].strength >= CAUSING
    }
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
