"""The decided plans as cases, and which of them are most like an incident."""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nlargest
from math import isnan, nan, sqrt

from app.domain.feedback import Environment, FeedbackRecord, Signature
from app.learning.directory import Directory
from app.learning.entries import microseconds
from app.learning.judgement import ACCEPTANCE, Judgement, Tally, judgement_of, reviewer_of
from app.learning.modes import likeness, named
from app.learning.tokens import TokenTable, decode, tokens_of_signature
from app.learning.trust import LikeCases, ReviewerTrust
from app.learning.words import words

NEAREST = 60
CANDIDATES = 120
QUERY_TOKENS = 24
SIMILARITY_FLOOR = 0.12
RELATIVE_FLOOR = 0.3
GROWTH = 1.25
"""The tokens' weights are computed anew when the number of cases has grown by this factor."""
LIKE = 0.5
LIKE_FACETS = 0.7
"""Another environment or statefulness is below; an unknown environment or another severity is not."""
QUARTER = 90 * 24 * 3600 * 1_000_000
"""In microseconds: reviewers are compared on what they decided within as much time."""
SHARED = 512
"""Incidents and judgements that are alike share their values with the last ones of their kind."""


@dataclass(frozen=True, slots=True)
class Case:
    """A decided plan, as far as the estimator needs it."""

    plan: int
    """Its number in the ledger."""
    facets: Signature
    """Without its tokens."""
    judgement: Judgement
    decided_at: int
    reward: float
    trust: float
    """How far its reviewer's word counts, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A case like the incident at hand."""

    case: Case
    anywhere: float
    """Similarity of the failures, 0 to 1."""
    here: float
    """The same, less where environment, kind or severity differ."""

    @property
    def is_like(self) -> bool:
        """Whether it is the same failure in the same circumstances, but for what hardly matters."""
        return self.anywhere >= LIKE and self.here >= LIKE_FACETS * self.anywhere


class CaseIndex:
    """Finds cases by their tokens, kept up to date record by record; a row of columns per case."""

    def __init__(self) -> None:
        """No cases yet."""
        self.clear()

    def __len__(self) -> int:
        """How many cases there are."""
        return self._count

    def clear(self) -> None:
        """Forget every case."""
        self._count = 0
        self._weighed_at = 0
        self._table = TokenTable()
        self._encode = lru_cache(SHARED)(self._table.encode)
        self._tallies: defaultdict[tuple[Environment, bool, str], defaultdict[int, Tally]]
        self._tallies = defaultdict(lambda: defaultdict(Tally))
        """By environment, statefulness and action, for each reviewer."""
        self._reviewers = Directory()
        self._trust = ReviewerTrust()
        self._slots = array("I")
        """By plan its case's slot, one higher than it is; 0 when it is no case."""
        self._plans = array("I")
        self._tokens: list[bytes] = []
        self._facets: list[Signature] = []
        self._judgements: list[Judgement | None] = []
        """None where a case was taken out."""
        self._reviewer_of = array("I")
        self._decided_at = array("q")
        self._rewards = array("d")
        self._norms = array("d")

    def update(self, plan: int, record: FeedbackRecord) -> None:
        """Take a record's newest state in; out again when it is no example any more."""
        slot = self._slot_of(plan)
        if slot is not None:
            self._count_words(slot, -1)
        if not record.is_example:
            self._drop(plan, slot)
            return
        tokens = self._encode(record.signature)
        if slot is None or self._tokens[slot] != tokens:
            self._drop(plan, slot)
            slot = self._add(plan, tokens)
        self._put(slot, record)
        self._count_words(slot, 1)

    def tolerance(self, environment: Environment, action: str) -> Tally:
        """What people said to an action in an environment, on whatever failure."""
        total = Tally()
        for has_state in (False, True):
            for tally in self._tallies.get((environment, has_state, action), {}).values():
                total.merge(tally)
        return total

    def trusted_tolerance(self, ours: Signature, action: str) -> tuple[float, float]:
        """For workloads as stateful as ours its weight of cases and their accepted part, by trust."""
        weight = credit = 0.0
        key = (ours.environment, is_stateful(ours), action)
        for reviewer, tally in self._tallies[key].items() if key in self._tallies else ():
            trust = self._trust.of(reviewer)
            weight += trust * tally.cases
            credit += trust * tally.credit
        return weight, credit

    def nearest(self, signature: Signature) -> list[Neighbour]:
        """The cases most like an incident; none below the floors."""
        alike = [*self._similar(tokens_of_signature(signature))]
        ours = named(signature, ((case.facets, similarity) for case, similarity in alike))
        if ours is not signature:
            alike = [*self._similar(tokens_of_signature(ours))]
        found = [
            Neighbour(case, like, like * facet_factor(ours, case.facets))
            for case, similarity in alike
            if (like := likeness(similarity, ours, case.facets)) >= SIMILARITY_FLOOR
        ]
        best = max((neighbour.here for neighbour in found), default=0.0)
        kept = [neighbour for neighbour in found if neighbour.here >= RELATIVE_FLOOR * best]
        return nlargest(NEAREST, kept, key=_nearness)

    def _similar(self, tokens: frozenset[str]) -> Iterator[tuple[Case, float]]:
        self._weigh()
        norm = sqrt(sum(self._table.square_of(token, self._count) for token in tokens)) or 1.0
        known = self._table.known(tokens)
        wanted = frozenset(known)
        for slot, _ in nlargest(CANDIDATES, self._overlaps(known).items(), key=_overlap):
            case = self._case(slot)
            if case is not None:
                common = (token for token in decode(self._tokens[slot]) if token in wanted)
                yield case, min(sum(map(self._square, common)) / (norm * self._norm(slot)), 1.0)

    def _overlaps(self, tokens: Iterable[int]) -> dict[int, float]:
        """By slot, a first guess of the similarity, from the tokens that tell most."""
        overlaps: defaultdict[int, float] = defaultdict(float)
        for token in nlargest(QUERY_TOKENS, tokens, self._square):
            square = self._square(token)
            for slot in self._table.newest(token):
                overlaps[slot] += square
        return overlaps

    def _weigh(self) -> None:
        if self._count >= self._weighed_at * GROWTH:
            self._table.weigh_anew()
            self._norms = array("d", [nan]) * len(self._norms)
            self._weighed_at = self._count

    def _square(self, token: int) -> float:
        return self._table.square(token, self._count)

    def _norm(self, slot: int) -> float:
        if isnan(self._norms[slot]):
            self._norms[slot] = sqrt(sum(map(self._square, decode(self._tokens[slot])))) or 1.0
        return self._norms[slot]

    def _case(self, slot: int) -> Case | None:
        judgement = self._judgements[slot]
        if judgement is None:
            return None
        return Case(
            plan=self._plans[slot],
            facets=self._facets[slot],
            judgement=judgement,
            decided_at=self._decided_at[slot],
            reward=self._rewards[slot],
            trust=self._trust.of(self._reviewer_of[slot]),
        )

    def _slot_of(self, plan: int) -> int | None:
        while len(self._slots) <= plan:
            self._slots.append(0)
        return self._slots[plan] - 1 if self._slots[plan] else None

    def _count_words(self, slot: int, times: int) -> None:
        judgement, facets = self._judgements[slot], self._facets[slot]
        reviewer = self._reviewer_of[slot]
        for evidence in judgement.evidence if judgement else ():
            said = self._tallies[facets.environment, is_stateful(facets), evidence.action]
            said[reviewer].add(evidence, times)
            self._trust.count(
                LikeCases(
                    facets.failure_mode,
                    facets.environment,
                    is_stateful(facets),
                    evidence.action,
                    self._decided_at[slot] // QUARTER,
                ),
                reviewer,
                is_approval=evidence.credit >= ACCEPTANCE,
                times=times,
            )

    def _add(self, plan: int, tokens: bytes) -> int:
        slot = len(self._plans)
        self._slots[plan] = slot + 1
        self._count += 1
        self._plans.append(plan)
        self._tokens.append(tokens)
        self._facets.append(Signature())
        self._judgements.append(None)
        self._reviewer_of.append(0)
        self._decided_at.append(0)
        self._rewards.append(nan)
        self._norms.append(nan)
        self._table.add(slot, tokens)
        return slot

    def _put(self, slot: int, record: FeedbackRecord) -> None:
        self._facets[slot] = _shared_facets(replace(record.signature, tokens=()))
        self._judgements[slot] = _shared_judgement(judgement_of(record))
        self._reviewer_of[slot] = self._reviewers.number(reviewer_of(record))
        self._decided_at[slot] = microseconds(record.decided_at)
        self._rewards[slot] = nan if record.reward is None else record.reward

    def _drop(self, plan: int, slot: int | None) -> None:
        if slot is None:
            return
        self._table.remove(slot, self._tokens[slot])
        self._slots[plan] = 0
        self._count -= 1
        self._judgements[slot] = None
        self._tokens[slot] = b""


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


@lru_cache(SHARED)
def _shared_facets(facets: Signature) -> Signature:
    return facets


@lru_cache(SHARED)
def _shared_judgement(judgement: Judgement) -> Judgement:
    return judgement


def _overlap(pair: tuple[int, float]) -> tuple[float, int]:
    """Of cases that are equally alike the newer ones: people change their minds."""
    slot, overlap = pair
    return overlap, slot


def _nearness(neighbour: Neighbour) -> tuple[float, int]:
    """Of like cases the newest first, so that the last word on such an incident is among them."""
    return 1.0 if neighbour.is_like else neighbour.here, neighbour.case.decided_at
