"""What agents ask a reasoner, and what it tells on the way to its answer."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from app.domain.answer import AgentName, Answer
from app.domain.guidance import Guidance
from app.domain.incident import Analysis, Findings
from app.domain.logbatch import LogBatch

A = TypeVar("A", bound=Answer)


@dataclass(frozen=True, slots=True)
class MonitoringFacts:
    """For: what went wrong in this text?"""

    batch: LogBatch


@dataclass(frozen=True, slots=True)
class AnalysisFacts:
    """For: why did it go wrong?"""

    batch: LogBatch
    findings: Findings


@dataclass(frozen=True, slots=True)
class RemediationFacts:
    """For: what should be done about it?"""

    batch: LogBatch
    analysis: Analysis
    guidance: Guidance


@dataclass(frozen=True, slots=True)
class RepairFacts:
    """For: how else could these refused commands be said? Pairs of command and reason."""

    batch: LogBatch
    refused: tuple[tuple[str, str], ...]


Facts = MonitoringFacts | AnalysisFacts | RemediationFacts | RepairFacts


@dataclass(frozen=True, slots=True)
class Question(Generic[A]):
    """A typed question: hosted models render the prompt, the playbook engine reads the facts."""

    agent: AgentName
    facts: Facts
    answer_type: type[A]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one answer, or the failure to give one, cost at its provider, every attempt included."""

    model: str
    input_tokens: int
    output_tokens: int
    """Written by the model, its thoughts included."""
    thought_tokens: int
    total_tokens: int
    attempts: int
    seconds: float


class Teller(Protocol):
    """Takes what a reasoner tells its users; one that knows no tokens and no costs tells none."""

    async def progress(self, text: str) -> None:
        """In one line, what it is at."""
        ...

    async def token(self, text: str) -> None:
        """A piece of the answer as the model writes it, before anything of it is checked.

        A line of progress ends the attempt that the pieces before it belong to.
        """
        ...

    async def usage(self, usage: Usage) -> None:
        """What a question cost."""
        ...
