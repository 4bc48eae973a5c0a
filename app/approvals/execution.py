"""Runs what was approved: in order, once, one command at a time, and stops at the first failure."""

import asyncio
import logging
from datetime import timedelta

from app.approvals.attempt import attempt
from app.approvals.changes import Changes, wait_for
from app.approvals.judging import CommandJudge, RefusedByPolicy
from app.approvals.ports import ApprovalStore
from app.approvals.proposing import namespace_of
from app.domain.errors import Conflict, StorageFailed
from app.domain.ids import ApprovalId
from app.domain.ports import Clock, CommandRunner
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus

RUN_WITHIN = timedelta(minutes=10)
"""An approval is for now: what a stopped server left longer than this is not run any more."""
STORAGE_RETRY = timedelta(seconds=5)

INTERRUPTED = "The server stopped while it ran; nobody saw how it ended. It is not run again."
TOO_LATE = "Not run: the server was down for too long after the approval. Propose it again."
AFTER_FAILURE = "Not run: a command before it did not succeed."
STOPS = {CommandStatus.UNKNOWN, CommandStatus.SKIPPED}

log = logging.getLogger(__name__)


class Execution:
    """The only part that changes the cluster; it goes on from what is stored."""

    def __init__(
        self,
        store: ApprovalStore,
        judge: CommandJudge,
        runner: CommandRunner | None,
        clock: Clock,
        changes: Changes,
    ) -> None:
        """Without a runner, approved commands are recorded."""
        self._store = store
        self._judge = judge
        self._runner = runner
        self._clock = clock
        self._changes = changes

    async def run(self) -> None:
        """Execute until cancelled."""
        while True:
            changed = self._changes.next
            pause = None
            try:
                await self.execute_all()
            except (StorageFailed, Conflict):
                log.exception("the state of a command cannot be stored")
                pause = STORAGE_RETRY
            await wait_for(changed, pause)

    async def execute_all(self) -> None:
        """Everything that is approved, not yet run, and no other server's to run.

        Nothing runs here yet, so a command that is executing here was given up, or its end lost.
        """
        if interrupted := await self._store.interrupt(INTERRUPTED):
            log.warning("commands were interrupted", extra={"commands": interrupted})
            self._changes.announce()
        while approvals := await self._store.take_unsettled():
            for approval in approvals:
                await self._execute(approval)
                self._changes.announce()

    async def _execute(self, approval: Approval) -> None:
        obstacle = self._obstacle(approval)
        for number, command in enumerate(approval.commands):
            if command.status is not CommandStatus.WAITING:
                continue
            if self._runner is None:
                await self._store.move(
                    approval.approval_id,
                    number,
                    CommandStatus.RECORDED,
                    "Recorded; no cluster is configured.",
                )
            elif obstacle is not None:
                await self._store.move(
                    approval.approval_id, number, CommandStatus.SKIPPED, obstacle
                )
            elif not await self._run_one(self._runner, approval, number):
                obstacle = AFTER_FAILURE

    def _obstacle(self, approval: Approval) -> str | None:
        """Why nothing of it may run any more."""
        if any(_has_stopped(command) for command in approval.commands):
            return AFTER_FAILURE
        assert approval.decided_at is not None
        if self._clock.now() - approval.decided_at > RUN_WITHIN:
            return TOO_LATE
        return None

    async def _run_one(self, runner: CommandRunner, approval: Approval, number: int) -> bool:
        approval_id = approval.approval_id
        try:
            command = self._judge.runnable(
                approval.commands[number].effective_text, namespace_of(approval.metadata)
            )
        except RefusedByPolicy as error:
            await self._store.move(approval_id, number, CommandStatus.FAILED, str(error))
            return False
        await self._store.move(approval_id, number, CommandStatus.EXECUTING, "")
        self._changes.announce()
        status, output = await attempt(runner, command.argv())
        await self._note_end(approval_id, number, status, output)
        log.info(
            "command ended",
            extra={"approval_id": approval_id, "number": number, "status": status.value},
        )
        return status is CommandStatus.SUCCEEDED

    async def _note_end(
        self, approval_id: ApprovalId, number: int, status: CommandStatus, output: str
    ) -> None:
        """What came of a command is known only here: it waits for the storage to come back."""
        while True:
            try:
                await self._store.move(approval_id, number, status, output)
            except StorageFailed:
                log.exception("the end of a command cannot be stored")
                await asyncio.sleep(STORAGE_RETRY.total_seconds())
            else:
                return


def _has_stopped(command: ReviewedCommand) -> bool:
    """A refused command never ran, so it stops nothing; its reviewer saw that beforehand."""
    is_failure = command.status is CommandStatus.FAILED and not command.is_refused
    return is_failure or command.status in STOPS
