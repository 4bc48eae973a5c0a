"""The event stream over Server-Sent Events: shared bytes, resumable, ended by the last event.

Source: WHATWG HTML, section 9.2 "Server-sent events".
"""

import re
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from fastapi import Response
from fastapi.responses import StreamingResponse

from app.domain.errors import BadInput
from app.domain.events import EventType, Recorded
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog
from app.observability.metrics import Metrics

HEARTBEAT_SECONDS = 15.0
HEARTBEAT = b":\n"
"""A comment without a blank line: some clients make an empty event of one with it."""
CURSOR = re.compile(r"([A-Za-z0-9]{1,40})-(\d{1,18})")
HEADERS = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last event a client has seen; seq 0 means none."""

    seq: int = 0
    is_foreign: bool = False
    """Whether it belongs to another epoch: what it points to is not in this log."""


def parse_cursor(text: str | None, epoch: str) -> Cursor:
    """`<epoch>-<seq>` or nothing; raises BadInput."""
    if not text:
        return Cursor()
    match = CURSOR.fullmatch(text)
    if match is None:
        raise BadInput("Last-Event-ID must look like <epoch>-<number>, as the stream sent it.")
    if match[1] != epoch:
        return Cursor(is_foreign=True)
    return Cursor(int(match[2]))


async def open_stream(
    workflow_id: WorkflowId, events: EventLog, cursor: Cursor, metrics: Metrics
) -> Response:
    """The response from the cursor on; 204 when nothing can follow it."""
    if cursor.seq:
        last = await events.read(workflow_id, cursor.seq - 1, 1)
        if not last:
            cursor = Cursor(is_foreign=True)
        elif last[0].is_terminal:
            return Response(status_code=204)
    resumed_from = f"{events.epoch}-{cursor.seq}" if cursor.seq else "start"
    return StreamingResponse(
        _blocks(workflow_id, events, cursor, metrics),
        media_type="text/event-stream",
        headers=HEADERS | {"stream-resumed-from": resumed_from},
    )


async def _blocks(
    workflow_id: WorkflowId, events: EventLog, cursor: Cursor, metrics: Metrics
) -> AsyncIterator[bytes]:
    with metrics.stream_open():
        yield HEARTBEAT
        first = b"retry: %d\n" % (1000 + secrets.randbelow(2000))
        if cursor.is_foreign:
            yield first + b'event: reset\ndata: {"reason":"foreign cursor","first_seq":1}\n\n'
            first = b""
        async for batch in events.follow(workflow_id, cursor.seq, HEARTBEAT_SECONDS):
            yield (first + _rendered(batch, events.epoch)) if batch else HEARTBEAT
            first = b"" if batch else first


def _rendered(batch: Sequence[Recorded], epoch: str) -> bytes:
    return b"".join(_block(event, epoch) for event in batch)


def _block(event: Recorded, epoch: str) -> bytes:
    name = b"" if event.type is EventType.STATUS else b"event: %b\n" % event.type.encode()
    return b"%bid: %b-%d\ndata: %b\n\n" % (name, epoch.encode(), event.seq, event.frame)
