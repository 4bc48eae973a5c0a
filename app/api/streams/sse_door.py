"""The event stream as Server-Sent Events: a raw ASGI endpoint, because streams are many and long.

Source: WHATWG HTML, section 9.2 "Server-sent events".
"""

from http import HTTPStatus

from starlette.types import Message, Receive, Scope, Send

from app.api.streams.fanout import Fanout
from app.api.streams.reader import Reader
from app.api.streams.requests import MEDIA_TYPE, parse_workflow_id, read_asked
from app.api.streams.stream import Beginning
from app.api.streams.terms import parse_wish
from app.api.streams.transport import transport_of
from app.api.streams.wires import EVENT_STREAM, OVER, UNFRAMED_EVENT_STREAM, body, greeting

HEADERS = (
    (b"content-type", MEDIA_TYPE + b"; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
)
CHUNKED = (b"transfer-encoding", b"chunked")
"""Readers write their chunks to a connection that is lent."""


async def answer_event_stream(
    fanout: Fanout, workflow_id: str, scope: Scope, receive: Receive, send: Send
) -> HTTPStatus:
    """GET and HEAD of a workflow's stream; raises AppError before anything is sent."""
    wish = parse_wish(read_asked(scope), fanout.events.epoch)
    with fanout.follow(parse_workflow_id(workflow_id)) as stream:
        beginning = await stream.begin(wish)
        is_chunked = transport_of(scope) is not None and not _is_old(scope)
        await send(_head(beginning, fanout.events.epoch, is_chunked=is_chunked))
        if beginning.is_over or scope["method"] == "HEAD":
            await send(EVENT_STREAM.farewell(OVER))
            return _status(beginning)
        await send(body(greeting()))
        if beginning.reset is not None:
            await send(EVENT_STREAM.reset(beginning.reset, beginning.position + 1))
        reader = Reader(beginning.position, send, transport_of(scope))
        wire = UNFRAMED_EVENT_STREAM if _is_old(scope) else EVENT_STREAM
        cohort = stream.join(reader, wire, wish.terms)
        try:
            # The server says this when the client is gone, and also when the response is complete.
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            cohort.leave(reader)
        return _status(beginning)


def _is_old(scope: Scope) -> bool:
    return scope.get("http_version") == "1.0"


def _head(beginning: Beginning, epoch: str, *, is_chunked: bool) -> Message:
    if beginning.is_over:
        return {"type": "http.response.start", "status": _status(beginning), "headers": []}
    resumed = f"{epoch}-{beginning.position}" if beginning.position else "start"
    headers = [*HEADERS, (b"stream-resumed-from", resumed.encode())]
    if is_chunked:
        headers.append(CHUNKED)
    return {"type": "http.response.start", "status": _status(beginning), "headers": headers}


def _status(beginning: Beginning) -> HTTPStatus:
    return HTTPStatus.NO_CONTENT if beginning.is_over else HTTPStatus.OK
