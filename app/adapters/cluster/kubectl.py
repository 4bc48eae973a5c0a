"""CommandRunner by the installed kubectl: an argument list, a small environment, a time limit."""

import asyncio
import math
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from app.domain.command_result import CommandResult
from app.domain.errors import ExternalFailed
from app.kubectl.durations import stated_wait

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CHUNK_BYTES = 16 * 1024
STOP_SECONDS = 5
REQUEST_TIMEOUT = "--request-timeout"
GRACE_SECONDS = 5
"""A request that only its own limit ends looks like a failure, so the runner's limit comes first; a
wait that the command states ends by itself before that."""


class KubectlRunner:
    """Runs kubectl against one cluster; nothing of this process's environment reaches it."""

    def __init__(
        self,
        kubeconfig: Path,
        timeout_seconds: float,
        executable: str = "kubectl",
        output_limit_bytes: int = 64 * 1024,
        cache: Path | None = None,
        *,
        honours_waits: bool = False,
    ) -> None:
        """The executable is a name on the PATH or a path.

        With `honours_waits` a command whose `--timeout` is longer has that long: the guard bounds it.
        `cache` keeps which kinds the cluster has, and nothing else; without it every command asks.
        """
        self._kubeconfig = kubeconfig.absolute()
        self._timeout_seconds = timeout_seconds
        self._executable = executable
        self._output_limit_bytes = output_limit_bytes
        self._cache = cache.absolute() if cache else None
        self._honours_waits = honours_waits

    async def run(self, argv: Sequence[str], stdin: str = "") -> CommandResult:
        """Run kubectl; past the time limit it is killed with its children. Raises ExternalFailed."""
        home = await asyncio.to_thread(_new_home)
        try:
            return await self._run(argv, home, stdin)
        finally:
            await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)

    async def trouble(self) -> str | None:
        """Why kubectl cannot work here; it is not asked whether the cluster answers."""
        return await asyncio.to_thread(self._trouble)

    async def _run(self, argv: Sequence[str], home: str, stdin: str) -> CommandResult:
        process = await self._start(argv, home, stdin)
        output = _CappedOutput(self._output_limit_bytes)
        try:
            async with asyncio.timeout(self._limit(argv)):
                assert process.stdout is not None
                await output.read(process.stdout)
                exit_code = await process.wait()
        except TimeoutError:
            return CommandResult(None, output.text(), timed_out=True)
        finally:
            await _stop(process)
        return CommandResult(exit_code, output.text(), timed_out=False)

    async def _start(
        self, argv: Sequence[str], home: str, stdin: str
    ) -> asyncio.subprocess.Process:
        program = self._program()
        if program is None:
            raise ExternalFailed(self._missing())
        # Cancelled half-way, asyncio would kill the program but not its children: the start is
        # waited for in any case, and this function owns it.
        starting = asyncio.ensure_future(self._spawn(program, argv, home, stdin))  # noqa: TID251
        try:
            return await asyncio.shield(starting)
        except asyncio.CancelledError:
            with suppress(OSError, ValueError):
                await _stop(await starting)
            raise
        except (OSError, ValueError) as error:
            raise ExternalFailed(f"kubectl could not be started: {error}") from error

    async def _spawn(
        self, program: str, argv: Sequence[str], home: str, stdin: str
    ) -> asyncio.subprocess.Process:
        with await asyncio.to_thread(_typed, home, stdin) as typed:
            return await asyncio.create_subprocess_exec(
                program,
                *self._limited(argv),
                stdin=typed,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env=self._environment(program, home),
                cwd=home,
                start_new_session=True,
            )

    def _limit(self, argv: Sequence[str]) -> float:
        wait = stated_wait(argv) if self._honours_waits else 0.0
        return max(self._timeout_seconds, wait + GRACE_SECONDS if wait else 0.0)

    def _limited(self, argv: Sequence[str]) -> list[str]:
        """With a limit of its own, for when nobody is left who stops it."""
        words = [*argv]
        if not any(word.partition("=")[0] == REQUEST_TIMEOUT for word in words):
            place = words.index("--") if "--" in words else len(words)
            seconds = math.ceil(self._limit(argv)) + GRACE_SECONDS
            words.insert(place, f"{REQUEST_TIMEOUT}={seconds}s")
        return words

    def _environment(self, program: str, home: str) -> dict[str, str]:
        path = os.pathsep.join((str(Path(program).parent), SYSTEM_PATH))
        cache = {"KUBECACHEDIR": str(self._cache)} if self._cache else {}
        return {"PATH": path, "HOME": home, "KUBECONFIG": str(self._kubeconfig), **cache}

    def _program(self) -> str | None:
        found = shutil.which(self._executable)
        return str(Path(found).absolute()) if found else None

    def _missing(self) -> str:
        return f"{self._executable} is not on the PATH: install kubectl or unset KUBECONFIG."

    def _trouble(self) -> str | None:
        if self._program() is None:
            return self._missing()
        try:
            with self._kubeconfig.open("rb") as file:
                file.read(1)
        except OSError as error:
            return f"KUBECONFIG {self._kubeconfig} cannot be read: {error.strerror}."
        return None


def _new_home() -> str:
    try:
        return tempfile.mkdtemp(prefix="kubectl-home-")
    except OSError as error:
        raise ExternalFailed(f"kubectl could not be started: {error}") from error


def _typed(home: str, text: str) -> BinaryIO:
    """What the program reads: a file, as a pipe would have to be fed while its output is read."""
    file = Path(home, "stdin")
    file.write_text(text, encoding="utf-8")
    return file.open("rb")


class _CappedOutput:
    """Keeps the beginning of an output and reads the rest away, so that its writer can end."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._kept = bytearray()
        self._is_cut = False

    async def read(self, stream: asyncio.StreamReader) -> None:
        while chunk := await stream.read(CHUNK_BYTES):
            room = self._limit_bytes - len(self._kept)
            self._kept += chunk[:room]
            self._is_cut = self._is_cut or len(chunk) > room

    def text(self) -> str:
        text = self._kept.decode("utf-8", errors="replace")
        return f"{text}\n… (cut after {self._limit_bytes} bytes)" if self._is_cut else text


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Kill what still runs, its children too."""
    if process.returncode is not None:
        return
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    # A child that left the process group may hold the output open; nobody waits for it.
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await process.communicate()
