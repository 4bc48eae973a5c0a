"""The newest events of one workflow, in memory."""

from collections import deque
from collections.abc import Iterable, Sequence

from app.api.streams.entries import Entry

RING_ENTRIES = 1024
RING_BYTES = 4 * 1024 * 1024
AT_ONCE = 256


class Ring:
    """Consecutive entries up to the newest; bounded in number and in bytes."""

    def __init__(self) -> None:
        """Empty."""
        self._entries: deque[Entry] = deque()
        self._size = 0

    def extend(self, entries: Iterable[Entry]) -> None:
        """Add what is newest; what does not continue the ring starts it again."""
        for entry in entries:
            if self._entries and entry.seq != self._entries[-1].seq + 1:
                self._entries.clear()
                self._size = 0
            self._entries.append(entry)
            self._size += len(entry.block)
        while len(self._entries) > RING_ENTRIES or self._size > RING_BYTES:
            self._size -= len(self._entries.popleft().block)

    def after(self, seq: int) -> Sequence[Entry]:
        """The next entries, at most so many at once; empty when the next is not here."""
        begin = seq + 1 - self._entries[0].seq if self._entries else -1
        if begin < 0:
            return ()
        end = min(len(self._entries), begin + AT_ONCE)
        return [self._entries[place] for place in range(begin, end)]
