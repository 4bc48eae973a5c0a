"""The product's page under `/ui/`, under a policy that lets nothing foreign run or load."""

from http import HTTPStatus
from pathlib import PurePosixPath

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.web import WEB_FOLDER

SERVED = {".html", ".css", ".js", ".svg"}
OTHER_SERVERS_PAGES = {"approvals"}
CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # An upgraded server must not meet a page half from the cache.
    "Cache-Control": "no-cache",
}


def mount_pages(app: FastAPI) -> None:
    """Serve the page's files under `/ui/`."""
    app.mount("/ui", PageFiles(directory=WEB_FOLDER, html=True), name="page")


class PageFiles(StaticFiles):
    """The page's files and nothing else of their folder."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file with the security headers; anything that is no part of the page is not found."""
        wanted = PurePosixPath(path)
        if wanted.suffix not in {"", *SERVED} or OTHER_SERVERS_PAGES & set(wanted.parts):
            raise HTTPException(HTTPStatus.NOT_FOUND)
        response = await super().get_response(path, scope)
        response.headers.update(SECURITY_HEADERS)
        return response
