"""A uvicorn server that ends its long answers when a signal arrives, and returns to its caller."""

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.api.streams.transport import LENT, limit_buffer

PING_SECONDS = 15.0
PONG_SECONDS = 30.0
MOST_FRAME_BYTES = 16 * 1024
"""More than any client has to say; the application's own limit is lower and answers better."""


class SignalledServer(uvicorn.Server):
    """Waiting for an open event stream would never end, so `end_answers` is called first."""

    def __init__(
        self, app: FastAPI, end_answers: Callable[[], None], *, grace_seconds: int
    ) -> None:
        """Serve this application; made inside the running event loop."""
        super().__init__(
            uvicorn.Config(
                app,
                http=LendingHttpProtocol,
                ws=LendingWebSocketProtocol,
                ws_max_size=MOST_FRAME_BYTES,
                ws_ping_interval=PING_SECONDS,
                ws_ping_timeout=PONG_SECONDS,
                # A compressor for every client would cost more than all the rest of it.
                ws_per_message_deflate=False,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=grace_seconds,
                server_header=False,
            )
        )
        self._end_answers = end_answers
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signal handler."""
        self._loop.call_soon_threadsafe(self._end_answers)
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Stop as if a signal had come."""
        self._end_answers()
        self.should_exit = True

    async def serve_until_signal(self, listener: socket.socket) -> int:
        """The exit code."""
        # uvicorn raises the signal again when it has stopped; by default that would end the
        # process before its caller has closed anything.
        signal.signal(signal.SIGTERM, lambda *_: None)
        await self.serve(sockets=[listener])
        return 0 if self.started else 1


class LendingHttpProtocol(HttpToolsProtocol):
    """Lends its transport to the application, which limits what a slow reader costs."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is there."""
        super().connection_made(transport)
        limit_buffer(transport)

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.scope["state"][LENT] = self.transport


class LendingWebSocketProtocol(WebSocketsSansIOProtocol):
    """The same for WebSockets."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection is there."""
        super().connection_made(transport)
        limit_buffer(self.transport)

    def handle_connect(self, event: Request) -> None:
        """A handshake has come; the application's task begins after this."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["state"][LENT] = self.transport
