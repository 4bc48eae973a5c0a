"""A uvicorn server that ends its long answers when a signal arrives, and returns to its caller."""

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI


class SignalledServer(uvicorn.Server):
    """Waiting for an open event stream would never end, so `end_answers` is called first."""

    def __init__(
        self, app: FastAPI, end_answers: Callable[[], None], *, grace_seconds: int
    ) -> None:
        """Serve this application; made inside the running event loop."""
        super().__init__(
            uvicorn.Config(
                app,
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
