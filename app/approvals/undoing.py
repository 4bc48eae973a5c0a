"""Takes back what was run: the stored undo of each command, the last one first."""

import logging
from datetime import timedelta

from app.approvals.changes import Changes, wait_for
from app.approvals.judging import CommandJudge, RefusedByPolicy
from app.approvals.ports import ApprovalStore
from app.approvals.running import Running
from app.approvals.storing import until_stored
from app.domain.errors import Conflict, ObjectBusy, StorageFailed
from app.domain.ids import ApprovalId
from app.domain.proof import Undo, UndoKind
from app.domain.review import Approval
from app.domain.review_moves import CommandStatus
from app.kubectl.targets import targets

RETRY = timedelta(seconds=2)
STORAGE_RETRY = timedelta(seconds=5)
# The manifest came from the cluster, so it is not checked against a schema fetched anew.
RECREATE = ("create", "--validate=false", "--filename=-")
AFTER_FAILURE = "Not taken back: the undo of a command after it did not succeed."

log = logging.getLogger(__name__)


class Undoing:
    """Runs undos once each; it goes on from what is stored."""

    def __init__(
        self, store: ApprovalStore, judge: CommandJudge, running: Running, changes: Changes
    ) -> None:
        """Share `running` with whoever else runs commands."""
        self._store = store
        self._judge = judge
        self._running = running
        self._changes = changes

    async def run(self) -> None:
        """Undo until cancelled."""
        while True:
            changed = self._changes.next
            try:
                pause = None if await self.undo_all() else RETRY
            except (StorageFailed, Conflict):
                log.exception("the state of an undo cannot be stored")
                pause = STORAGE_RETRY
            await wait_for(changed, pause)

    async def undo_all(self) -> bool:
        """Everything that is to be taken back; False when an object is busy."""
        is_done = True
        for approval in await self._store.take_undoing():
            try:
                async with self._running.turn:
                    await self._undo(approval)
            except ObjectBusy:
                is_done = False
            self._changes.announce()
        return is_done

    async def _undo(self, approval: Approval) -> None:
        obstacle = await self._running.obstacle()
        has_failed = any(
            command.undo_status in {CommandStatus.FAILED, CommandStatus.UNKNOWN}
            for command in approval.commands
        )
        obstacle = obstacle or (AFTER_FAILURE if has_failed else None)
        for number, command in reversed([*enumerate(approval.commands)]):
            if command.undo_status is not CommandStatus.WAITING or command.proof is None:
                continue
            reason = obstacle or self._running.why_not_run(command)
            if reason is not None:
                await self._store.move_undo(
                    approval.approval_id, number, CommandStatus.SKIPPED, reason
                )
            elif not await self._run_one(approval.approval_id, number, command.proof.undo):
                obstacle = AFTER_FAILURE

    async def _run_one(self, approval_id: ApprovalId, number: int, undo: Undo) -> bool:
        await self._store.move_undo(approval_id, number, CommandStatus.EXECUTING, "")
        self._changes.announce()
        status, output = await self._attempt(undo)
        await until_stored(lambda: self._store.move_undo(approval_id, number, status, output))
        facts = {"approval_id": approval_id, "number": number, "status": status.value}
        log.info("undo ended", extra=facts)
        return status is CommandStatus.SUCCEEDED

    async def _attempt(self, undo: Undo) -> tuple[CommandStatus, str]:
        if undo.kind is UndoKind.RECREATE:
            return await self._running.attempt(RECREATE, undo.manifest)
        try:
            command = self._judge.runnable(undo.command, None)
        except RefusedByPolicy as error:
            return CommandStatus.FAILED, str(error)
        return await self._running.attempt(command.argv(), touched=targets(command))
