"""Keeps other web pages from writing to the backend through the browser of a person who may."""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

READS = {"GET", "HEAD", "OPTIONS"}
REFUSAL = {"detail": "Another web page may not do this."}


class ForeignPagesRefused:
    """Middleware: programs pass, and so does our own page, also behind a proxy."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap the next application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a write that the browser says comes from another site."""
        is_write = scope["type"] == "http" and scope["method"] not in READS
        if not is_write or not is_foreign(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        refusal = JSONResponse(REFUSAL, HTTPStatus.FORBIDDEN, {"connection": "close"})
        await refusal(scope, receive, send)


def is_foreign(headers: Headers) -> bool:
    """Whether the browser says that another site's page asks."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "cross-site"
    origin = headers.get("origin")
    return origin is not None and _name(origin) != _name(f"//{headers.get('host', '')}")


def _name(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
