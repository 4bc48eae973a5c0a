"""An event as it goes out: its SSE block is made once, for everybody.

Source: WHATWG HTML, section 9.2 "Server-sent events".
"""

from dataclasses import dataclass

import orjson

from app.domain.events import EventType, Recorded

BLOCK_END = b"\n\n"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event; the frame is a part of the block, so that memory holds it once."""

    seq: int
    type: EventType
    is_terminal: bool
    is_final: bool
    """Whether nothing at all is to come after it, not even what a decision leads to."""
    block: bytes
    frame_begin: int

    @property
    def frame(self) -> bytes:
        """The JSON object, byte for byte as it is stored."""
        return self.block[self.frame_begin : -len(BLOCK_END)]


def to_entry(event: Recorded, epoch: str) -> Entry:
    """Render a stored event; it is the only time."""
    name = b"" if event.type is EventType.STATUS else b"event: %b\n" % event.type.encode()
    head = b"%bid: %b-%d\ndata: " % (name, epoch.encode(), event.seq)
    is_final = event.type is EventType.OUTCOME or (
        event.is_terminal and not _has_proposals(event.frame)
    )
    return Entry(
        seq=event.seq,
        type=event.type,
        is_terminal=event.is_terminal,
        is_final=is_final,
        block=b"%b%b%b" % (head, event.frame, BLOCK_END),
        frame_begin=len(head),
    )


def _has_proposals(frame: bytes) -> bool:
    """Whether people have something to decide; an outcome event follows then."""
    outcome = orjson.loads(frame).get("outcome")
    return bool(outcome and outcome.get("proposals"))
