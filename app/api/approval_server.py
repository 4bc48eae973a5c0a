"""The approval server: its page, its REST and MCP surfaces, on a port of its own."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from app.api import approval_readiness, approval_routes, decision_routes
from app.api.approval_schemas import problem_sentence, validation_details
from app.api.decision_routes import already_decided, decision_void, undo_unsure
from app.api.errors import status_of
from app.api.head_requests import HeadAsGet
from app.api.mcp import MCP_PATHS, create_mcp_routes
from app.api.origin_guard import OriginGuard
from app.approvals.desk import AlreadyDecided, DecisionVoid
from app.approvals.services import ApprovalServices
from app.approvals.undo_look import UndoUnsure
from app.domain.errors import AppError, InvalidField, KeyReused
from app.settings import Settings

WEB = Path(__file__).resolve().parents[1] / "web"
PAGE = WEB / "approvals"
SHARED = (
    "theme.css",
    "announcer.js",
    "badge.js",
    "command.js",
    "dom.js",
    "format.js",
    "plain.js",
    "section.js",
    "icon.svg",
)
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
WILDCARDS = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, never bound

OpenServices = Callable[[], AbstractAsyncContextManager[ApprovalServices]]

log = logging.getLogger(__name__)


def create_approval_app(settings: Settings, open_services: OpenServices) -> FastAPI:
    """The application; its parts are opened when it starts and closed when it stops."""

    def current() -> ApprovalServices:
        services: ApprovalServices = app.state.services
        return services

    mcp_routes, mcp_running = create_mcp_routes(current)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services() as services, mcp_running():
            app.state.services = services
            yield

    app = FastAPI(title="Approvals", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.page_url = page_url(settings)
    app.state.backend_url = backend_url(settings)
    for routes in (approval_routes, decision_routes, approval_readiness):
        app.include_router(routes.router)
    app.router.routes.extend(mcp_routes)
    _add_page(app)
    _add_decision_errors(app)
    _add_errors(app)
    app.add_middleware(HeadAsGet, but=frozenset(MCP_PATHS))
    app.add_middleware(OriginGuard, hosts=known_hosts(settings))
    return app


def page_url(settings: Settings) -> str:
    """The page's address as browsers see it."""
    own = settings.address_of(settings.approval_port)
    return (settings.public_approval_url or own).rstrip("/")


def backend_url(settings: Settings) -> str:
    """The backend's address, as far as the webhook's address tells it."""
    return settings.webhook_url.split("/api/v1/")[0].rstrip("/")


def known_hosts(settings: Settings) -> frozenset[str]:
    """The names this server answers to; any other comes from a rebound DNS name."""
    named = {
        urlsplit(address).hostname
        for address in (settings.public_approval_url, settings.mcp_server_url)
        if address
    }
    own = {settings.host.strip("[]").lower()} - WILDCARDS
    return frozenset({"localhost", "127.0.0.1", "::1"} | own | {name for name in named if name})


def _add_page(app: FastAPI) -> None:
    own = (file for file in sorted(PAGE.iterdir()) if file.suffix in MEDIA_TYPES)
    for file in (*own, *(WEB / name for name in SHARED)):
        path = "/" if file.name == "index.html" else f"/{file.name}"
        page = _asset(file.read_bytes(), MEDIA_TYPES[file.suffix])
        app.add_api_route(path, page, methods=["GET"], include_in_schema=False)


def _asset(content: bytes, media_type: str) -> Callable[[], Response]:
    def asset() -> Response:
        return Response(content, media_type=media_type)

    return asset


def _add_decision_errors(app: FastAPI) -> None:
    @app.exception_handler(AlreadyDecided)
    async def decided(_: Request, error: AlreadyDecided) -> JSONResponse:
        return already_decided(error)

    @app.exception_handler(DecisionVoid)
    async def void(_: Request, error: DecisionVoid) -> JSONResponse:
        return decision_void(error)

    @app.exception_handler(UndoUnsure)
    async def unsure(_: Request, error: UndoUnsure) -> JSONResponse:
        return undo_unsure(error)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(InvalidField)
    async def invalid_field(_: Request, error: InvalidField) -> JSONResponse:
        return _invalid([_detail(error)])

    @app.exception_handler(KeyReused)
    async def reused_key(_: Request, error: KeyReused) -> JSONResponse:
        # A client whose new release words a proposal otherwise learns where the first one is.
        return _invalid([_detail(error)], first_approval_id=error.first)

    @app.exception_handler(AppError)
    async def known(_: Request, error: AppError) -> JSONResponse:
        return _error(status_of(error), str(error))

    @app.exception_handler(ValidationError)
    async def invalid_body(_: Request, error: ValidationError) -> JSONResponse:
        return _invalid(validation_details(error))

    @app.exception_handler(RequestValidationError)
    async def invalid_query(_: Request, error: RequestValidationError) -> JSONResponse:
        return _invalid(
            [{key: problem[key] for key in ("type", "loc", "msg")} for problem in error.errors()]
        )

    @app.exception_handler(HTTPException)
    async def no_such_page(_: Request, error: HTTPException) -> JSONResponse:
        answer = _error(HTTPStatus(error.status_code), str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def unknown(_: Request, __: Exception) -> JSONResponse:
        sentence = "An internal error; the server's log has the details."
        return _error(HTTPStatus.INTERNAL_SERVER_ERROR, sentence)


def _detail(error: InvalidField) -> dict[str, object]:
    place = [int(part) if part.isdigit() else part for part in error.field.split(".")]
    return {"type": error.kind, "loc": place, "msg": str(error), "input": None}


def _invalid(details: list[dict[str, object]], **more: object) -> JSONResponse:
    return JSONResponse(
        {"detail": details, "error": problem_sentence(details[0]), **more},
        HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def _error(status: HTTPStatus, sentence: str) -> JSONResponse:
    headers = {"Retry-After": "5"} if status >= HTTPStatus.TOO_MANY_REQUESTS else None
    return JSONResponse({"error": sentence, "detail": sentence}, status, headers)
