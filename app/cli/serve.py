"""`serve`: the backend in this process, the embedded approval server in a child."""

import argparse
import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.api.application import create_app
from app.bootstrap.backend import open_services
from app.cli.binding import bind
from app.cli.server import SignalledServer
from app.observability.logging import configure_logging
from app.services import Services
from app.settings import Settings

log = logging.getLogger(__name__)

GRACE_SECONDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything is a setting."""
    parser.description = "Settings come from the environment and .env; see README.md."


def run(_: argparse.Namespace, settings: Settings) -> int:
    """Serve until a signal; returns the exit code."""
    session = configure_logging(
        settings.log_level, settings.logs_dir, secrets=settings.secret_values()
    )
    try:
        with bind(settings.host, settings.port, "PORT") as listener:
            if settings.mcp_server_url is None:
                bind(settings.host, settings.approval_port, "APPROVAL_PORT").close()
            return asyncio.run(_serve(settings, listener))
    finally:
        session.close()


async def _serve(settings: Settings, listener: socket.socket) -> int:
    async with open_services(settings) as services:

        @asynccontextmanager
        async def opened(_: Settings) -> AsyncIterator[Services]:
            yield services

        server = SignalledServer(
            create_app(settings, opened), services.events.end_streams, grace_seconds=GRACE_SECONDS
        )
        _print_addresses(settings, services)
        log.info("serving", extra={"port": settings.port, "engine": services.reasoner.name})
        code = await server.serve_until_signal(listener)
        log.info("stopped")
        return code


def _print_addresses(settings: Settings, services: Services) -> None:
    log_name = settings.logs_dir.resolve() / "app.log"
    print(f"Backend and page   {settings.address_of(settings.port)}/ui/")
    print(f"Approvals          {services.approvals.page_url}")
    print(f"Engine             {services.reasoner.name}")
    print(f"Data               {settings.data_dir.resolve()}  (log: {log_name})")
    print("Stop with Ctrl+C.", flush=True)
