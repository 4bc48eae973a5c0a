"""What a client asks for: from where, which events, until when, how often."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.api.streams.entries import Entry
from app.domain.errors import BadInput
from app.domain.events import EventType

CURSOR = re.compile(r"([A-Za-z0-9-]{1,45})-([0-9]{1,18})")
MOST_FLUSH_MS = 100
FLUSH_SECONDS = 0.015
FLUSH_SECONDS_A_READER = 0.00015
"""A write to one reader takes about 8 us, so the flushes of one stream take about a twentieth of a core."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event a client has seen; seq 0 means none."""

    seq: int
    is_foreign: bool = False
    """Whether it belongs to another epoch: what it points to is not in this log."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What stays the same while a stream is open; readers with equal terms get the same bytes."""

    types: frozenset[EventType] | None = None
    """None for all; the events that end a stream are always part of it."""
    until_outcome: bool = False
    flush_seconds: float | None = None
    """Events that come closer together than this are written together; None leaves it to us."""

    def flush_pause(self, readers: int) -> float:
        """Seconds from one write to so many readers to the next, urgent events apart."""
        if self.flush_seconds is not None:
            return self.flush_seconds
        return min(FLUSH_SECONDS + FLUSH_SECONDS_A_READER * readers, MOST_FLUSH_MS / 1000)

    def wants(self, entry: Entry) -> bool:
        """Whether the client is to see it."""
        if self.types is None or entry.type in self.types:
            return True
        return entry.is_terminal or entry.is_final

    def ends_at(self, entry: Entry, final: int) -> bool:
        """Whether the response ends after it; `final` as the backlog has it."""
        if entry.is_terminal and not self.until_outcome:
            return True
        return entry.seq >= final if final else entry.is_final


@dataclass(frozen=True, slots=True)
class Wish:
    """A client's whole request."""

    cursor: Cursor | None
    starts_now: bool
    terms: Terms


def parse_wish(asked: Mapping[str, str], epoch: str) -> Wish:
    """From a query or a client's first frame; raises BadInput."""
    begin = asked.get("from", "start")
    if begin not in {"start", "now"}:
        raise BadInput("from must be start or now.")
    until = asked.get("until")
    if until not in {None, "outcome"}:
        raise BadInput("until must be outcome, or left out.")
    return Wish(
        cursor=parse_cursor(asked.get("last_event_id"), epoch),
        starts_now=begin == "now",
        terms=Terms(
            types=_parse_types(asked.get("types")),
            until_outcome=until is not None,
            flush_seconds=_parse_flush(asked.get("flush_ms")),
        ),
    )


def parse_cursor(text: str | None, epoch: str) -> Cursor | None:
    """`<epoch>-<number>`, or nothing; raises BadInput."""
    if not text:
        return None
    match = CURSOR.fullmatch(text)
    if match is None:
        raise BadInput(
            "Last-Event-ID (or last_event_id, after) must look like <epoch>-<number>, as it was sent."
        )
    return Cursor(int(match[2])) if match[1] == epoch else Cursor(0, is_foreign=True)


def _parse_types(text: str | None) -> frozenset[EventType] | None:
    if text is None:
        return None
    try:
        return frozenset(EventType(name) for name in text.split(","))
    except ValueError:
        known = ", ".join(EventType)
        raise BadInput(f"types must be names out of {known}; with commas between them.") from None


def _parse_flush(text: str | None) -> float | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= MOST_FLUSH_MS):
        raise BadInput(f"flush_ms must be a number from 0 to {MOST_FLUSH_MS}.")
    return int(text) / 1000
