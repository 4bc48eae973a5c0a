"""Evaluates the ledger's columns in a thread, once for each state of the ledger."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.learning.evaluation import Evaluation, ExampleUse, evaluate
from app.learning.ledger import FeedbackLedger, Reading

LONG_SECONDS = 0.5
REST = 10.0
"""An evaluation that took long is not repeated for ten times as long: a tenth of a core at most."""


@dataclass(frozen=True, slots=True)
class UsedExample:
    """An earlier plan that later ones were shown, by its name."""

    feedback_id: str
    issue: str
    use: ExampleUse


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What is counted over all plans, with the names of the examples."""

    evaluation: Evaluation
    examples: tuple[UsedExample, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """The last evaluation."""

    revision: int
    """Of the ledger, when it began."""
    fresh_until: float
    """On the clock: it is good enough till then, whatever has changed."""
    evaluated: Evaluated


class Evaluator:
    """Answers from memory while nothing has changed, or while looking again would cost too much."""

    def __init__(
        self, ledger: FeedbackLedger, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is read yet."""
        self._ledger = ledger
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._known: _Known | None = None

    async def evaluated(self) -> Evaluated:
        """As of now or shortly before; whoever asks meanwhile waits for it and shares it."""
        async with self._turn:
            if self._known is None or self._known.fresh_until <= self._monotonic():
                self._known = await self._look(self._known)
            return self._known.evaluated

    async def _look(self, known: _Known | None) -> _Known:
        async with self._ledger.reading() as turn:
            revision = turn.revision
            if known is not None and known.revision == revision:
                return known
            columns = turn.entries.copy()
        began = self._monotonic()
        # On a copy: the ledger goes on meanwhile, and so does the event loop.
        evaluation = await asyncio.to_thread(evaluate, columns)
        async with self._ledger.reading() as turn:
            evaluated = Evaluated(evaluation, await _named(turn, evaluation.examples))
        ended = self._monotonic()
        took = ended - began
        rest = REST * took if took > LONG_SECONDS else 0.0
        return _Known(revision, ended + rest, evaluated)


async def _named(turn: Reading, uses: tuple[ExampleUse, ...]) -> tuple[UsedExample, ...]:
    """The examples with their plans' names; those that are in the store."""
    plans = {plan: use for use in uses if (plan := turn.plan_of_hash(use.example)) is not None}
    named = []
    for plan, use in plans.items():
        for record in await turn.records([plan]):
            named.append(UsedExample(record.feedback_id, record.issue, use))
    return tuple(named)
