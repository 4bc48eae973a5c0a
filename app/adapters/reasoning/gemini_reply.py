"""Gemini's reply as it comes in, piece by piece, and the course of the question behind it."""

import time
from dataclasses import dataclass, field
from enum import Enum, auto

from app.domain.questions import Usage


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider counted."""

    read: int = 0
    written: int = 0
    """Thoughts included."""
    thought: int = 0
    total: int = 0

    def __add__(self, other: "Tokens") -> "Tokens":
        """Both together."""
        return Tokens(
            self.read + other.read,
            self.written + other.written,
            self.thought + other.thought,
            self.total + other.total,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a reply as it comes in."""

    text: str
    finish_reason: str | None
    block_reason: str | None
    tokens: Tokens
    """Counted since the piece before."""


@dataclass(slots=True)
class Reply:
    """What has come back, before anything is believed."""

    text: str = ""
    finish_reason: str | None = None
    block_reason: str | None = None
    tokens: Tokens = field(default_factory=Tokens)

    def add(self, piece: Piece) -> None:
        """One part more; what an earlier one said of the end stays said."""
        self.text += piece.text
        self.finish_reason = piece.finish_reason or self.finish_reason
        self.block_reason = piece.block_reason or self.block_reason
        self.tokens += piece.tokens


class Delivery(Enum):
    """How an answer is sent."""

    STREAMED = auto()
    WHOLE = auto()


@dataclass(slots=True)
class Course:
    """How one question is going: what it has cost so far, and how it is to be asked next."""

    attempts: int = 0
    tokens: Tokens = field(default_factory=Tokens)
    begun: float = field(default_factory=time.monotonic)
    delivery: Delivery = Delivery.STREAMED

    @property
    def is_counted(self) -> bool:
        """Whether the provider named any cost."""
        return self.tokens != Tokens()

    def usage(self, model: str) -> Usage:
        """As users are told."""
        return Usage(
            model=model,
            input_tokens=self.tokens.read,
            output_tokens=self.tokens.written,
            thought_tokens=self.tokens.thought,
            total_tokens=self.tokens.total,
            attempts=self.attempts,
            seconds=round(time.monotonic() - self.begun, 3),
        )
