"""A reasoner whose answers and failures are counted."""

import time
from dataclasses import dataclass
from typing import TypeVar

from app.domain.answer import Answer
from app.domain.errors import ReasonerFailed
from app.domain.ports import Reasoner
from app.domain.questions import Question, Teller
from app.observability.metrics import Metrics

A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True)
class MeasuredReasoner:
    """Reasoner around a reasoner."""

    reasoner: Reasoner
    metrics: Metrics

    @property
    def name(self) -> str:
        """The inner reasoner's name."""
        return self.reasoner.name

    async def ask(self, question: Question[A], teller: Teller) -> A:
        """Ask, and note how long it took or why it failed."""
        begun = time.perf_counter()
        try:
            answer = await self.reasoner.ask(question, teller)
        except ReasonerFailed as error:
            self.metrics.reasoner_failed(type(error).__name__)
            raise
        self.metrics.agent_answered(question.agent, self.name, time.perf_counter() - begun)
        return answer

    async def trouble(self) -> str | None:
        """Why the last answer failed."""
        return await self.reasoner.trouble()
