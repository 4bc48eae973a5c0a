"""Goes on from what is stored: several approvals at once, each by one task, again when one has to wait."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from app.approvals.changes import Changes, wait_for
from app.domain.errors import ClusterFailed, Conflict, ObjectBusy, StorageFailed
from app.domain.ids import ApprovalId
from app.domain.review import Approval

RETRY = timedelta(seconds=2)
STORAGE_RETRY = timedelta(seconds=5)

log = logging.getLogger(__name__)


class AtOnce:
    """So that no approval waits for the commands of another one."""

    def __init__(
        self,
        find: Callable[[], Awaitable[Sequence[Approval]]],
        work: Callable[[Approval], Awaitable[object]],
        changes: Changes,
        most: int,
    ) -> None:
        """`find` tells what is to be done; `work` may raise ObjectBusy and ClusterFailed for later."""
        self._find = find
        self._work = work
        self._changes = changes
        self._room = asyncio.Semaphore(most)
        self._begun: set[ApprovalId] = set()

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                changed = self._changes.next
                pause = None
                try:
                    await self.begin(group)
                except (StorageFailed, Conflict):
                    log.exception("what is to be done cannot be read")
                    pause = STORAGE_RETRY
                await wait_for(changed, pause)

    async def begin(self, group: asyncio.TaskGroup) -> None:
        """Everything that was found and is not at work."""
        for approval in await self._find():
            if approval.approval_id not in self._begun:
                self._begun.add(approval.approval_id)
                group.create_task(self._do(approval))

    async def _do(self, approval: Approval) -> None:
        pause, facts = None, {"approval_id": approval.approval_id}
        try:
            async with self._room:
                await self._work(approval)
        except ObjectBusy:
            pause = RETRY
        except ClusterFailed as error:
            log.warning("an approval waits for the cluster", extra=facts | {"reason": str(error)})
            pause = RETRY
        except (StorageFailed, Conflict):
            log.exception("what became of a command cannot be stored", extra=facts)
            pause = STORAGE_RETRY
        finally:
            self._begun.discard(approval.approval_id)
            self._changes.announce(pause)
