"""How entries look on the two doors that stay open: as ASGI messages, the same for every reader."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import orjson
from starlette.types import Message

from app.api.streams.entries import BLOCK_END
from app.api.streams.pieces import PIECE_BYTES, Piece

HEARTBEAT = b":\n"
"""A comment without a blank line: some clients make an empty event of one with it."""
REASON_BYTES = 123
SHORTEST_RETRY_MS, LONGEST_RETRY_MS = 1000, 3000


@dataclass(frozen=True, slots=True)
class Letter:
    """A message for many readers."""

    seq: int
    """The position of a reader once it is sent."""
    message: Message
    chunk: bytes | None = None
    """The same as it stands on an HTTP/1.1 connection, for servers that lend theirs."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a stream ends, as a WebSocket client is told; an event stream just ends."""

    code: int
    reason: str


OVER = Ending(1000, "the workflow is over")
DRAINING = Ending(1001, "the server stops; connect again")
LATER = Ending(1013, "the log cannot be read now; connect again")


class Wire(Protocol):
    """One door's language."""

    @property
    def heartbeat(self) -> Message | None:
        """Breaks a silence; None where the server does that by itself."""
        ...

    def letters(self, piece: Piece) -> Sequence[Letter]:
        """A piece that has entries."""
        ...

    def reset(self, reason: str, first_seq: int) -> Message:
        """Says that what follows does not continue what the client has."""
        ...

    def farewell(self, ending: Ending) -> Message:
        """The last message."""
        ...


class EventStreamWire:
    """Server-Sent Events."""

    def __init__(self, *, is_chunked: bool) -> None:
        """The same heartbeat for all; a client of HTTP/1.0 knows no chunks."""
        self._is_chunked = is_chunked
        self.heartbeat: Message | None = body(HEARTBEAT)

    def letters(self, piece: Piece) -> Sequence[Letter]:
        """All blocks in one body; an event that is larger than a piece in several."""
        blocks = b"".join([entry.block for entry in piece.entries])
        seq = piece.entries[-1].seq
        if len(blocks) <= PIECE_BYTES:
            chunk = b"%x\r\n%b\r\n" % (len(blocks), blocks) if self._is_chunked else None
            return [Letter(seq, body(blocks), chunk)]
        places = range(0, len(blocks), PIECE_BYTES)
        slices = [body(blocks[place : place + PIECE_BYTES]) for place in places]
        return [*(Letter(seq - 1, part) for part in slices[:-1]), Letter(seq, slices[-1])]

    def reset(self, reason: str, first_seq: int) -> Message:
        """An event without an id, because it stands in no log."""
        return body(b"event: reset\ndata: %b%b" % (reset_frame(reason, first_seq), BLOCK_END))

    def farewell(self, ending: Ending) -> Message:
        """The final chunk."""
        return {"type": "http.response.body", "body": b"", "more_body": False}


class WebSocketWire:
    """A text message for each event; the server pings by itself."""

    heartbeat: Message | None = None

    def letters(self, piece: Piece) -> Sequence[Letter]:
        """The frames as they are stored."""
        return [Letter(entry.seq, text(entry.frame)) for entry in piece.entries]

    def reset(self, reason: str, first_seq: int) -> Message:
        """The same object as on the other doors."""
        return text(reset_frame(reason, first_seq))

    def farewell(self, ending: Ending) -> Message:
        """Say why."""
        reason = ending.reason.encode()[:REASON_BYTES].decode(errors="ignore")
        return {"type": "websocket.close", "code": ending.code, "reason": reason}


def body(content: bytes) -> Message:
    """A part of a response that goes on."""
    return {"type": "http.response.body", "body": content, "more_body": True}


def text(content: bytes) -> Message:
    """One WebSocket message."""
    return {"type": "websocket.send", "text": content.decode()}


def greeting() -> bytes:
    """The first bytes of an event stream: a sign of life, then the beginning of the first block."""
    retry = SHORTEST_RETRY_MS + secrets.randbelow(LONGEST_RETRY_MS - SHORTEST_RETRY_MS + 1)
    return b"%bretry: %d\n" % (HEARTBEAT, retry)


def reset_frame(reason: str, first_seq: int) -> bytes:
    """The object that all doors send; `first_seq` is where the log begins."""
    return orjson.dumps({"type": "reset", "reason": reason, "first_seq": first_seq})


NOTHING = body(b"")
"""Takes as long as the connection needs to have room again."""
EVENT_STREAM = EventStreamWire(is_chunked=True)
UNFRAMED_EVENT_STREAM = EventStreamWire(is_chunked=False)
WEB_SOCKET = WebSocketWire()
