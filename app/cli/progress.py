"""Says on standard error how far a long run has come, and at its end how long it took."""

import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from app.domain.feedback import FeedbackEvent, FeedbackRecord
from app.domain.rewriting import Rewriting, StoredLine

EVERY_SECONDS = 1.0
EVERY_SECONDS_IN_A_FILE = 10.0
SHORT_SECONDS = 2.0
"""What is done sooner needs no such words."""


class Progress:
    """Counts lines; on a terminal its own line is written over."""

    def __init__(
        self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """The time runs from here on."""
        self._stream, self._clock = stream or sys.stderr, clock
        self._is_terminal = self._stream.isatty()
        self._every = EVERY_SECONDS if self._is_terminal else EVERY_SECONDS_IN_A_FILE
        self._begun = self._said = clock()
        self._step = ""
        self.count = 0

    def begin(self, step: str) -> None:
        """Count anew."""
        self._step, self.count = step, 0

    def add(self) -> None:
        """One more; said now and then."""
        self.count += 1
        # The clock is asked seldom: a line takes some microseconds.
        if self.count % 256 == 0 and (now := self._clock()) - self._said >= self._every:
            self._said = now
            self._say(f"{self._step}: {self.count:,} lines, {now - self._begun:.0f} s")

    def end(self) -> None:
        """How long everything took, where that was long."""
        took = self._clock() - self._begun
        if took >= SHORT_SECONDS:
            self._say(f"took {took:.1f} s")
            if self._is_terminal:
                print(file=self._stream, flush=True)

    async def counted(
        self, step: str, lines: AsyncIterator[StoredLine]
    ) -> AsyncIterator[StoredLine]:
        """The lines, counted."""
        self.begin(step)
        async for line in lines:
            self.add()
            yield line

    def _say(self, text: str) -> None:
        if self._is_terminal:
            print(f"\r{text:<60}", end="", file=self._stream, flush=True)
        else:
            print(text, file=self._stream, flush=True)


@contextmanager
def progress() -> Iterator[Progress]:
    """From here to the end of the block."""
    shown = Progress()
    yield shown
    shown.end()


class CountedRecords:
    """A watcher of the ledger that tells how far it is."""

    def __init__(self, shown: Progress) -> None:
        """It begins when the ledger does."""
        self._shown = shown

    def update(self, number: int, record: FeedbackRecord) -> None:
        """Another one is made."""
        self._shown.add()

    def clear(self) -> None:
        """From the beginning."""
        self._shown.begin("put together")


class CountedRewriting:
    """Tells how far a rewriting has come."""

    def __init__(self, rewriting: Rewriting, shown: Progress) -> None:
        """It begins with looking."""
        self._rewriting, self._shown = rewriting, shown
        shown.begin("read")

    def look(self, line: StoredLine) -> None:
        """The first time."""
        self._shown.add()
        self._rewriting.look(line)

    def news(self) -> Sequence[FeedbackEvent]:
        """Between both."""
        self._shown.begin("written anew")
        return self._rewriting.news()

    def keep(self, line: StoredLine) -> bytes | None:
        """The second time."""
        self._shown.add()
        return self._rewriting.keep(line)
