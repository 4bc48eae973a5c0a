"""When the ledger's knowledge is kept in a snapshot, and how the next start gets it back."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from app.domain.feedback import FeedbackRecord
from app.domain.snapshots import FeedbackSnapshot, FeedbackSnapshots, Part, Parts
from app.learning.knowledge import Knowledge
from app.learning.parts import named, of

SAVE_AFTER = 2_000
"""Events; so many are read again after a kill, in half a second."""
SAVE_ON_THE_WAY = 100_000
"""While more are read at once, it is kept after so many, then whenever half as much has come again."""
LEDGER = "ledger"


class Watcher(Protocol):
    """Follows the records; they come without their two long texts."""

    def update(self, number: int, record: FeedbackRecord) -> None:
        """Take in a record that is new or has changed; its number stays."""
        ...

    def clear(self) -> None:
        """Forget all of them: they are told anew."""
        ...


@runtime_checkable
class KeptWatcher(Watcher, Protocol):
    """One whose knowledge can be kept."""

    def parts(self) -> Parts:
        """All of it, as columns."""
        ...

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Know what another one knew."""
        ...


class Keeping:
    """Without a place for snapshots, or with a watcher that cannot be kept, it does nothing."""

    def __init__(self, snapshots: FeedbackSnapshots | None, save_after: int) -> None:
        """Nothing is kept or read yet."""
        self._snapshots = snapshots
        self._save_after = save_after
        self._kept = 0
        """Events in the last snapshot, and those read since."""
        self._since = 0
        self._is_distrusted = False

    def distrust(self) -> None:
        """Read everything the next time: the log is not what the snapshot was made of."""
        self._is_distrusted = True

    def begin_anew(self) -> None:
        """Nothing is read."""
        self._kept = self._since = 0

    def read(self, events: int) -> None:
        """So many more."""
        self._since += events

    def is_due(self, *, is_end: bool) -> bool:
        """Whether so much was read that it had better not be read again."""
        enough = self._save_after if is_end else max(SAVE_ON_THE_WAY, self._kept // 2)
        return self._snapshots is not None and self._since >= enough

    async def load(self, watchers: Sequence[Watcher]) -> Knowledge | None:
        """The last snapshot's knowledge, the watchers' with it; None when there is none that fits."""
        kept = _named(watchers)
        is_distrusted, self._is_distrusted = self._is_distrusted, False
        if self._snapshots is None or kept is None or is_distrusted:
            return None
        snapshot = await self._snapshots.load()
        if snapshot is None or any(not of(name, snapshot.parts) for name in kept):
            return None
        return await asyncio.to_thread(self._restored, snapshot, kept)

    async def save(self, known: Knowledge, watchers: Sequence[Watcher]) -> None:
        """Keep everything that follows from what was read so far."""
        kept = _named(watchers)
        if self._snapshots is None or kept is None:
            return
        parts = await asyncio.to_thread(_parts_of, known, kept)
        await self._snapshots.save(FeedbackSnapshot(known.position, parts))
        self._kept, self._since = self._kept + self._since, 0

    def _restored(self, snapshot: FeedbackSnapshot, kept: Mapping[str, KeptWatcher]) -> Knowledge:
        known = Knowledge.restored(snapshot.position, of(LEDGER, snapshot.parts))
        for name, watcher in kept.items():
            watcher.restore(of(name, snapshot.parts))
        self._kept = len(known.entries)
        return known


def _named(watchers: Sequence[Watcher]) -> dict[str, KeptWatcher] | None:
    """By their names, as snapshots know them; None when one of them cannot be kept."""
    kept = {type(one).__name__: one for one in watchers if isinstance(one, KeptWatcher)}
    return kept if len(kept) == len(watchers) else None


def _parts_of(known: Knowledge, kept: Mapping[str, KeptWatcher]) -> Parts:
    parts = named(LEDGER, known.parts())
    for name, watcher in kept.items():
        parts |= named(name, watcher.parts())
    return parts
