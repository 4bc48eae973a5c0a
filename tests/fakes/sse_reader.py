"""A client of event streams on a raw socket: reads the wire as WHATWG HTML 9.2.6 says, and notices
what others hide: a body that was cut, a connection that was refused, a block that came again.
"""

import socket
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

PIECE = 65_536
LIMIT_SECONDS = 30.0


class Cut(Exception):
    """The connection broke before the body had ended."""


@dataclass(frozen=True, slots=True)
class Dispatched:
    """One event as a page would get it."""

    event: str
    id: str
    data: str


@dataclass(slots=True)
class Parser:
    """Bytes in, events out; a block that has not ended is kept, and lost with the parser."""

    last_id: str = ""
    retries: list[int] = field(default_factory=list)
    _event: str = ""
    _data: list[str] = field(default_factory=list)
    _rest: bytes = b""
    _after_return: bool = False

    def feed(self, piece: bytes) -> Iterator[Dispatched]:
        """Events that these bytes complete."""
        if self._after_return and piece:
            piece = piece.removeprefix(b"\n")
        self._after_return = piece.endswith(b"\r") if piece else self._after_return
        text = (self._rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = text.split(b"\n")
        for line in lines:
            if line:
                self._take(line.decode())
            elif (dispatched := self._dispatch()) is not None:
                yield dispatched

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self.last_id = value
            case "retry" if value.isdecimal():
                self.retries.append(int(value))
            case _:
                pass

    def _dispatch(self) -> Dispatched | None:
        event, data = self._event or "message", self._data
        self._event, self._data = "", []
        return Dispatched(event, self.last_id, "\n".join(data)) if data else None


class Answer:
    """A response whose head has come: status, headers, and the body as it comes."""

    def __init__(self, plug: socket.socket) -> None:
        """Read the head; raises Cut."""
        self._plug = plug
        self._buffer = b""
        head = self._until(b"\r\n\r\n").decode("latin-1")
        first, *lines = head.split("\r\n")
        self.status = int(first.split()[1])
        pairs = (line.partition(":") for line in lines)
        self.headers = {name.lower(): value.strip() for name, _, value in pairs}

    def body(self) -> Iterator[bytes]:
        """Pieces without their framing; raises Cut when it does not end as HTTP says."""
        if self.headers.get("transfer-encoding") == "chunked":
            yield from self._chunks()
        elif "content-length" in self.headers:
            yield self._exactly(int(self.headers["content-length"]))
        elif self.status != 204:
            while piece := self._buffer or self._plug.recv(PIECE):
                self._buffer = b""
                yield piece

    def text(self) -> Iterator[bytes]:
        """The body without its compression, as far as it can be read at any moment."""
        if self.headers.get("content-encoding") != "gzip":
            yield from self.body()
            return
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        for piece in self.body():
            yield unpacker.decompress(piece)

    def events(self, parser: Parser | None = None) -> Iterator[Dispatched]:
        """The body's events."""
        parser = parser or Parser()
        for piece in self.text():
            yield from parser.feed(piece)

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._until(b"\r\n"), 16):
            chunk = self._exactly(size)
            self._exactly(2)
            yield chunk
        self._exactly(2)

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._receive()
        found, _, self._buffer = self._buffer.partition(mark)
        return found

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._receive()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _receive(self) -> None:
        try:
            piece = self._plug.recv(PIECE)
        except ConnectionError as error:
            raise Cut from error
        if not piece:
            raise Cut
        self._buffer += piece


@contextmanager
def opened(
    port: int, path: str, headers: Mapping[str, str] | None = None, limit: float = LIMIT_SECONDS
) -> Iterator[Answer]:
    """GET it; raises OSError when nobody listens and Cut when there is no answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=limit) as plug:
        lines = [f"GET {path} HTTP/1.1", "host: 127.0.0.1", "accept: text/event-stream"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        try:
            plug.sendall("\r\n".join([*lines, "", ""]).encode())
        except ConnectionError as error:
            raise Cut from error
        yield Answer(plug)


def stream_path(workflow_id: str, query: str = "") -> str:
    """Where a workflow's stream is."""
    return f"/api/v1/workflows/{workflow_id}/stream{query}"


def resumed_at(last_id: str) -> dict[str, str]:
    """The header that a browser sends when it connects again."""
    return {"last-event-id": last_id} if last_id else {}


@dataclass
class ResumingReader:
    """Follows a stream over every drop, its own and others', from its last id, until it gets 204."""

    port: int
    path: str
    chance: Random
    drop_after: int
    """It hangs up by itself after at most so many bytes."""
    seen: list[Dispatched] = field(default_factory=list)
    connections: int = 0
    refusal: int = 0
    """A status after which a browser would not have come back."""
    is_dismissed: threading.Event = field(default_factory=threading.Event)

    def follow(self) -> None:
        """Return at the end of the workflow, when refused, or when dismissed."""
        while not self.is_dismissed.is_set():
            try:
                if self._is_over():
                    return
            except (OSError, Cut):
                self.is_dismissed.wait(0.02)

    def _is_over(self) -> bool:
        last_id = self.seen[-1].id if self.seen else ""
        with opened(self.port, self.path, resumed_at(last_id)) as answer:
            self.connections += 1
            if answer.status != 200:
                self.refusal = 0 if answer.status == 204 else answer.status
                return True
            self._read(answer, Parser(last_id), self.chance.randint(1, self.drop_after))
        return False

    def _read(self, answer: Answer, parser: Parser, bytes_left: int) -> None:
        for piece in answer.body():
            self.seen.extend(parser.feed(piece[:bytes_left]))
            bytes_left -= len(piece)
            if bytes_left <= 0 or self.is_dismissed.is_set():
                return


@dataclass(frozen=True, slots=True)
class Faults:
    """How what a reader saw differs from the log."""

    lost: int
    doubled: int
    reordered: int
    changed: int

    @property
    def total(self) -> int:
        """0 is right."""
        return self.lost + self.doubled + self.reordered + self.changed


def compared(seen: Sequence[Dispatched], log: Sequence[Dispatched]) -> Faults:
    """Against a whole reading of the finished workflow."""
    known = {event.id: event for event in log}
    order = {event.id: place for place, event in enumerate(log)}
    places = [order.get(event.id, -1) for event in seen]
    return Faults(
        lost=len(known.keys() - {event.id for event in seen}),
        doubled=len(seen) - len({event.id for event in seen}),
        reordered=sum(later < earlier for earlier, later in pairwise(places)),
        changed=sum(known.get(event.id) != event for event in seen),
    )
