"""The selectors that the simulation compares: the product's own one, and what else one could do.

All but ours and the ceiling see the same decided records through the same ledger.
"""

from collections.abc import Callable, Sequence
from math import isnan
from random import Random
from typing import Protocol

from app.domain.answer import Entities
from app.domain.feedback import FeedbackRecord
from app.domain.guidance import Example, ExampleRole, Guidance
from app.domain.incident import Findings
from app.learning.case import Neighbour
from app.learning.cases import CaseIndex
from app.learning.judgement import Judgement, judgement_of
from app.learning.ledger import FeedbackLedger
from app.learning.selector import ExampleSelector
from app.learning.signature import signatures_of
from bench.learning_world import Incident, World

SHOWN = 3
GOOD = 0.5
EARLIER_THRESHOLD = 0.85


class Selector(Protocol):
    """Says what an engine gets to see."""

    async def guide(self, incident: Incident) -> Guidance: ...


class Nothing:
    """No examples."""

    async def guide(self, incident: Incident) -> Guidance:
        return Guidance()


class Ours:
    """The product's own code."""

    def __init__(self, ledger: FeedbackLedger) -> None:
        self._selector = ExampleSelector(ledger)

    async def guide(self, incident: Incident) -> Guidance:
        return await self._selector.guide(incident.analysis, Findings(), Entities())


class Decided:
    """Any three decided plans, or the earlier system's three: the highest rewards, newer ones first."""

    def __init__(self, ledger: FeedbackLedger, chance: Random | None) -> None:
        self._ledger, self._chance = ledger, chance
        self._known: dict[int, FeedbackRecord] = {}
        self._best: list[tuple[float, int]] = []
        ledger.watch(self)

    def update(self, number: int, record: FeedbackRecord) -> None:
        if record.is_example:
            self._known[number] = record
            if (record.reward or 0) >= EARLIER_THRESHOLD:
                best = {*self._best, (record.reward or 0.0, number)}
                self._best = sorted(best, reverse=True)[:SHOWN]

    def clear(self) -> None:
        self._known.clear()
        self._best.clear()

    async def guide(self, incident: Incident) -> Guidance:
        async with self._ledger.reading():
            numbers = [number for _, number in self._best]
            if self._chance:
                numbers = self._chance.sample([*self._known], min(SHOWN, len(self._known)))
            return _guidance(
                [
                    (judgement_of(one), one.reward or 0.0)
                    for one in map(self._known.get, numbers)
                    if one
                ]
            )


class Nearest:
    """The most similar decided plans, by similarity alone or times reward."""

    def __init__(self, ledger: FeedbackLedger, worth: Callable[[Neighbour], float]) -> None:
        self._ledger, self._worth = ledger, worth
        self._index = CaseIndex()
        ledger.watch(self._index)

    async def guide(self, incident: Incident) -> Guidance:
        (signature, *_) = signatures_of(incident.analysis, Findings(), Entities())
        async with self._ledger.reading():
            found = sorted(self._index.nearest(signature), key=self._worth, reverse=True)
        return _guidance([(one.case.judgement, one.case.reward) for one in found[:SHOWN]])


class Ceiling:
    """Knows what the team wants and shows it."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def guide(self, incident: Incident) -> Guidance:
        wanted = [
            action
            for remedy, action in incident.actions.items()
            if self._world.is_wanted(incident.situation, remedy)
        ]
        return Guidance((_example(ExampleRole.ACCEPTED, tuple(wanted), 1.0),))


def similarity(neighbour: Neighbour) -> float:
    """Of failure alone, as a search by text would rank."""
    return neighbour.anywhere


def similarity_and_reward(neighbour: Neighbour) -> float:
    """The usual way to prefer what people liked."""
    reward = neighbour.case.reward
    return neighbour.anywhere * (0.0 if isnan(reward) else reward)


SELECTORS: dict[str, Callable[[FeedbackLedger, World, Random], Selector]] = {
    "none": lambda ledger, world, chance: Nothing(),
    "random": lambda ledger, world, chance: Decided(ledger, chance),
    "earlier rule": lambda ledger, world, chance: Decided(ledger, None),
    "most similar": lambda ledger, world, chance: Nearest(ledger, similarity),
    "similarity x reward": lambda ledger, world, chance: Nearest(ledger, similarity_and_reward),
    "ours": lambda ledger, world, chance: Ours(ledger),
    "ceiling": lambda ledger, world, chance: Ceiling(world),
}


UNTAUGHT = {"none", "ceiling"}


def _guidance(found: Sequence[tuple[Judgement, float]]) -> Guidance:
    """Liked plans as accepted ones, the others as rejected ones."""
    return Guidance(
        tuple(
            _example(ExampleRole.ACCEPTED, judgement.accepted, reward)
            if reward >= GOOD
            else _example(ExampleRole.REJECTED, judgement.rejected, reward)
            for judgement, reward in found
        )
    )


def _example(role: ExampleRole, actions: tuple[str, ...], reward: float) -> Example:
    return Example(
        feedback_id="",
        role=role,
        reason="",
        similarity=0.0,
        reward=reward,
        issue="",
        actions=actions,
        commands=(),
        note="",
    )
