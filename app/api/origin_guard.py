"""Keeps other web pages out: no foreign host name, no cross-site write, no framing."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.handshakes import refuse

READS = {"GET", "HEAD", "OPTIONS"}
OWN_SITE = {"same-origin", "none"}
DEFAULT_PORTS = {"http": 80, "https": 443}

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class OriginGuard:
    """Around the whole application: programs without an Origin pass, foreign pages do not."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        """`hosts` are the names this server is known by, without ports."""
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with the security headers set on the response."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"].endswith("http.response.start"):
                headers = MutableHeaders(scope=message)
                headers.update(SECURITY_HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        refusal = self._refusal(scope.get("method", "GET"), Headers(scope=scope))
        if scope["type"] == "websocket":
            refusal = refusal or (HTTPStatus.NOT_FOUND, "There is no WebSocket at this server.")
        if refusal is None:
            await self._app(scope, receive, send_guarded)
            return
        status, reason = refusal
        response = JSONResponse({"error": reason, "detail": reason}, status)
        await refuse(response, scope, receive, send_guarded)

    def _refusal(self, method: str, headers: Headers) -> tuple[HTTPStatus, str] | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                "This server is not known by that host name; set PUBLIC_APPROVAL_URL if it is.",
            )
        if method in READS:
            return None
        if not _is_own_site(headers, host):
            return HTTPStatus.FORBIDDEN, "Another web page may not do this."
        if _is_browser(headers) and _has_body(headers) and not _is_json(headers):
            return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json."
        return None


def _is_own_site(headers: Headers, host: str) -> bool:
    if headers.get("sec-fetch-site", "none") not in OWN_SITE:
        return False
    origin = headers.get("origin")
    if origin is None:
        return True
    return _address(origin) in {_address(f"http://{host}"), _address(f"https://{host}")}


def _address(url: str) -> tuple[str, str | None, int | None] | None:
    """Scheme, name and port; None, which equals no server's address, when it has none."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None


def _is_browser(headers: Headers) -> bool:
    return "origin" in headers or "sec-fetch-site" in headers


def _has_body(headers: Headers) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


def _is_json(headers: Headers) -> bool:
    return headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None
