"""What agents ask a reasoner."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

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


Progress = Callable[[str], Awaitable[None]]
"""Tells the user, in one line, what a reasoner is at."""
