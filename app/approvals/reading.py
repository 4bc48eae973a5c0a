"""Commands that only read and that nobody has to approve."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from pydantic import JsonValue

from app.approvals.asking import Asker
from app.approvals.attempt import without_secrets
from app.approvals.judging import CommandJudge
from app.approvals.ports import AuditNotes
from app.domain.audit import AuditFact, AuditType
from app.domain.command_mode import CommandMode
from app.domain.command_result import CommandResult
from app.domain.errors import ExternalFailed, TooBusy
from app.domain.ports import Clock, CommandRunner
from app.domain.review_moves import CommandStatus
from app.kubectl.command import ParsedCommand

AT_ONCE = 4
TURN_WITHIN = timedelta(seconds=5)
BUSY = f"{AT_ONCE} reads run already: nothing was run, ask again when one has ended."
CUT_OFF = "Stopped at the time limit: ask for less, such as --tail or a name.\n"

log = logging.getLogger(__name__)


class ReadOnlyCommands:
    """Runs what the policy calls safe, at once; the audit trail has each, and never its output."""

    def __init__(
        self,
        judge: CommandJudge,
        runner: CommandRunner | None,
        mode: CommandMode,
        notes: AuditNotes,
        clock: Clock,
    ) -> None:
        """Without a runner nothing is run; the runner has the time limit."""
        self._judge = judge
        self._runner = runner
        self._mode = mode
        self._notes = notes
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def run(
        self, text: str, namespace: str | None, asker: Asker
    ) -> tuple[CommandStatus, str] | None:
        """How it ended and its output; None when it is no safe read or nothing may be run here.

        Raises TooBusy, and StorageFailed when it cannot be audited: then nothing was run.
        """
        command = self._judge.safe_read(text, namespace)
        if command is None or self._runner is None or self._mode is CommandMode.SUGGEST:
            return None
        # Who asks may leave: what was begun still comes to its end, which is entered.
        reading = asyncio.ensure_future(self._in_turn(self._runner, command, asker))  # noqa: TID251
        return await asyncio.shield(reading)

    async def trouble(self) -> str | None:
        """Why the cluster cannot be reached; None when it can or none is configured."""
        return None if self._runner is None else await self._runner.trouble()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(TURN_WITHIN.total_seconds()):
                await self._turns.acquire()
        except TimeoutError:
            raise TooBusy(BUSY) from None
        try:
            yield
        finally:
            self._turns.release()

    async def _in_turn(
        self, runner: CommandRunner, command: ParsedCommand, asker: Asker
    ) -> tuple[CommandStatus, str]:
        async with self._turn():
            status, output = await self._audited(runner, command, asker)
        log.info("command read", extra={"action": command.action, "status": status.value})
        return status, output

    async def _audited(
        self, runner: CommandRunner, command: ParsedCommand, asker: Asker
    ) -> tuple[CommandStatus, str]:
        read_id = secrets.token_hex(8)
        argv: list[JsonValue] = ["kubectl", *command.argv()]
        about: dict[str, JsonValue] = {"read_id": read_id, "argv": argv, "client": asker.view()}
        await self._notes.note(AuditFact(AuditType.READ_STARTED, None, asker.name, about))
        begun = self._clock.now()
        result, sentence = None, ""
        try:
            result = await runner.run(command.argv())
        except ExternalFailed as error:
            sentence = str(error)
        finally:
            took = self._clock.now() - begun
            await self._note_end(read_id, asker, result, took)
        if result is None:
            return CommandStatus.FAILED, sentence
        return await _told(result)

    async def _note_end(
        self, read_id: str, asker: Asker, result: CommandResult | None, took: timedelta
    ) -> None:
        facts: dict[str, JsonValue] = {
            "read_id": read_id,
            "exit_code": result.exit_code if result else None,
            "timed_out": result.timed_out if result else False,
            "milliseconds": round(took.total_seconds() * 1000),
        }
        await self._notes.note(AuditFact(AuditType.READ_ENDED, None, asker.name, facts))


async def _told(result: CommandResult) -> tuple[CommandStatus, str]:
    output = await without_secrets(result.output)
    if result.succeeded:
        return CommandStatus.SUCCEEDED, output
    if result.timed_out:
        return CommandStatus.FAILED, f"{CUT_OFF}{output}"
    return CommandStatus.FAILED, f"kubectl ended with {result.exit_code}.\n{output}"
