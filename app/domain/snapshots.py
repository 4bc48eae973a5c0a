"""What a process knows of the feedback, kept beside it: the next start reads the rest of the log alone."""

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

Part: TypeAlias = "array[Any] | bytearray"
"""A column; JSON stands in a bytearray."""
Parts: TypeAlias = "dict[str, Part]"


@dataclass(frozen=True, slots=True)
class FeedbackSnapshot:
    """Everything that follows from a feedback log up to a position."""

    position: int
    parts: Mapping[str, Part]


class FeedbackSnapshots(Protocol):
    """Keeps the last snapshot; losing it costs a reading of the whole log, and nothing else."""

    async def load(self) -> FeedbackSnapshot | None:
        """The last one, if it was made by this version from the log that is there now."""
        ...

    async def save(self, snapshot: FeedbackSnapshot) -> None:
        """Put it in the last one's place; what cannot be written is left out."""
        ...
