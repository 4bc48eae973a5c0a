"""One server process: the services, the application on a socket, and what it prints."""

import logging
import signal
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from app.api.application import create_app
from app.bootstrap.backend import open_services
from app.bootstrap.location import database_location
from app.cli.children import Program, kept_running
from app.cli.loop import run_in_loop
from app.cli.parent import end_output
from app.cli.server import SignalledServer
from app.services import Services
from app.settings import Settings

log = logging.getLogger(__name__)

GRACE_SECONDS = 2


def serve(settings: Settings, listener: socket.socket, companions: Sequence[Program]) -> int:
    """Serve until a signal, with other programs beside it; returns the exit code."""

    async def serve_alone() -> int:
        async with (
            _open_server(settings) as server,
            kept_running(companions, server.give_up),
        ):
            return await server.serve_until_signal(listener)

    return run_in_loop(serve_alone())


def serve_for_parent(settings: Settings, listener: socket.socket) -> int:
    """Serve until a signal; returns the exit code.

    The parent reads standard output to its end: nothing there means that the start failed.
    """

    async def serve_below() -> int:
        async with _open_server(settings) as server:
            end_output()
            return await server.serve_until_signal(listener)

    return run_in_loop(serve_below())


@asynccontextmanager
async def _open_server(settings: Settings) -> AsyncIterator[SignalledServer]:
    async with open_services(settings) as services:

        @asynccontextmanager
        async def opened(_: Settings) -> AsyncIterator[Services]:
            yield services

        app = create_app(settings, opened)
        server = SignalledServer(app, app.end_streams, grace_seconds=GRACE_SECONDS)
        _print_addresses(settings, services)
        log.info("serving", extra={"port": settings.port, "engine": services.reasoner.name})
        # Ctrl+C is a clean stop, too, also when uvicorn passes the signal on.
        signal.signal(signal.SIGINT, lambda *_: None)
        yield server
        log.info("stopped")


def _print_addresses(settings: Settings, services: Services) -> None:
    location, log_name = database_location(settings), settings.logs_dir.resolve() / "app.log"
    data = location.name if location.is_postgres else settings.data_dir.resolve()
    print(f"Backend and page   {settings.address_of(settings.port)}/ui/")
    print(f"Approvals          {services.approvals.page_url}")
    print(f"Engine             {services.reasoner.name}")
    print(f"Data               {data}  (log: {log_name})")
    print("Stop with Ctrl+C.", flush=True)
