"""A uvicorn server that ends its long answers when a signal arrives, and returns to its caller."""

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType

import orjson
import uvicorn
from fastapi import FastAPI
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from app.api.streams.transport import LENT, limit_buffer
from app.cli.patience import MOST_FRAMING_BYTES, Patience
from app.cli.unframed import ended_by_close

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
        self._exit_code = 0
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signal handler."""
        self._loop.call_soon_threadsafe(self._end_answers)
        super().handle_exit(sig, frame)

    def stop(self) -> None:
        """Stop as if a signal had come."""
        self._end_answers()
        self.should_exit = True

    def give_up(self) -> None:
        """Stop in the same way, with the exit code of a start that failed."""
        self._exit_code = 1
        self.stop()

    async def serve_until_signal(self, listener: socket.socket) -> int:
        """The exit code."""
        # uvicorn raises the signal again when it has stopped; by default that would end the
        # process before its caller has closed anything.
        signal.signal(signal.SIGTERM, lambda *_: None)
        await self.serve(sockets=[listener])
        return self._exit_code if self.started else 1


class LendingHttpProtocol(HttpToolsProtocol):
    """Lends its transport to the application, and limits what a request costs until it is whole."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A connection is there."""
        super().connection_made(transport)
        limit_buffer(transport)
        self._framing_bytes = 0
        self._is_whole = False
        self._has_asked = False
        self._patience = Patience(lambda: self.flow.read_paused, self._give_up)
        self._patience.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """There is nobody to wait for."""
        self._patience.end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request, or several requests."""
        self._framing_bytes += len(data)
        self._is_whole = False
        super().data_received(data)
        if self.transport.is_closing() or self._is_whole:
            self._patience.end()
        elif self._framing_bytes > MOST_FRAMING_BYTES:
            self._refuse(431, f"The head of a request may have {MOST_FRAMING_BYTES // 1024} KiB.")
        else:
            self._patience.begin()

    def handle_websocket_upgrade(self) -> None:
        """Another protocol has the connection from now on."""
        self._patience.end()
        self._is_whole = True
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._is_whole = False
        self.scope["state"][LENT] = self.transport

    def on_headers_complete(self) -> None:
        """A head is there; a body has its own time."""
        self._framing_bytes = 0
        self._patience.refill()
        super().on_headers_complete()
        self._has_asked = True

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._framing_bytes = 0
        self._patience.earn(len(body))
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._is_whole = True
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        is_old = cycle.scope["http_version"] == "1.0"
        super()._start_asgi_task(cycle, ended_by_close(app, cycle) if is_old else app)

    def send_400_response(self, msg: str) -> None:
        """In the shape of every other error."""
        self._refuse(400, msg)

    def _give_up(self) -> None:
        if self._framing_bytes or self._has_asked:
            self._refuse(408, "The request did not come in time.")
        else:
            # A browser keeps connections in store; an answer to no request would puzzle it.
            self.transport.close()

    def _refuse(self, status: int, sentence: str) -> None:
        """Answer, unless an answer is under way, and hang up."""
        is_answering = self._has_asked and self.cycle.response_started
        if not is_answering or self.cycle.response_complete:
            body = orjson.dumps({"detail": sentence})
            head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n"
            self.transport.write(STATUS_LINE[status] + head % len(body) + b"\r\n" + body)
        self.transport.close()


class LendingWebSocketProtocol(WebSocketsSansIOProtocol):
    """The same for WebSockets."""

    _has_accepted = False

    @property
    def handshake_complete(self) -> bool:
        """One that was refused with an answer, too: uvicorn would log it as a failure."""
        return self._has_accepted or self.close_sent

    @handshake_complete.setter
    def handshake_complete(self, is_so: bool) -> None:
        self._has_accepted = is_so

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection is there."""
        super().connection_made(transport)
        limit_buffer(self.transport)

    def handle_connect(self, event: Request) -> None:
        """A handshake has come; the application's task begins after this."""
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["state"][LENT] = self.transport

    def send_receive_event_to_app(self) -> None:
        """A text that is none is the client's mistake, and nothing for the log."""
        if self.curr_msg_data_type == "text" and not self.close_sent and not self._is_text():
            self.frames = []
            self.conn.send_close(1007)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()

    def _is_text(self) -> bool:
        try:
            b"".join(self.frames).decode()
        except UnicodeDecodeError:
            return False
        return True
