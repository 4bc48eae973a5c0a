"""The event stream as Server-Sent Events: a raw ASGI endpoint, because streams are many and long.

Source: WHATWG HTML, section 9.2 "Server-sent events".
"""

from http import HTTPStatus

from starlette.types import Message, Receive, Scope, Send

from app.api.streams.fanout import Fanout
from app.api.streams.reader import Reader
from app.api.streams.requests import MEDIA_TYPE, parse_workflow_id, read_asked
from app.api.streams.terms import parse_wish
from app.api.streams.transport import transport_of
from app.api.streams.wires import EVENT_STREAM, OVER, body, greeting

HEADERS = (
    (b"content-type", MEDIA_TYPE + b"; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),
)


async def answer_event_stream(
    fanout: Fanout, workflow_id: str, scope: Scope, receive: Receive, send: Send
) -> HTTPStatus:
    """GET and HEAD of a workflow's stream; raises AppError before anything is sent."""
    wish = parse_wish(read_asked(scope), fanout.events.epoch)
    with fanout.follow(parse_workflow_id(workflow_id)) as stream:
        beginning = await stream.begin(wish)
        status = HTTPStatus.NO_CONTENT if beginning.is_over else HTTPStatus.OK
        await send(_head(status, beginning.position, fanout.events.epoch))
        if beginning.is_over or scope["method"] == "HEAD":
            await send(EVENT_STREAM.farewell(OVER))
            return status
        await send(body(greeting()))
        if beginning.reset is not None:
            await send(EVENT_STREAM.reset(beginning.reset, beginning.position + 1))
        reader = Reader(beginning.position, send, transport_of(scope))
        cohort = stream.join(reader, EVENT_STREAM, wish.terms)
        try:
            # The server says this when the client is gone, and also when the response is complete.
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            cohort.leave(reader)
        return status


def _head(status: HTTPStatus, position: int, epoch: str) -> Message:
    headers = []
    if status is HTTPStatus.OK:
        resumed = f"{epoch}-{position}" if position else "start"
        headers = [*HEADERS, (b"stream-resumed-from", resumed.encode())]
    return {"type": "http.response.start", "status": status, "headers": headers}
