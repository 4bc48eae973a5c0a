"""The doors that stay open stand in front of the application: a client that waits costs little."""

import re
import time
from collections.abc import Awaitable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.handshakes import refuse as refuse_handshake
from app.api.known_hosts import KnownHosts
from app.api.streams.fanout import Fanout
from app.api.streams.requests import refuse
from app.api.streams.sse_door import answer_event_stream
from app.api.streams.ws_door import answer_web_socket
from app.domain.errors import AppError

ROUTE = "/api/v1/workflows/{workflow_id}/"
PATH = re.compile(ROUTE.replace("{workflow_id}", "([^/]+)") + "(stream|ws)")
DOCUMENTED = Path(__file__).with_name("openapi.yaml")
READS = {"GET", "HEAD"}
NOT_FOUND = JSONResponse({"detail": "Not Found"}, 404)
NOT_ALLOWED = JSONResponse({"detail": "Method Not Allowed"}, 405, {"Allow": "GET, HEAD"})


class StreamingApplication(FastAPI):
    """FastAPI behind the doors; `state.fanout` is open while it runs."""

    known_hosts: frozenset[str] | None = None
    """The names it answers to; None for any."""

    def end_streams(self) -> None:
        """The process stops: every stream ends, and none begins."""
        fanout: Fanout | None = getattr(self.state, "fanout", None)
        if fanout is not None:
            fanout.drain()

    def openapi(self) -> dict[str, Any]:
        """With the doors that FastAPI does not see."""
        schema = super().openapi()
        schema["paths"].update(yaml.safe_load(DOCUMENTED.read_text(encoding="utf-8")))
        return schema

    def build_middleware_stack(self) -> ASGIApp:
        """Each layer would hold memory for every open stream, so none is before the doors."""
        doors = StreamDoors(super().build_middleware_stack())
        return doors if self.known_hosts is None else KnownHosts(doors, self.known_hosts)


class StreamDoors:
    """Takes the requests of both doors, and counts them as the others are counted."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap everything else."""
        self._app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """No coroutine of its own, for it would live as long as the stream."""
        match = PATH.fullmatch(scope.get("path", ""))
        door = match and (match[2], scope["type"])
        if match and door == ("ws", "websocket"):
            return _web_socket(match[1], scope, receive, send)
        if scope["type"] == "websocket":
            return refuse_handshake(NOT_FOUND, scope, receive, send)
        if match and door == ("stream", "http"):
            if scope["method"] not in READS:
                return NOT_ALLOWED(scope, receive, send)
            return _event_stream(match[1], scope, receive, send)
        return self._app(scope, receive, send)


async def _event_stream(workflow_id: str, scope: Scope, receive: Receive, send: Send) -> None:
    fanout: Fanout = scope["app"].state.fanout
    begun, status = time.perf_counter(), HTTPStatus.INTERNAL_SERVER_ERROR
    try:
        status = await answer_event_stream(fanout, workflow_id, scope, receive, send)
    except AppError as error:
        status = await refuse(error, scope, receive, send)
    finally:
        seconds = time.perf_counter() - begun
        fanout.metrics.request_answered(ROUTE + "stream", scope["method"], status, seconds)


async def _web_socket(workflow_id: str, scope: Scope, receive: Receive, send: Send) -> None:
    fanout: Fanout = scope["app"].state.fanout
    begun = time.perf_counter()
    try:
        await answer_web_socket(fanout, workflow_id, scope, receive, send)
    finally:
        seconds = time.perf_counter() - begun
        status = HTTPStatus.SWITCHING_PROTOCOLS
        fanout.metrics.request_answered(ROUTE + "ws", "GET", status, seconds)
