"""A child process that takes one JSON object a line and answers each with one."""

import asyncio
import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 60.0
STOP_LIMIT_SECONDS = 10.0

Say = dict[str, Any]


class Child:
    """Talks to it; `ready` is what it said first."""

    def __init__(self, module: str, *arguments: str) -> None:
        """Start `python -m <module>` and wait for its first line."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=REPOSITORY,
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._rest = b""
        try:
            self.ready = self.hear()
        except BaseException:
            self.kill()
            raise

    def ask(self, limit: float = LIMIT_SECONDS, /, **request: object) -> Say:
        """Say something and wait for the answer."""
        self.tell(**request)
        return self.hear(limit)

    def tell(self, **request: object) -> None:
        """Say something; the answer is heard later."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self, limit: float = LIMIT_SECONDS) -> Say:
        """The next line; silence for so long, or the end, is an error."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + limit
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._rest:
                if not selector.select(deadline - time.monotonic()):
                    raise AssertionError(f"{self.process.args!r} is silent")
                piece = os.read(self.process.stdout.fileno(), 65_536)
                assert piece, f"{self.process.args!r} has ended"
                self._rest += piece
        line, _, self._rest = self._rest.partition(b"\n")
        said: Say = json.loads(line)
        return said

    def stop(self) -> None:
        """Let it end by itself; it has so long."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.close()
            self.process.wait(STOP_LIMIT_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """Take the power away; nothing happens when it has ended."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def child(module: str, *arguments: str) -> Iterator[Child]:
    """A child that is stopped at the end."""
    started = Child(module, *arguments)
    try:
        yield started
    finally:
        started.stop()


async def answer_requests(answer: Callable[[Say], Awaitable[Mapping[str, object]]]) -> None:
    """The child's side: until the parent closes its end."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        say(await answer(json.loads(line)))


def say(said: Mapping[str, object]) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def _environment() -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("COVERAGE_") or name in {"PATH", "HOME", "TMPDIR"}
    }
    return kept | {"PYTHONPATH": str(REPOSITORY)}
