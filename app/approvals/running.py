"""The one place that runs kubectl for what was approved: one change at a time on an object."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager

from app.approvals.attempt import attempt
from app.domain.errors import ObjectBusy
from app.domain.ids import ApprovalId
from app.domain.ports import CommandRunner
from app.domain.review import NO_CLUSTER, RUNS, Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus
from app.kubectl.cluster_object import Target

WhyNotRun = Callable[[ReviewedCommand], str | None]
"""Why an approved command is not run nevertheless; None when it is."""


class Running:
    """Knows what runs here now, and whose turn it is."""

    def __init__(self, runner: CommandRunner | None, why_not_run: WhyNotRun) -> None:
        """Without a runner there is no cluster."""
        self._runner = runner
        self.why_not_run = why_not_run
        self._taken: set[str] = set()
        self._beginning = asyncio.Lock()
        self._now: Counter[ApprovalId] = Counter()

    @asynccontextmanager
    async def turn(self, approval: Approval) -> AsyncIterator[None]:
        """To change what an approval is about, which nobody else here does; raises ObjectBusy."""
        names = {approval.approval_id, *_objects(approval)}
        if busy := self._taken & names:
            raise ObjectBusy(f"Another command runs on {min(busy)} now.")
        self._taken |= names
        try:
            async with self.at_work(approval.approval_id):
                yield
        finally:
            self._taken -= names

    @asynccontextmanager
    async def at_work(self, approval_id: ApprovalId) -> AsyncIterator[None]:
        """To run something of an approval, whoever else does."""
        async with self._beginning:
            self._now[approval_id] += 1
        try:
            yield
        finally:
            self._now[approval_id] -= 1

    async def give_up(self, rest: Callable[[Collection[ApprovalId]], Awaitable[int]]) -> int:
        """Have said of everything that it does not run any more, but for what does here."""
        async with self._beginning:
            self._now = +self._now
            return await rest(self._now.keys())

    async def obstacle(self) -> str | None:
        """Why nothing can run here, so that decisions are only recorded."""
        if self._runner is None:
            return NO_CLUSTER
        trouble = await self._runner.trouble()
        return f"Recorded, and not run: {trouble}" if trouble else None

    async def what_follows(self, approval: Approval) -> str:
        """What becomes of what was approved, to be said after "Approved"."""
        chosen = [command for command in approval.commands if command.decision in RUNS]
        if self._runner is None:
            return " and recorded; no cluster is configured, so nothing runs."
        if trouble := await self._runner.trouble():
            return f" and recorded; nothing runs: {trouble}"
        reasons = [self.why_not_run(command) for command in chosen]
        kept = [reason for reason in reasons if reason is not None]
        if not kept:
            return "; the commands run now."
        if len(kept) == len(chosen):
            return f" and recorded; nothing runs. {kept[0]}"
        return f"; {len(chosen) - len(kept)} of {len(chosen)} commands run now. {kept[0]}"

    async def attempt(
        self, argv: Sequence[str], stdin: str = "", touched: Sequence[Target] = ()
    ) -> tuple[CommandStatus, str]:
        """How it ended, and its output without secrets; `touched` is what to look at in doubt."""
        assert self._runner is not None
        return await attempt(self._runner, argv, stdin, touched)


def _objects(approval: Approval) -> Iterator[str]:
    for command in approval.commands:
        if command.object_reference is not None:
            yield command.object_reference
        if command.proof is not None:
            yield from command.proof.versions
