"""Feedback events as JSON lines: the file people can read, grep, copy and take elsewhere."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from app.adapters.storage.jsonl import LineFile
from app.domain.course import Report
from app.domain.feedback import FeedbackEvent, FeedbackTail, Imported, event_id

FEEDBACK_FILE = Path("feedback") / "remediation_feedback.jsonl"
"""Inside the data folder (contract with the earlier system's tools)."""
PARKED_NAME = "parked_decisions.jsonl"
PARKED_LIMIT = 1000

_EVENT: TypeAdapter[FeedbackEvent] = TypeAdapter(FeedbackEvent)


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
        self._events = LineFile(path)
        self._early = LineFile(path.with_name(PARKED_NAME))
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

    def _read(self, position: int) -> FeedbackTail:
        piece = self._events.read(position)
        begins = accumulate((len(line) + 1 for line in piece.lines), initial=piece.start)
        found = [
            (at, parse_line(line))
            for at, line in zip(begins, piece.lines, strict=False)
            if line.strip()
        ]
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
        found: list[Report] = []
        position, is_end = 0, False
        while not is_end:
            piece = self._early.read(position)
            position, is_end = piece.position, piece.is_end
            events = (parse_line(line) for line in piece.lines)
            found += (event for event in events if isinstance(event, Report))
        return found


def to_tail(
    found: Sequence[tuple[int, FeedbackEvent | None]], start: int, position: int, *, is_end: bool
) -> FeedbackTail:
    """What was read, as callers get it; None stands for what does not parse."""
    events = [(at, event) for at, event in found if event is not None]
    return FeedbackTail(
        events=tuple(event for _, event in events),
        positions=tuple(at for at, _ in events),
        start=start,
        position=position,
        unreadable=tuple(at for at, event in found if event is None),
        is_end=is_end,
    )


def to_line(event: FeedbackEvent) -> bytes:
    """One event as it stands in the file."""
    values = event.model_dump(mode="json", exclude_defaults=True)
    head = {"v": event.v, "id": event.id, "ts": values.pop("ts"), "type": event.type}
    try:
        return orjson.dumps(head | values) + b"\n"
    except orjson.JSONEncodeError:
        return _replace_halves(json.dumps(head | values, ensure_ascii=False)).encode() + b"\n"


def _replace_halves(text: str) -> str:
    """Half an emoji, left by a client that cuts texts, has no place in UTF-8."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def parse_line(line: bytes) -> FeedbackEvent | None:
    """An event of ours or of the earlier system; None when it is neither."""
    try:
        values = orjson.loads(line)
        if not isinstance(values, dict):
            return None
        if "type" not in values:
            return _parse_earlier(line, values)
        return _EVENT.validate_python(values)
    except (orjson.JSONDecodeError, ValidationError, RecursionError):
        return None


def _parse_earlier(line: bytes, values: dict[str, Any]) -> Imported:
    known = {key: value for key, value in values.items() if value is not None}
    identity = {"v": 1, "id": event_id("imported", line.decode("utf-8", "replace").strip())}
    time = _parse_time(known.pop("timestamp", None))
    return Imported.model_validate(known | identity | {"type": "imported", "ts": time})


def _parse_time(text: object) -> datetime:
    """The earlier system wrote times without a zone, meaning UTC; without any, the oldest there is."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
