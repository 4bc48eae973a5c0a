"""Keeps the audit file a complete copy of the trail in the database."""

import asyncio
import logging
from datetime import timedelta

from app.approvals.changes import Changes, wait_for
from app.approvals.ports import AuditCopy, AuditLog
from app.domain.errors import AppError, Conflict, StorageFailed

LOOK = timedelta(seconds=5)
OTHER_TRAIL = (
    "The audit file is no copy of this database's trail: `python -m app audit verify` says where"
    " they part. Move the file away, and a whole copy is made."
)

log = logging.getLogger(__name__)


class AuditCopying:
    """Appends what the file lacks, soon after it was committed."""

    def __init__(self, trail: AuditLog, copy: AuditCopy, changes: Changes) -> None:
        """Share `changes` with whoever makes them."""
        self._trail = trail
        self._copy = copy
        self._changes = changes
        self.trouble: str | None = None
        """Why the file lacks entries now."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            changed = self._changes.next
            try:
                await self.copy()
            except (StorageFailed, Conflict) as error:
                self._note(error)
            else:
                self.trouble = None
            await wait_for(changed, LOOK)

    async def copy(self) -> None:
        """Append everything that is missing; raises StorageFailed, Conflict."""
        last = await asyncio.to_thread(self._copy.last)
        seq = 0
        if last is not None:
            same = await self._trail.after(last.seq - 1)
            if not same or same[0] != last:
                raise Conflict(OTHER_TRAIL)
            seq = last.seq
        while entries := await self._trail.after(seq):
            await asyncio.to_thread(self._copy.append, entries)
            seq = entries[-1].seq

    def _note(self, error: AppError) -> None:
        if self.trouble is None:
            log.error("the audit file cannot be written", extra={"reason": str(error)})
        self.trouble = str(error)
