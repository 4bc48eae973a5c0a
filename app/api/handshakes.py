"""Refusing a WebSocket handshake with the answer that a request would get."""

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

EXTENSION = "websocket.http.response"
POLICY_VIOLATION = 1008


async def refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the response, to a request as well; a server without the extension says 403 by itself."""
    is_handshake = scope["type"] == "websocket"
    if is_handshake and EXTENSION not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": POLICY_VIOLATION})
        return
    await response(scope, receive, send)
