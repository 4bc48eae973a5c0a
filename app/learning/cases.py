"""The decided plans as cases, and which of them are most like an incident."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from math import log, sqrt

from app.domain.feedback import Environment, FeedbackRecord, Signature
from app.domain.ids import FeedbackId
from app.learning.words import words

NEAREST = 60
CANDIDATES = 120
QUERY_TOKENS = 24
POSTINGS = 2000
"""Of a token that many cases share, only the newest are looked at."""
SIMILARITY_FLOOR = 0.12
RELATIVE_FLOOR = 0.3
MODE_WEIGHT = 2.0
PAIR_WEIGHT = 0.5
"""Pairs are rare, so their rarity alone would drown the words."""
GROWTH = 1.25
"""The tokens' weights are computed anew when the number of cases has grown by this factor."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What people said to one action in one case."""

    credit: float
    """Mean over its commands."""
    approved: int
    rejected: int


@dataclass(slots=True)
class Tally:
    """Evidence on one action, added up."""

    cases: int = 0
    credit: float = 0.0
    approved: int = 0
    rejected: int = 0

    def add(self, evidence: Evidence, times: int) -> None:
        """Count it; with -1, take it back."""
        self.cases += times
        self.credit += times * evidence.credit
        self.approved += times * evidence.approved
        self.rejected += times * evidence.rejected


@dataclass(frozen=True, slots=True)
class Case:
    """A decided plan, as far as the estimator needs it."""

    record: FeedbackRecord
    tokens: frozenset[str]
    evidence: Mapping[str, Evidence]
    """By action; changing commands only."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A case like the incident at hand."""

    case: Case
    anywhere: float
    """Similarity of the failures, 0 to 1."""
    here: float
    """The same, less where environment, kind or severity differ."""


class CaseIndex:
    """An inverted index over the cases' tokens, kept up to date record by record."""

    def __init__(self) -> None:
        """No cases yet."""
        self._cases: list[Case | None] = []
        self._slots: dict[FeedbackId, int] = {}
        self._postings: defaultdict[str, list[int]] = defaultdict(list)
        self._tallies: defaultdict[tuple[Environment, str], Tally] = defaultdict(Tally)
        self._squares: dict[str, float] = {}
        self._norms: dict[int, float] = {}
        self._weighed_at = 0

    def __len__(self) -> int:
        """How many cases there are."""
        return len(self._slots)

    def update(self, record: FeedbackRecord) -> None:
        """Take a record's newest state in; out again when it is no example any more."""
        slot = self._slots.get(record.feedback_id)
        known = self._cases[slot] if slot is not None else None
        if known is not None:
            self._count(known, -1)
        if record.is_example:
            case = to_case(record)
            self._count(case, 1)
            if slot is not None and known is not None and known.tokens == case.tokens:
                self._cases[slot] = case
                return
            self._add(case)
        if slot is not None and known is not None:
            self._drop(slot, known)

    def tolerance(self, environment: Environment, action: str) -> Tally:
        """What people said to an action in an environment, on whatever failure."""
        return self._tallies.get((environment, action), Tally())

    def nearest(self, signature: Signature) -> list[Neighbour]:
        """The cases most like an incident, best first; none below the floors."""
        tokens = tokens_of_signature(signature)
        found = [
            Neighbour(case, similarity, similarity * facet_factor(signature, case.record.signature))
            for case, similarity in self._similar(tokens)
            if similarity >= SIMILARITY_FLOOR
        ]
        best = max((neighbour.here for neighbour in found), default=0.0)
        kept = [neighbour for neighbour in found if neighbour.here >= RELATIVE_FLOOR * best]
        return nlargest(NEAREST, kept, key=lambda neighbour: neighbour.here)

    def _similar(self, tokens: frozenset[str]) -> Iterator[tuple[Case, float]]:
        self._weigh()
        norm = self._norm_of(tokens)
        for slot, _ in nlargest(CANDIDATES, self._overlaps(tokens).items(), key=_second):
            case = self._cases[slot]
            if case is not None:
                shared = sum(map(self._square, case.tokens & tokens))
                yield case, min(shared / (norm * self._norm(slot, case)), 1.0)

    def _overlaps(self, tokens: frozenset[str]) -> dict[int, float]:
        """By slot, a first guess of the similarity, from the tokens that tell most."""
        overlaps: defaultdict[int, float] = defaultdict(float)
        for token in nlargest(QUERY_TOKENS, sorted(tokens & self._postings.keys()), self._square):
            square = self._square(token)
            for slot in self._postings[token][-POSTINGS:]:
                overlaps[slot] += square
        return overlaps

    def _weigh(self) -> None:
        if len(self._slots) >= self._weighed_at * GROWTH:
            self._squares.clear()
            self._norms.clear()
            self._weighed_at = len(self._slots)

    def _square(self, token: str) -> float:
        """The squared weight of a token: rare ones tell more, the failure mode most."""
        square = self._squares.get(token)
        if square is None:
            rarity = log(1 + len(self._slots) / max(len(self._postings.get(token, ())), 1))
            square = self._squares[token] = (rarity * _emphasis(token)) ** 2
        return square

    def _norm(self, slot: int, case: Case) -> float:
        norm = self._norms.get(slot)
        if norm is None:
            norm = self._norms[slot] = self._norm_of(case.tokens)
        return norm

    def _norm_of(self, tokens: frozenset[str]) -> float:
        return sqrt(sum(map(self._square, tokens))) or 1.0

    def _count(self, case: Case, times: int) -> None:
        for action, evidence in case.evidence.items():
            self._tallies[case.record.signature.environment, action].add(evidence, times)

    def _add(self, case: Case) -> None:
        slot = self._slots[case.record.feedback_id] = len(self._cases)
        self._cases.append(case)
        for token in case.tokens:
            self._postings[token].append(slot)

    def _drop(self, slot: int, case: Case) -> None:
        self._cases[slot] = None
        self._norms.pop(slot, None)
        for token in case.tokens:
            self._postings[token].remove(slot)
        if self._slots[case.record.feedback_id] == slot:
            del self._slots[case.record.feedback_id]


def to_case(record: FeedbackRecord) -> Case:
    """A record as a case."""
    by_action: defaultdict[str, list[float]] = defaultdict(list)
    for credit in record.credits:
        if credit.command.is_change:
            by_action[credit.command.action].append(credit.credit)
    evidence = {
        action: Evidence(
            credit=sum(credits_) / len(credits_),
            approved=sum(credit >= 0.5 for credit in credits_),
            rejected=sum(credit < 0.5 for credit in credits_),
        )
        for action, credits_ in by_action.items()
    }
    return Case(record, tokens_of_signature(record.signature), evidence)


def tokens_of_signature(signature: Signature) -> frozenset[str]:
    """Its tokens, and the failure mode as one that weighs more."""
    mode = signature.failure_mode
    named = {f"mode:{mode}"} if mode and mode != "unknown" else set()
    return frozenset(signature.tokens) | named


def facet_factor(one: Signature, other: Signature) -> float:
    """How far a decision carries over where the circumstances differ."""
    factor = 1.0
    if one.environment is not other.environment:
        is_unknown = Environment.UNKNOWN in {one.environment, other.environment}
        factor *= 0.8 if is_unknown else 0.45
    if is_stateful(one) is not is_stateful(other):
        factor *= 0.6
    elif one.kind and other.kind and one.kind != other.kind:
        factor *= 0.85
    if one.has_recent_change is not other.has_recent_change:
        factor *= 0.9
    return factor * (1.0 if one.severity == other.severity else 0.95)


def is_stateful(signature: Signature) -> bool:
    """Whether the workload keeps data."""
    return signature.kind in words().stateful


def _emphasis(token: str) -> float:
    if token.startswith("mode:"):
        return MODE_WEIGHT
    return PAIR_WEIGHT if " " in token else 1.0


def _second(pair: tuple[int, float]) -> float:
    return pair[1]
