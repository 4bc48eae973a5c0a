"""Feedback events as JSON lines: the file people can read, grep, copy and take elsewhere."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import accumulate
from pathlib import Path

from app.adapters.storage.feedback_lines import generation_of, parse_line, to_line, to_tail
from app.adapters.storage.feedback_rewriting import FileRewriting, stored_lines
from app.adapters.storage.jsonl import LineFile
from app.domain.course import Report
from app.domain.feedback import FeedbackEvent, FeedbackTail
from app.domain.rewriting import Rewriting, StoredLine

FEEDBACK_FILE = Path("feedback") / "remediation_feedback.jsonl"
"""Inside the data folder (contract with the earlier system's tools)."""
PARKED_NAME = "parked_decisions.jsonl"
PARKED_LIMIT = 1000
MARK_BYTES = 64 * 1024


def snapshot_of(path: Path) -> Path:
    """Where the snapshot of a feedback file is."""
    return path.with_suffix(".snapshot")


@asynccontextmanager
async def open_feedback_file(path: Path) -> AsyncIterator["FeedbackFile"]:
    """The feedback file, made when missing; raises StorageFailed when it cannot be written."""
    file = FeedbackFile(path)
    await file.open()
    yield file


class FeedbackFile:
    """A FeedbackStore in two files: the events, and beside it the reports that came early.

    Early reports stand apart because anyone may send them: they must not fill the events.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is touched before `open`."""
        self._events = LineFile(path, generation_of)
        self._early = LineFile(path.with_name(PARKED_NAME))
        self._writers = LineFile(path.with_name(f"{path.name}.rewriting"))
        """Locked by who writes the file anew; there is no such file."""
        self._snapshot = snapshot_of(path)
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Make what is missing and seal a torn tail."""
        await asyncio.to_thread(self._events.open)

    async def append(self, events: Sequence[FeedbackEvent]) -> None:
        """Durable when it returns; raises StorageFailed."""
        if not events:
            return
        data = b"".join(to_line(event) for event in events)
        async with self._turn:
            await asyncio.to_thread(self._events.append, data)

    async def read(self, position: int) -> FeedbackTail:
        """A piece of what follows a position, whoever wrote it."""
        return await asyncio.to_thread(self._read, position)

    async def fetch(self, positions: Sequence[int]) -> Sequence[FeedbackEvent | None]:
        """The events whose lines begin at these positions."""
        return await asyncio.to_thread(self._fetch, positions)

    async def park(self, report: Report) -> None:
        """Keep a report whose proposal is not known yet."""
        async with self._turn:
            await asyncio.to_thread(self._park, report)

    async def parked(self) -> Sequence[Report]:
        """The newest reports that wait, oldest first."""
        return await asyncio.to_thread(self._parked)

    async def rewrite(self, rewriting: Rewriting) -> None:
        """Write both files anew; others append meanwhile, and lose nothing."""
        async with self._turn:
            await asyncio.to_thread(self._rewrite, rewriting)

    async def lines(self) -> AsyncIterator[StoredLine]:
        """Every committed line of both files."""
        for file in (self._events, self._early):
            for _, line in stored_lines(file):
                yield line

    async def mark(self, position: int) -> str:
        """A digest of the beginning and of what stands just before a position."""
        before = await asyncio.to_thread(self._events.before, position, MARK_BYTES)
        return sha256(before).hexdigest()

    def _read(self, position: int) -> FeedbackTail:
        piece = self._events.read(position)
        begins = accumulate((len(line) + 1 for line in piece.lines), initial=piece.start)
        found = [*zip(begins, piece.lines, strict=False)]
        return to_tail(found, piece.start, piece.position, is_end=piece.is_end)

    def _fetch(self, positions: Sequence[int]) -> list[FeedbackEvent | None]:
        return [parse_line(line) for line in self._events.lines_at(positions)]

    def _park(self, report: Report) -> None:
        with self._early.locked():
            kept = self._parked()
            if any(earlier.id == report.id for earlier in kept):
                return
            if len(kept) < PARKED_LIMIT:
                self._early.append(to_line(report))
            else:
                newest = [*kept[1 - PARKED_LIMIT :], report]
                self._early.replace(b"".join(to_line(event) for event in newest))

    def _parked(self) -> list[Report]:
        events = (line.event for _, line in stored_lines(self._early))
        return [event for event in events if isinstance(event, Report)]

    def _rewrite(self, rewriting: Rewriting) -> None:
        with self._writers.locked():
            # What it knows may be what is to be forgotten.
            self._snapshot.unlink(missing_ok=True)
            FileRewriting(self._events, self._early, rewriting).run()
