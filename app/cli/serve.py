"""`serve`: the backend in this process, the embedded approval server in a child."""

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn

from app.api.application import create_app
from app.bootstrap import open_services
from app.cli.binding import bind
from app.domain.ports import EventLog
from app.observability.logging import configure_logging
from app.services import Services
from app.settings import Settings

GRACE_SECONDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything is a setting."""
    parser.description = "Settings come from the environment and .env; see README.md."


def run(_: argparse.Namespace, settings: Settings) -> int:
    """Serve until a signal; returns the exit code."""
    log = configure_logging(settings.log_level, settings.logs_dir, secrets=settings.secret_values())
    try:
        with bind(settings.host, settings.port, "PORT") as listener:
            if settings.mcp_server_url is None:
                bind(settings.host, settings.approval_port, "APPROVAL_PORT").close()
            return asyncio.run(_serve(settings, listener))
    finally:
        log.close()


async def _serve(settings: Settings, listener: socket.socket) -> int:
    async with open_services(settings) as services:

        @asynccontextmanager
        async def opened(_: Settings) -> AsyncIterator[Services]:
            yield services

        config = uvicorn.Config(
            create_app(settings, opened),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            server_header=False,
        )
        _print_addresses(settings, services)
        server = StreamEndingServer(config, services.events)
        await server.serve(sockets=[listener])
        return 0 if server.started else 1


class StreamEndingServer(uvicorn.Server):
    """Ends open event streams when a signal arrives; waiting for them would never end."""

    def __init__(self, config: uvicorn.Config, events: EventLog) -> None:
        """Serve with this event log behind the streams."""
        super().__init__(config)
        self._events = events
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Called by the signal handler."""
        self._loop.call_soon_threadsafe(self._events.end_streams)
        super().handle_exit(sig, frame)


def _print_addresses(settings: Settings, services: Services) -> None:
    log_name = settings.logs_dir.resolve() / "app.log"
    print(f"Backend and page   http://localhost:{settings.port}/ui/")
    print(f"Approvals          {services.approvals.page_url}")
    print(f"Engine             {services.reasoner.name}")
    print(f"Data               {settings.data_dir.resolve()}  (log: {log_name})")
    print("Stop with Ctrl+C.", flush=True)
