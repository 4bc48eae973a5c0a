"""One run of one command, and what may be kept of it."""

import asyncio
from collections.abc import Sequence

from app.domain.command_result import CommandResult
from app.domain.errors import ExternalFailed
from app.domain.ports import CommandRunner
from app.domain.review_moves import CommandStatus
from app.security.redaction import redact

OUTPUT_LIMIT = 64 * 1024


async def attempt(runner: CommandRunner, argv: Sequence[str]) -> tuple[CommandStatus, str]:
    """How it ended, and its output without secrets."""
    try:
        result = await runner.run(argv)
    except ExternalFailed as error:
        return CommandStatus.FAILED, str(error)
    status, note = _ending(result)
    redacted = await asyncio.to_thread(redact, result.output[:OUTPUT_LIMIT])
    return status, f"{note}{redacted.text}"


def _ending(result: CommandResult) -> tuple[CommandStatus, str]:
    if result.succeeded:
        return CommandStatus.SUCCEEDED, ""
    if result.timed_out or result.exit_code is None:
        note = "Stopped at the time limit; whether it took effect is not known.\n"
        return CommandStatus.UNKNOWN, note
    return CommandStatus.FAILED, f"kubectl ended with {result.exit_code}.\n"
