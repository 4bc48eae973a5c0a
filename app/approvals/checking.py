"""Runs the steps of a plan that verify: after the others, and only those that read."""

import logging
from collections.abc import Sequence

from app.approvals.changes import Changes
from app.approvals.judging import CommandJudge
from app.approvals.ports import ApprovalStore
from app.approvals.proposing import namespace_of
from app.approvals.running import Running
from app.approvals.storing import until_stored
from app.domain.ids import ApprovalId
from app.domain.proof import Fact
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus

NOT_SAFE = "Not run: only commands that just read are run to verify."
CHECK = "check"
LONGEST_DETAIL = 200
_HOLDS = {
    CommandStatus.SUCCEEDED: True,
    CommandStatus.FAILED: False,
}

log = logging.getLogger(__name__)


class Checking:
    """Each check once; one that was cut off is unknown."""

    def __init__(
        self, store: ApprovalStore, judge: CommandJudge, running: Running, changes: Changes
    ) -> None:
        """Share `running` with whoever else runs commands."""
        self._store = store
        self._judge = judge
        self._running = running
        self._changes = changes

    async def check(self, approval: Approval) -> Sequence[Fact]:
        """Run what waits; what each check says."""
        namespace = namespace_of(approval.metadata)
        facts = []
        for number, command in enumerate(approval.commands):
            if command.is_check and command.status is CommandStatus.WAITING:
                async with self._running.at_work(approval.approval_id):
                    fact = await self._check(approval.approval_id, number, command, namespace)
                self._changes.announce()
                facts += [fact] if fact else []
        return facts

    async def _check(
        self,
        approval_id: ApprovalId,
        number: int,
        command: ReviewedCommand,
        namespace: str | None,
    ) -> Fact | None:
        parsed = self._judge.safe_read(command.effective_text, namespace)
        if reason := await self._running.obstacle() or self._running.why_not_run(command):
            await self._store.move(approval_id, number, CommandStatus.RECORDED, reason)
            return None
        if parsed is None:
            await self._store.move(approval_id, number, CommandStatus.SKIPPED, NOT_SAFE)
            return None
        await self._store.move(approval_id, number, CommandStatus.EXECUTING, "")
        status, output = await self._running.attempt(parsed.argv())
        await until_stored(lambda: self._store.move(approval_id, number, status, output))
        return Fact(
            reference=command.object_reference or "",
            name=CHECK,
            holds=_HOLDS.get(status),
            detail=_detail(command, output),
        )


def _detail(command: ReviewedCommand, output: str) -> str:
    last = output.strip().rpartition("\n")[2]
    return f"{command.effective_text}: {last}"[:LONGEST_DETAIL]
