"""The event stream over WebSocket: the client's first frame says what it wants.

What the frame leaves out is taken from the address and the headers, as the event stream takes it.

Close codes: 1000 after the last event, 1001 when the server stops, 1003 and 1009 for frames that
are not understood or too large, 1008 without a first frame, 1013 when the server is full or cannot
read its log, 4400 for a request that makes no sense, 4404 for an unknown workflow.
"""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from app.api.foreign_pages import REFUSAL, is_foreign
from app.api.handshakes import refuse
from app.api.streams.cohort import Cohort
from app.api.streams.fanout import Draining, Fanout
from app.api.streams.reader import Reader
from app.api.streams.requests import parse_workflow_id, read_asked
from app.api.streams.terms import parse_wish
from app.api.streams.transport import transport_of
from app.api.streams.wires import OVER, WEB_SOCKET, Ending
from app.domain.errors import AppError, BadInput, NotFound

MOST_BYTES = 4096
FIELDS = {"last_event_id", "types", "from", "until", "flush_ms"}
PING = {"type": "ping"}
PONG: Message = {"type": "websocket.send", "text": '{"type":"pong"}'}


class Refused(Exception):
    """The connection is to be closed; the client is told why."""

    def __init__(self, code: int, reason: str) -> None:
        """With this code, and one sentence."""
        super().__init__(reason)
        self.ending = Ending(code, reason)


class ClientGone(Exception):
    """There is nobody to talk to."""


async def answer_web_socket(
    fanout: Fanout, workflow_id: str, scope: Scope, receive: Receive, send: Send
) -> None:
    """One connection, from the handshake to its close."""
    await receive()
    if is_foreign(Headers(scope=scope)):
        await refuse(JSONResponse(REFUSAL, HTTPStatus.FORBIDDEN), scope, receive, send)
        return
    await send({"type": "websocket.accept"})
    try:
        await _serve(fanout, workflow_id, scope, receive, send)
    except Refused as refused:
        await send(WEB_SOCKET.farewell(refused.ending))
    except AppError as error:
        await send(WEB_SOCKET.farewell(Ending(_code_of(error), str(error))))
    except ClientGone:
        return


async def _serve(
    fanout: Fanout, workflow_id: str, scope: Scope, receive: Receive, send: Send
) -> None:
    with fanout.follow(parse_workflow_id(workflow_id)) as stream:
        await stream.open()
        asked = {**read_asked(scope), **await _first_frame(fanout, receive)}
        wish = parse_wish(asked, fanout.events.epoch)
        beginning = await stream.begin(wish)
        if beginning.is_over:
            raise Refused(OVER.code, OVER.reason)
        if beginning.reset is not None:
            await send(WEB_SOCKET.reset(beginning.reset, beginning.position + 1))
        reader = Reader(beginning.position, send, transport_of(scope))
        cohort = stream.join(reader, WEB_SOCKET, wish.terms)
        try:
            await _answer_pings(cohort, reader, receive)
        finally:
            cohort.leave(reader)


async def _first_frame(fanout: Fanout, receive: Receive) -> Mapping[str, str]:
    seconds = fanout.limits.first_frame_seconds
    try:
        async with asyncio.timeout(seconds):
            frame = await _read_frame(receive)
    except TimeoutError:
        raise Refused(1008, f"no first frame within {seconds:g} s; {{}} is enough") from None
    if not frame.keys() <= FIELDS:
        raise Refused(1003, f"the first frame may have {', '.join(sorted(FIELDS))}; nothing else")
    return {name: _text(name, value) for name, value in frame.items() if value is not None}


def _text(name: str, value: object) -> str:
    match value:
        case str():
            return value
        case int() if name == "flush_ms":
            return str(value)
        case list() if name == "types" and all(isinstance(kind, str) for kind in value):
            return ",".join(value)
        case _:
            raise BadInput(f"{name} must be text.")


async def _answer_pings(cohort: Cohort, reader: Reader, receive: Receive) -> None:
    while True:
        try:
            if await _read_frame(receive) != PING:
                raise Refused(1003, 'only {"type":"ping"} is understood here')
            cohort.answer(reader, PONG)
        except Refused as refused:
            cohort.dismiss(reader, refused.ending)


async def _read_frame(receive: Receive) -> Mapping[str, object]:
    message = await receive()
    if message["type"] == "websocket.disconnect":
        raise ClientGone
    content = message.get("text") or ""
    if len(content.encode()) > MOST_BYTES:
        raise Refused(1009, f"a frame may have {MOST_BYTES} bytes")
    try:
        frame = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Refused(1003, "a frame must be text, a JSON object") from None
    if not isinstance(frame, dict):
        raise Refused(1003, "a frame must be a JSON object")
    return frame


def _code_of(error: AppError) -> int:
    match error:
        case BadInput():
            return 4400
        case NotFound():
            return 4404
        case Draining():
            return 1001
        case _:
            return 1013
