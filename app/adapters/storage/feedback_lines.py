"""How a feedback event stands in a line, and which of a log's lines are none of ours."""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from app.domain.feedback import FeedbackEvent, FeedbackTail, Imported, event_id
from app.domain.housekeeping import Compacted

VERSION = 1
"""Of the lines we write; one with a higher `v` is left to the version that wrote it."""
_EVENT: TypeAdapter[FeedbackEvent] = TypeAdapter(FeedbackEvent)
_COMPACTED = re.compile(rb'\{"v":1,"id":"[^"]*","ts":"[^"]*","type":"compacted","generation":(\d+)')


def to_tail(
    found: Sequence[tuple[int, bytes]], start: int, position: int, *, is_end: bool
) -> FeedbackTail:
    """Lines and where they stand, as callers get them."""
    parsed = [(at, line, parse_line(line)) for at, line in found if line.strip()]
    events = [(at, event) for at, _, event in parsed if event is not None]
    others = [(at, is_newer(line)) for at, line, event in parsed if event is None]
    return FeedbackTail(
        events=tuple(event for _, event in events),
        positions=tuple(at for at, _ in events),
        start=start,
        position=position,
        unreadable=tuple(at for at, is_later in others if not is_later),
        newer=tuple(at for at, is_later in others if is_later),
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


def parse_line(line: bytes) -> FeedbackEvent | None:
    """An event of ours or of the earlier system; None when it is neither."""
    try:
        values = orjson.loads(line)
        if not isinstance(values, dict) or _is_of_later_version(values):
            return None
        if "type" not in values:
            return _parse_earlier(line, values)
        return _EVENT.validate_python(values)
    except (orjson.JSONDecodeError, ValidationError, RecursionError):
        return None


def is_newer(line: bytes) -> bool:
    """Whether a later version of this product wrote it."""
    try:
        values = orjson.loads(line)
    except (orjson.JSONDecodeError, RecursionError):
        return False
    return isinstance(values, dict) and _is_of_later_version(values)


def generation_of(head: bytes) -> int:
    """How often the log that begins like this was written anew."""
    found = _COMPACTED.match(head)
    return int(found.group(1)) if found else 0


def compacted(generation: int, at: datetime) -> Compacted:
    """The first line of a log that was written anew."""
    identity = event_id("compacted", generation, at.isoformat())
    return Compacted(id=identity, ts=at, generation=generation)


def _is_of_later_version(values: dict[str, Any]) -> bool:
    version = values.get("v")
    return isinstance(version, int) and version > VERSION


def _replace_halves(text: str) -> str:
    """Half an emoji, left by a client that cuts texts, has no place in UTF-8."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


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
