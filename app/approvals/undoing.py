"""Takes back what was run: the stored undo of each command, the last one first."""

import logging
from datetime import timedelta

from app.approvals.at_once import AtOnce
from app.approvals.changes import Changes
from app.approvals.judging import CommandJudge, RefusedByPolicy
from app.approvals.ports import ApprovalStore
from app.approvals.running import Running
from app.approvals.storing import until_stored
from app.approvals.undo_look import UndoLook
from app.domain.ids import ApprovalId
from app.domain.ports import Clock
from app.domain.proof import Undo, UndoKind
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus
from app.kubectl.targets import targets

MOST_AT_ONCE = 4
# The manifest came from the cluster, so it is not checked against a schema fetched anew.
RECREATE = ("create", "--validate=false", "--filename=-")
UNDO_WITHIN = timedelta(minutes=10)
"""As an approval, an undo is for now."""
AFTER_FAILURE = "Not taken back: the undo of a command after it did not succeed."
TOO_LATE = "Not taken back: the server or the cluster was down for too long after it was asked for."

log = logging.getLogger(__name__)


class Undoing:
    """Runs undos once each; it goes on from what is stored."""

    def __init__(
        self,
        store: ApprovalStore,
        judge: CommandJudge,
        running: Running,
        look: UndoLook,
        clock: Clock,
        changes: Changes,
    ) -> None:
        """Share `running` with whoever else runs commands."""
        self._store = store
        self._judge = judge
        self._running = running
        self._look = look
        self._clock = clock
        self._changes = changes
        self._at_once = AtOnce(store.take_undoing, self._undo_in_turn, changes, MOST_AT_ONCE)

    async def run(self) -> None:
        """Undo until cancelled."""
        await self._at_once.run()

    async def _undo_in_turn(self, approval: Approval) -> None:
        async with self._running.turn(approval):
            await self._undo(approval)

    async def _undo(self, approval: Approval) -> None:
        obstacle = await self._running.obstacle() or self._obstacle(approval)
        for number, command in reversed([*enumerate(approval.commands)]):
            if command.undo_status is not CommandStatus.WAITING or command.proof is None:
                continue
            reason = obstacle or self._running.why_not_run(command)
            reason = reason or await self._look.obstacle(await self._now(approval), number)
            if reason is not None:
                obstacle = reason
                await self._store.move_undo(
                    approval.approval_id, number, CommandStatus.SKIPPED, reason
                )
            elif not await self._run_one(approval.approval_id, number, command):
                obstacle = AFTER_FAILURE

    def _obstacle(self, approval: Approval) -> str | None:
        """Why nothing of it may be taken back any more."""
        ends = {command.undo_status for command in approval.commands}
        if ends & {CommandStatus.FAILED, CommandStatus.UNKNOWN}:
            return AFTER_FAILURE
        assert approval.undone_at is not None
        return TOO_LATE if self._clock.now() - approval.undone_at > UNDO_WITHIN else None

    async def _now(self, approval: Approval) -> Approval:
        """With what its undos have done so far."""
        found = await self._store.get(approval.approval_id)
        assert found is not None
        return found

    async def _run_one(
        self, approval_id: ApprovalId, number: int, command: ReviewedCommand
    ) -> bool:
        assert command.proof is not None
        await self._store.move_undo(approval_id, number, CommandStatus.EXECUTING, "")
        self._changes.announce()
        status, output = await self._attempt(command.proof.undo)
        is_done = status is CommandStatus.SUCCEEDED
        left = await self._look.left(command) if is_done else None
        await until_stored(lambda: self._store.move_undo(approval_id, number, status, output, left))
        facts = {"approval_id": approval_id, "number": number, "status": status.value}
        log.info("undo ended", extra=facts)
        return is_done

    async def _attempt(self, undo: Undo) -> tuple[CommandStatus, str]:
        if undo.kind is UndoKind.RECREATE:
            return await self._running.attempt(RECREATE, undo.manifest)
        try:
            command = self._judge.runnable(undo.command, None)
        except RefusedByPolicy as error:
            return CommandStatus.FAILED, str(error)
        return await self._running.attempt(command.argv(), touched=targets(command))
