"""The backend's ASGI application."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI

from app import __version__
from app.api.docs import mount_docs
from app.api.errors import add_error_pages
from app.api.foreign_pages import ForeignPagesRefused
from app.api.head_requests import HeadAsGet
from app.api.known_hosts import known_hosts
from app.api.measuring import MeasuredRequests
from app.api.pages import mount_pages
from app.api.streams import json_door
from app.api.streams.doors import StreamingApplication
from app.api.streams.fanout import open_fanout
from app.api.streams.limits import DEFAULT_LIMITS, StreamLimits
from app.api.v1 import feedback, health, lessons, logs, samples, workflows
from app.services import Services
from app.settings import Settings

OpenServices = Callable[[Settings], AbstractAsyncContextManager[Services]]


def create_app(
    settings: Settings, open_services: OpenServices, stream_limits: StreamLimits = DEFAULT_LIMITS
) -> StreamingApplication:
    """Routes, pages and errors; the services are open while the application runs."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            open_services(settings) as services,
            services.process.running(),
            open_fanout(services.events, stream_limits, services.metrics) as app.state.fanout,
        ):
            app.state.services = services
            yield

    app = StreamingApplication(
        title="Incident agents",
        version=__version__,
        description="Logs in, a streamed investigation, a reviewed plan, a lesson learned.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.settings = settings
    app.known_hosts = known_hosts(settings)
    add_error_pages(app)
    app.add_middleware(HeadAsGet)
    app.add_middleware(ForeignPagesRefused)
    app.add_middleware(MeasuredRequests)
    version_1 = APIRouter(prefix="/api/v1")
    for module in (workflows, json_door, feedback, lessons, logs, samples):
        version_1.include_router(module.router)
    app.include_router(version_1)
    app.include_router(health.router)
    mount_docs(app)
    mount_pages(app)
    return app
