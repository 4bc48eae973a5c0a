"""Runs what was approved: each approval in order, once, and it stops at the first failure."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta

from app.approvals.at_once import AtOnce
from app.approvals.attempt import touched_by, what_to_check
from app.approvals.changes import Changes
from app.approvals.judging import CommandJudge, RefusedByPolicy
from app.approvals.ports import ApprovalStore
from app.approvals.proposing import namespace_of
from app.approvals.readiness import Readiness
from app.approvals.running import Running
from app.approvals.storing import until_stored
from app.approvals.undo_look import undo_target
from app.domain.errors import StorageFailed
from app.domain.ids import ApprovalId
from app.domain.ports import Clock
from app.domain.proof import LeftState
from app.domain.review import RUNS, Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus
from app.kubectl.command import ParsedCommand
from app.kubectl.targets import targets

RUN_WITHIN = timedelta(minutes=10)
"""An approval is for now: what could not run for longer than this is not run any more."""
MOST_AT_ONCE = 4
INTERRUPTED = (
    "The server stopped while it ran: nobody saw how it ended, so that it may have taken effect or"
    " not. It is not run again."
)
TOO_LATE = "Not run: the server or the cluster was down for too long. Propose it again."
AFTER_FAILURE = "Not run: a command before it did not succeed."
STOPS = {CommandStatus.UNKNOWN, CommandStatus.SKIPPED}

log = logging.getLogger(__name__)


class Execution:
    """Runs the commands that change the cluster; it goes on from what is stored."""

    def __init__(
        self,
        store: ApprovalStore,
        judge: CommandJudge,
        running: Running,
        readiness: Readiness,
        clock: Clock,
        changes: Changes,
    ) -> None:
        """Share `running` with whoever else runs commands, and `changes` with everybody."""
        self._store = store
        self._judge = judge
        self._running = running
        self._readiness = readiness
        self._clock = clock
        self._changes = changes
        self._at_once = AtOnce(self._approved, self._execute_in_turn, changes, MOST_AT_ONCE)

    async def run(self) -> None:
        """Execute until cancelled."""
        await self._at_once.run()

    async def begin(self, group: asyncio.TaskGroup) -> None:
        """Everything that is approved, not yet run, and no other server's to run."""
        await self._at_once.begin(group)

    async def _approved(self) -> Sequence[Approval]:
        interrupted = await self._running.give_up(
            lambda at_work: self._store.interrupt(_words_on_end, at_work)
        )
        if interrupted:
            log.warning("commands were interrupted", extra={"commands": interrupted})
            self._changes.announce()
        return await self._store.take_unsettled()

    async def _execute_in_turn(self, approval: Approval) -> None:
        async with self._running.turn(approval):
            await self._execute(approval)

    async def _execute(self, approval: Approval) -> None:
        if reason := await self._running.obstacle():
            await self._end_rest(approval, CommandStatus.RECORDED, reason)
        elif reason := self._obstacle(approval):
            await self._end_rest(approval, CommandStatus.SKIPPED, reason)
        elif await self._readiness.holds(approval):
            await self._run_in_order(approval)

    def _obstacle(self, approval: Approval) -> str | None:
        """Why nothing of it may run any more."""
        if any(has_stopped(command) for command in approval.commands):
            return AFTER_FAILURE
        assert approval.decided_at is not None
        if self._clock.now() - approval.decided_at > RUN_WITHIN:
            return TOO_LATE
        return None

    async def _end_rest(self, approval: Approval, status: CommandStatus, why: str) -> None:
        """Later checks as well: there is nothing to check."""
        for number, command in enumerate(approval.commands):
            has_no_use = not command.is_check or not approval.has_changed
            if command.status is CommandStatus.WAITING and has_no_use:
                await self._store.move(approval.approval_id, number, status, why)

    async def _run_in_order(self, approval: Approval) -> None:
        touched = {
            command.object_reference for command in approval.commands if command.has_begun
        } - {None}
        for number, command in enumerate(approval.commands):
            if command.is_check or command.status is not CommandStatus.WAITING:
                continue
            if reason := self._running.why_not_run(command):
                await self._store.move(approval.approval_id, number, CommandStatus.RECORDED, reason)
            elif not await self._run_one(approval, number, touched):
                return await self._end_after_failure(approval.approval_id)
            else:
                touched.add(command.object_reference)
        return None

    async def _end_after_failure(self, approval_id: ApprovalId) -> None:
        approval = await self._store.get(approval_id)
        assert approval is not None
        await self._end_rest(approval, CommandStatus.SKIPPED, AFTER_FAILURE)

    async def _run_one(self, approval: Approval, number: int, touched: set[str | None]) -> bool:
        approval_id = approval.approval_id
        try:
            command = self._judge.runnable(
                approval.commands[number].effective_text, namespace_of(approval.metadata)
            )
        except RefusedByPolicy as error:
            await self._store.move(approval_id, number, CommandStatus.FAILED, str(error))
            return False
        if refusal := await self._readiness.refusal(command):
            await self._store.move(approval_id, number, CommandStatus.FAILED, refusal)
            return False
        await self._readiness.prove(approval, number, command, touched)
        await self._store.move(approval_id, number, CommandStatus.EXECUTING, "")
        self._changes.announce()
        status, output = await self._running.attempt(
            command.argv(), touched=targets(command) if approval.commands[number].is_change else ()
        )
        is_done = status is CommandStatus.SUCCEEDED
        left = await self._left(approval_id, number, command) if is_done else None
        # What came of a command is known only here.
        await until_stored(lambda: self._store.move(approval_id, number, status, output, left))
        facts = {"approval_id": approval_id, "number": number, "status": status.value}
        log.info("command ended", extra=facts)
        return is_done

    async def _left(
        self, approval_id: ApprovalId, number: int, parsed: ParsedCommand
    ) -> LeftState | None:
        """Looked at before the end is told: whoever hears of it may want to take it back."""
        try:
            approval = await self._store.get(approval_id)
        except StorageFailed:
            return None
        assert approval is not None
        return await self._readiness.left(approval.commands[number], parsed)


def _words_on_end(approval: Approval, number: int) -> str:
    command = approval.commands[number]
    is_undo = command.undo_status is CommandStatus.EXECUTING
    undone = undo_target(command) if is_undo else None
    touched = [undone] if undone else touched_by(command, namespace_of(approval.metadata))
    return f"{INTERRUPTED}{what_to_check(touched)}"


def has_stopped(command: ReviewedCommand) -> bool:
    """Whether nothing after it may run; a refused or rejected one never ran and stops nothing."""
    if command.decision not in RUNS or command.is_check:
        return False
    return command.status is CommandStatus.FAILED or command.status in STOPS
