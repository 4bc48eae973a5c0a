"""Everything that can be sent of one workflow: the ring, and the log behind it."""

from collections.abc import Sequence

from app.api.streams.entries import Entry
from app.api.streams.history import History
from app.api.streams.ring import Ring


class Backlog:
    """What readers read; it ends where the stream does so far."""

    def __init__(self, history: History) -> None:
        """Nothing is known yet."""
        self.last = 0
        self.final = 0
        """The last one of a workflow that came to its outcome, or to an undo after that."""
        self._ring = Ring()
        self._history = history

    def add(self, entries: Sequence[Entry]) -> None:
        """What follows `last`."""
        self._ring.extend(entries)
        self.last = entries[-1].seq

    def newest_after(self, seq: int) -> Sequence[Entry]:
        """The next entries as far as they are in memory; empty when the next is not."""
        return self._ring.after(seq)

    async def after(self, seq: int) -> Sequence[Entry]:
        """The next entries; empty at the end. Raises StorageFailed."""
        if seq >= self.last:
            return ()
        found = self._ring.after(seq) or await self._history.after(seq)
        # The log may be ahead of what it has told here.
        return [entry for entry in found if entry.seq <= self.last]

    def forget_history(self) -> None:
        """Nobody is behind any more."""
        self._history.forget()
