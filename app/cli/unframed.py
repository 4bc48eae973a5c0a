"""Answers without a length for clients of HTTP/1.0, which know no chunks."""

from uvicorn._types import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle


def ended_by_close(app: ASGI3Application, cycle: RequestResponseCycle) -> ASGI3Application:
    """The application, whose answer of unknown length the server is not to cut into chunks."""

    async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        is_unframed = False

        async def send_unframed(message: ASGISendEvent) -> None:
            nonlocal is_unframed
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message.get("headers", ())}
                is_unframed = b"content-length" not in names
                if is_unframed:
                    cycle.chunked_encoding = False
            elif message["type"] == "http.response.body" and is_unframed:
                # Each piece is exactly as long as it was to be, so the server adds nothing to it.
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_unframed)

    return answer
