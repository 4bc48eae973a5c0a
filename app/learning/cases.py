"""The decided plans as cases, and which of them are most like an incident."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from heapq import nlargest
from math import fsum, isnan, nan, sqrt
from operator import itemgetter

from pydantic import TypeAdapter

from app.domain.feedback import Environment, FeedbackRecord, Signature
from app.domain.snapshots import Part, Parts
from app.learning.case import Case, Neighbour, nearness
from app.learning.directory import Directory, Hashes
from app.learning.entries import microseconds
from app.learning.facets import facet_factor, is_stateful
from app.learning.judgement import ACCEPTANCE, Judgement, Tally, judgement_of, reviewer_of
from app.learning.kinds import Kinds
from app.learning.modes import UNNAMED, likeness, recognize
from app.learning.parts import columns_of, named, of, put_columns
from app.learning.token_sets import TokenSets, decode
from app.learning.tokens import TokenTable, square_of_new, tokens_of_signature
from app.learning.trust import LikeCases, ReviewerTrust

NEAREST = 60
CANDIDATES = 120
VOTERS = 30
"""So many cases in the same words tell what an unnamed failure is called."""
QUERY_TOKENS = 12
SIMILARITY_FLOOR = 0.12
RELATIVE_FLOOR = 0.3
GROWTH = 1.25
"""The tokens' weights are computed anew when the number of cases has grown by this factor."""
QUARTER = 90 * 24 * 3600 * 1_000_000
"""In microseconds: reviewers are compared on what they decided within as much time."""
SHARED = 512
"""So many of the last incidents' tokens are not looked up again."""
GONE = 0
"""The judgement of a case that was taken out."""
_FACETS = TypeAdapter(list[Signature])
_JUDGEMENTS = TypeAdapter(list[Judgement])


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
        self._hashes = Hashes()
        self._table = TokenTable(self._hashes)
        self._encode = lru_cache(SHARED)(self._table.encode)
        self._tallies: defaultdict[tuple[Environment, bool, str], defaultdict[int, Tally]]
        self._tallies = defaultdict(lambda: defaultdict(Tally))
        """By environment, statefulness and action, for each reviewer."""
        self._reviewers = Directory(self._hashes)
        self._trust = ReviewerTrust()
        self._slots = array("I")
        """By plan its case's slot, one higher than it is; 0 when it is no case."""
        self._plans = array("I")
        self._tokens = TokenSets()
        self._facets = array("I")
        self._facet_kinds = Kinds(_FACETS)
        """Incidents and judgements that are alike are kept once."""
        self._judgements = array("I")
        """One higher than their numbers are, and GONE."""
        self._judgement_kinds = Kinds(_JUDGEMENTS)
        self._reviewer_of = array("I")
        self._decided_at = array("q")
        self._rewards = array("f")
        self._norms = array("f")

    def update(self, plan: int, record: FeedbackRecord) -> None:
        """Take a record's newest state in; out again when it is no example any more."""
        slot = self._slot_of(plan)
        if slot is not None:
            self._count_words(*self._words_of(slot), -1)
        if not record.is_example:
            self._drop(plan, slot)
            return
        tokens = self._encode(record.signature)
        if slot is None or self._tokens.of(slot) != tokens:
            self._drop(plan, slot)
            slot = self._add(plan, tokens)
        self._put(slot, record)
        self._count_words(*self._words_of(slot), 1)

    def parts(self) -> Parts:
        """Every case; how people's words add up follows from them."""
        return (
            {name: column for name, column in columns_of(self).items() if name != "_norms"}
            | {"key": bytearray(self._hashes.key)}
            | named("table", self._table.parts())
            | named("tokens", self._tokens.parts())
            | named("reviewers", self._reviewers.parts())
            | named("facets", self._facet_kinds.parts())
            | named("judgements", self._judgement_kinds.parts())
        )

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Have the cases of another one."""
        self.clear()
        self._hashes.key = bytes(parts["key"])
        put_columns(self, {"_norms": array("f", [nan]) * len(parts["_plans"]), **parts})
        self._table.restore(of("table", parts))
        self._tokens.restore(of("tokens", parts))
        self._reviewers.restore(of("reviewers", parts))
        self._facet_kinds.restore(of("facets", parts))
        self._judgement_kinds.restore(of("judgements", parts))
        quarters = (at // QUARTER for at in self._decided_at)
        words = Counter(
            zip(self._judgements, self._facets, self._reviewer_of, quarters, strict=True)
        )
        for said, times in words.items():
            if said[0] != GONE:
                self._count += times
                self._count_words(*said, times)

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
        ours = self._recognized(signature)
        factors: dict[int, float] = {}
        found = []
        for slot, similarity in self._similar(ours, CANDIDATES):
            kind = self._facets[slot]
            anywhere = likeness(similarity, ours, self._facet_kinds[kind])
            if anywhere < SIMILARITY_FLOOR:
                continue
            if kind not in factors:
                factors[kind] = facet_factor(ours, self._facet_kinds[kind])
            here = anywhere * factors[kind]
            rank = nearness(anywhere, here, self._decided_at[slot])
            found.append((rank, slot, anywhere, here))
        least = RELATIVE_FLOOR * max((here for _, _, _, here in found), default=0.0)
        kept = (one for one in found if one[-1] >= least)
        return [
            Neighbour(self._case(slot), *like)
            for _, slot, *like in nlargest(NEAREST, kept, key=itemgetter(0))
        ]

    def _recognized(self, signature: Signature) -> Signature:
        if signature.failure_mode not in UNNAMED:
            return signature
        alike = self._similar(signature, VOTERS)
        return recognize(signature, ((self._facets_of(slot), like) for slot, like in alike))

    def _similar(self, signature: Signature, most: int) -> Iterator[tuple[int, float]]:
        """The slots whose texts are most alike, with their similarity."""
        tokens = tokens_of_signature(signature)
        self._weigh()
        known = self._table.known(tokens)
        squares = {token: self._square(token) for token in known.values()}
        # These sums are the same in whatever order a set gives its tokens.
        norm = sqrt(
            fsum(
                squares[known[name]] if name in known else square_of_new(name, self._count)
                for name in tokens
            )
        )
        ours = frozenset(squares)
        for slot in _most(self._overlaps(squares), most):
            if self._judgements[slot] != GONE:
                common = ours.intersection(decode(self._tokens.of(slot)))
                overlap = fsum(map(squares.__getitem__, common))
                yield slot, min(overlap / ((norm or 1.0) * self._norm(slot)), 1.0)

    def _overlaps(self, squares: Mapping[int, float]) -> dict[int, float]:
        """By slot, a first guess of the similarity, from the tokens that tell most."""
        overlaps: defaultdict[int, float] = defaultdict(float)
        for token in nlargest(QUERY_TOKENS, squares, squares.__getitem__):
            square = squares[token]
            for slot in self._table.newest(token):
                overlaps[slot] += square
        return overlaps

    def _weigh(self) -> None:
        if self._count >= self._weighed_at * GROWTH:
            self._table.weigh_anew()
            self._norms = array("f", [nan]) * len(self._norms)
            self._weighed_at = self._count

    def _square(self, token: int) -> float:
        return self._table.square(token, self._count)

    def _norm(self, slot: int) -> float:
        if isnan(self._norms[slot]):
            self._norms[slot] = sqrt(fsum(map(self._square, decode(self._tokens.of(slot))))) or 1.0
        return self._norms[slot]

    def _facets_of(self, slot: int) -> Signature:
        return self._facet_kinds[self._facets[slot]]

    def _case(self, slot: int) -> Case:
        return Case(
            plan=self._plans[slot],
            facets=self._facets_of(slot),
            judgement=self._judgement_kinds[self._judgements[slot] - 1],
            decided_at=self._decided_at[slot],
            reward=self._rewards[slot],
            trust=self._trust.of(self._reviewer_of[slot]),
        )

    def _slot_of(self, plan: int) -> int | None:
        while len(self._slots) <= plan:
            self._slots.append(0)
        return self._slots[plan] - 1 if self._slots[plan] else None

    def _words_of(self, slot: int) -> tuple[int, int, int, int]:
        quarter = self._decided_at[slot] // QUARTER
        return self._judgements[slot], self._facets[slot], self._reviewer_of[slot], quarter

    def _count_words(
        self, judgement: int, facet: int, reviewer: int, quarter: int, times: int
    ) -> None:
        facets = self._facet_kinds[facet]
        for evidence in self._judgement_kinds[judgement - 1].evidence:
            said = self._tallies[facets.environment, is_stateful(facets), evidence.action]
            said[reviewer].add(evidence, times)
            self._trust.count(
                LikeCases(
                    facets.failure_mode,
                    facets.environment,
                    is_stateful(facets),
                    evidence.action,
                    quarter,
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
        self._facets.append(0)
        self._judgements.append(GONE)
        self._reviewer_of.append(0)
        self._decided_at.append(0)
        self._rewards.append(nan)
        self._norms.append(nan)
        self._table.add(slot, tokens)
        return slot

    def _put(self, slot: int, record: FeedbackRecord) -> None:
        facets = replace(record.signature, tokens=())
        self._facets[slot] = self._facet_kinds.number(facets)
        self._judgements[slot] = 1 + self._judgement_kinds.number(judgement_of(record))
        self._reviewer_of[slot] = self._reviewers.number(reviewer_of(record))
        self._decided_at[slot] = microseconds(record.decided_at)
        self._rewards[slot] = nan if record.reward is None else record.reward

    def _drop(self, plan: int, slot: int | None) -> None:
        if slot is None:
            return
        self._table.remove(slot, self._tokens.of(slot))
        self._slots[plan] = 0
        self._count -= 1
        self._judgements[slot] = GONE


def _most(overlaps: Mapping[int, float], most: int) -> list[int]:
    """The slots that overlap most; of those that do equally the newer: people change their minds."""
    # Sorting bare numbers first is several times faster than keeping the largest pairs.
    least = min(sorted(overlaps.values())[-most:], default=0.0)
    pairs = sorted((overlap, slot) for slot, overlap in overlaps.items() if overlap >= least)
    return [slot for _, slot in reversed(pairs[-most:])]
