"""Under which names the backend answers: a rebound DNS name makes a foreign page its own."""

from collections.abc import Awaitable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.handshakes import refuse
from app.settings import Settings

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
REFUSAL = {"detail": "This server is not known by that host name."}


def known_hosts(settings: Settings) -> frozenset[str] | None:
    """Of a server on a loopback address; None on any other, where a proxy in front decides."""
    if settings.host.strip("[]").lower() not in LOOPBACK:
        return None
    configured = (settings.public_approval_url, settings.backend_webhook_url)
    names = {urlsplit(address).hostname for address in configured if address}
    return LOOPBACK | {name for name in names if name}


class KnownHosts:
    """Around the whole application, doors and pages alike."""

    def __init__(self, app: ASGIApp, names: frozenset[str]) -> None:
        """Wrap everything else; `names` are without ports."""
        self._app = app
        self._names = names

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """No coroutine of its own, for it would live as long as a stream."""
        if scope["type"] == "lifespan" or self._has(scope):
            return self._app(scope, receive, send)
        refusal = JSONResponse(REFUSAL, HTTPStatus.MISDIRECTED_REQUEST, {"connection": "close"})
        return refuse(refusal, scope, receive, send)

    def _has(self, scope: Scope) -> bool:
        """Whether the request may pass; a program that names no host is no browser."""
        host = Headers(scope=scope).get("host")
        return host is None or _name(host) in self._names


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
