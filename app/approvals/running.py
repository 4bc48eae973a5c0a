"""The one place that runs kubectl for what was approved: one command at a time."""

import asyncio
from collections.abc import Callable, Sequence

from app.approvals.attempt import attempt
from app.domain.ports import CommandRunner
from app.domain.review import NO_CLUSTER, RUNS, Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus
from app.kubectl.cluster_object import Target

WhyNotRun = Callable[[ReviewedCommand], str | None]
"""Why an approved command is not run nevertheless; None when it is."""


class Running:
    """Who runs, or says that nothing runs any more, holds the turn."""

    def __init__(self, runner: CommandRunner | None, why_not_run: WhyNotRun) -> None:
        """Without a runner there is no cluster."""
        self._runner = runner
        self.why_not_run = why_not_run
        self.turn = asyncio.Lock()

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
