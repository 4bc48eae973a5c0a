"""Writing the feedback log anew: what a store asks of whoever decides what is kept."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.feedback import FeedbackEvent
from app.domain.ports import FeedbackStore


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line as it stands in the log, without its end."""

    raw: bytes
    event: FeedbackEvent | None
    """None where it does not parse."""


class Rewriting(Protocol):
    """Is shown every line twice, in their order; what is appended meanwhile comes last, once each."""

    def look(self, line: StoredLine) -> None:
        """The first time: nothing is written yet."""
        ...

    def news(self) -> Sequence[FeedbackEvent]:
        """What to write first, once everything was looked at."""
        ...

    def keep(self, line: StoredLine) -> bytes | None:
        """The second time: the line to write; None leaves it out."""
        ...


class RewritableStore(FeedbackStore, Protocol):
    """A store whose log can be written anew while others append to it."""

    async def rewrite(self, rewriting: Rewriting) -> None:
        """All or nothing: readers see the old or the new log. Raises StorageFailed."""
        ...

    def lines(self) -> AsyncIterator[StoredLine]:
        """Everything that is stored, early reports included."""
        ...

    async def mark(self, position: int) -> str:
        """A digest of what stands just before a position; another one in another log."""
        ...
