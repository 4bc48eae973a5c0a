"""One run of one command, and what may be kept of it."""

import asyncio
from collections.abc import Sequence

from app.domain.command_result import CommandResult
from app.domain.errors import ExternalFailed
from app.domain.ports import CommandRunner
from app.domain.review import ReviewedCommand
from app.domain.review_moves import CommandStatus
from app.kubectl.cluster_object import Target
from app.kubectl.namespaces import in_namespace, lacks_namespace
from app.kubectl.parser import parse
from app.kubectl.targets import targets
from app.kubectl.words import UnparseableCommand
from app.security.redaction import redact

OUTPUT_LIMIT = 64 * 1024
TIME_LIMIT = "Stopped at the time limit; whether it took effect is not known."


async def attempt(
    runner: CommandRunner,
    argv: Sequence[str],
    stdin: str = "",
    touched: Sequence[Target] = (),
) -> tuple[CommandStatus, str]:
    """How it ended, and its output without secrets; `touched` is what to look at when in doubt."""
    try:
        result = await runner.run(argv, stdin)
    except ExternalFailed as error:
        return CommandStatus.FAILED, str(error)
    status, note = _ending(result, touched)
    return status, f"{note}{await without_secrets(result.output)}"


async def without_secrets(output: str) -> str:
    """As much of an output as may be kept or shown."""
    redacted = await asyncio.to_thread(redact, output[:OUTPUT_LIMIT])
    return redacted.text


def what_to_check(touched: Sequence[Target]) -> str:
    """Commands that show whether something took effect."""
    shown = [
        " ".join(("kubectl get", target.short, *target.place, "--output=yaml"))
        for target in touched
    ]
    return f" Look at it: {'; '.join(shown)}" if shown else ""


def touched_by(command: ReviewedCommand, namespace: str | None) -> Sequence[Target]:
    """What a change may have touched; `namespace` is the proposal's, for commands without one."""
    if not command.is_change:
        return ()
    try:
        parsed = parse(command.effective_text)
    except UnparseableCommand:
        return ()
    if namespace is not None and lacks_namespace(parsed):
        parsed = in_namespace(parsed, namespace)
    return targets(parsed)


def _ending(result: CommandResult, touched: Sequence[Target]) -> tuple[CommandStatus, str]:
    if result.succeeded:
        return CommandStatus.SUCCEEDED, ""
    if result.timed_out or result.exit_code is None:
        return CommandStatus.UNKNOWN, f"{TIME_LIMIT}{what_to_check(touched)}\n"
    return CommandStatus.FAILED, f"kubectl ended with {result.exit_code}.\n"
