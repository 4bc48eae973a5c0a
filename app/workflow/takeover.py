"""Goes on with what other processes left behind: nobody else looks after a process that died."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.domain.errors import StorageFailed
from app.domain.ids import ProcessId
from app.domain.ports import JobQueue, ProcessTable, WorkflowStore

log = logging.getLogger(__name__)

SILENT_BEATS = 5.0
TURN_BEATS = 1.0
MOST_TURNS = 3
BEATS_PER_SEARCH = 5
ELAPSED_LIMIT = 1.5
"""In beats: time in which we slept or the database was away tells nothing about the others."""
STRAYS_AT_ONCE = 50
"""The queue serves the oldest first: a stray behind so many others would wait in any case."""
LEAVE_SECONDS = 1.0


@dataclass(slots=True)
class _Peer:
    """Another process, as far as its beats tell."""

    beats: int
    missed: float = 0.0
    """How many beats it should have made since, by our own clock."""

    @property
    def is_living(self) -> bool:
        return self.missed < SILENT_BEATS


@dataclass(slots=True)
class Takeover:
    """Beats for this process, and counts how long the others have not."""

    processes: ProcessTable
    queue: JobQueue
    workflows: WorkflowStore
    beat_seconds: float = 1.0
    trouble: str | None = field(default=None, init=False)
    """Why this process cannot beat at present; None when it can."""
    _peers: dict[ProcessId, _Peer] = field(default_factory=dict, init=False)

    @property
    def has_peers(self) -> bool:
        """Whether other processes live on this database."""
        return any(peer.is_living for peer in self._peers.values())

    async def run(self) -> None:
        """For as long as the process lives; cancelled, it hands its own work back.

        Whoever cancels has stopped that work before.
        """
        try:
            await self._look_after_others()
        except asyncio.CancelledError:
            await self._leave()
            raise

    async def register(self) -> None:
        """Be known before taking work: nobody would miss who dies unknown. Raises StorageFailed."""
        await self.processes.beat()

    async def _look_after_others(self) -> None:
        beats, heard_at = 0, time.monotonic()
        while True:
            now = time.monotonic()
            try:
                await self._listen(now - heard_at)
                if beats % BEATS_PER_SEARCH == 0:
                    await self._search()
                beats, heard_at, self.trouble = beats + 1, now, None
            except StorageFailed as error:
                if self.trouble is None:
                    log.warning("nobody is looked after now", extra={"reason": str(error)})
                self.trouble = str(error)
            await asyncio.sleep(self.beat_seconds)

    async def _listen(self, seconds: float) -> None:
        """Beat; take over from whoever has been silent for too long."""
        heard = await self.processes.beat()
        self._note(heard, min(seconds / self.beat_seconds, ELAPSED_LIMIT))
        for dead in tuple(self._dead()):
            log.warning("a process is dead, its workflows go on here", extra={"dead": dead})
            await self._take_over(dead)
            del self._peers[dead]

    def _note(self, heard: Sequence[tuple[ProcessId, int]], elapsed: float) -> None:
        counts = {process: beats for process, beats in heard if process != self.processes.me}
        for gone in self._peers.keys() - counts.keys():
            del self._peers[gone]
        for process, beats in counts.items():
            peer = self._peers.get(process)
            if peer is None or peer.beats != beats:
                self._peers[process] = _Peer(beats)
            else:
                peer.missed += elapsed

    def _dead(self) -> Iterator[ProcessId]:
        """Whose work is for this process to take: the living take turns, so that one does it."""
        me = self.processes.me
        before_me = sum(peer.is_living and process < me for process, peer in self._peers.items())
        patience = SILENT_BEATS + TURN_BEATS * min(before_me, MOST_TURNS)
        return (process for process, peer in self._peers.items() if peer.missed >= patience)

    async def _take_over(self, process: ProcessId) -> None:
        """Each step can be repeated, and the last one comes when nothing is left to do."""
        await self.processes.bury(process)
        await self.queue.recover(process)
        await self.processes.forget(process)

    async def _search(self) -> None:
        """Queue what fell between two chairs: not queued, not ended, or taken by nobody known."""
        for workflow_id, claims in (await self.workflows.strays())[:STRAYS_AT_ONCE]:
            await self.queue.enqueue(workflow_id, claims + 1)
        # In this order: whoever has taken something was known before.
        holders = await self.queue.holders()
        known = {process for process, _ in await self.processes.beat()}
        for unknown in holders - known:
            log.warning("what an unknown process had goes on here", extra={"unknown": unknown})
            await self.queue.recover(unknown)

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._take_over(self.processes.me)
        except (StorageFailed, TimeoutError):
            log.warning("unfinished workflows go on when this process is found dead")
