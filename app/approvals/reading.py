"""Commands that only read and that nobody has to approve."""

import logging

from app.approvals.attempt import attempt
from app.approvals.judging import CommandJudge
from app.domain.command_mode import CommandMode
from app.domain.ports import CommandRunner
from app.domain.review_moves import CommandStatus

log = logging.getLogger(__name__)


class ReadOnlyCommands:
    """Runs what the policy calls safe, at once; it changes nothing and stores nothing."""

    def __init__(
        self, judge: CommandJudge, runner: CommandRunner | None, mode: CommandMode
    ) -> None:
        """Without a runner nothing is run."""
        self._judge = judge
        self._runner = runner
        self._mode = mode

    async def run(self, text: str, namespace: str | None) -> tuple[CommandStatus, str] | None:
        """How it ended and its output; None when it is no safe read or nothing may be run here."""
        command = self._judge.safe_read(text, namespace)
        if command is None or self._runner is None or self._mode is CommandMode.SUGGEST:
            return None
        status, output = await attempt(self._runner, command.argv())
        log.info("command read", extra={"action": command.action, "status": status.value})
        return status, output

    async def trouble(self) -> str | None:
        """Why the cluster cannot be reached; None when it can or none is configured."""
        return None if self._runner is None else await self._runner.trouble()
