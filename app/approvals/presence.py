"""Approval servers on one database: each shows that it lives, and notices when another one does not."""

import asyncio
import logging

from app.approvals.changes import Changes
from app.approvals.ports import ServerTable
from app.domain.errors import StorageFailed
from app.domain.ids import ProcessId

LOOK_SECONDS = 1.0
SILENT_LOOKS = 8
"""In looks and not in seconds: time in which this server slept tells nothing about the others."""
LEAVE_SECONDS = 1.0

log = logging.getLogger(__name__)


class Presence:
    """What a dead server was to do is for the others; they have to know that it is dead."""

    def __init__(self, servers: ServerTable, changes: Changes) -> None:
        """Share `changes` with everybody who waits for what other servers may do."""
        self._servers = servers
        self._changes = changes
        self._is_failing = False
        self._heard: dict[ProcessId, tuple[int, int]] = {}
        """By server its count, and how many looks it has stood still for."""

    async def run(self) -> None:
        """Until cancelled; then nobody has to wait until this server is found dead."""
        try:
            while True:
                await self._look()
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            await self._leave()

    async def look(self) -> None:
        """Beat; strike off who has been silent for too long. Raises StorageFailed."""
        counts = await self._servers.beat()
        heard = {server: self._heard.get(server, (0, 0)) for server in counts}
        self._heard = {
            server: (beats, heard[server][1] + 1 if heard[server][0] == beats else 0)
            for server, beats in counts.items()
        }
        for server, (beats, looks) in self._heard.items():
            if looks >= SILENT_LOOKS and await self._servers.strike_off(server, beats):
                log.warning("an approval server is dead", extra={"server": server})

    async def _look(self) -> None:
        try:
            await self.look()
        except StorageFailed:
            # Nobody else can beat now either.
            self._heard = {}
            if not self._is_failing:
                log.exception("approval servers cannot see each other")
            self._is_failing = True
        else:
            self._is_failing = False
            # Another server may have changed what somebody waits for here.
            self._changes.announce()

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._servers.leave()
        except (StorageFailed, TimeoutError):
            log.warning("other approval servers go on when this one is found dead")
