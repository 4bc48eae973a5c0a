"""What intake makes of a text: bounded, redacted, counted exactly."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.answer import Entities


class LineSeverity(StrEnum):
    """The worst level a line claims or its words give away."""

    CRITICAL = "CRITICAL"
    ERROR = "ERROR"
    WARNING = "WARNING"


@dataclass(frozen=True, slots=True)
class Line:
    """One redacted line of the input; `number` counts from 1."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """Error or warning records of one shape, with their exact count."""

    template: str
    """The shape: the first record's message with what varies masked as `<*>`."""
    severity: LineSeverity
    count: int
    timestamp: str
    """Of the first record, as it stands in the text; UNKNOWN when it has none."""
    service: str
    """Who logged it, as far as the record says; UNKNOWN_SERVICE when it does not."""
    message: str
    """The first record's message without timestamp, level and prefix; one line."""
    samples: tuple[Line, ...]
    """The first few records, at most 5; a record's first line."""
    trace: str | None
    """The first record's stack trace, folded to its head and last frames; None without one."""
    entities: Entities


@dataclass(frozen=True, slots=True)
class LogBatch:
    """A whole input as far as the reasoners see it."""

    total_lines: int
    total_bytes: int
    patterns: tuple[Pattern, ...]
    """Worst severity first, then by first line."""
    patterns_left_out: int
    excerpt: tuple[Line, ...]
    """The lines themselves, in order: all of them when the input is small, else the
    problem records with their neighbours and the head and tail of the input."""
    is_complete: bool
    """Whether the excerpt holds every line."""
    entities: Entities
    """The objects most of the input is about."""
    redactions: tuple[tuple[str, int], ...]
    """Kind of secret and how often it was replaced, by kind."""
