"""`approval-server`: the embedded approval server as a process of its own."""

import argparse
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.api.approval_server import create_approval_app, page_url
from app.approvals.services import ApprovalServices
from app.bootstrap.approvals import open_approval_services
from app.cli.binding import bind
from app.cli.loop import run_in_loop
from app.cli.parent import when_parent_is_gone
from app.cli.server import SignalledServer
from app.domain.errors import StartupFailed
from app.observability.logging import configure_logging
from app.settings import Settings

GRACE_SECONDS = 1
LOG_NAME = "approvals"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How the backend starts it."""
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="stop when the parent process is gone"
    )


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Serve until a signal; returns the exit code."""
    return run_approval_server(settings, until_stdin_closes=options.until_stdin_closes)


def run_approval_server(settings: Settings, *, until_stdin_closes: bool = False) -> int:
    """Serve until a signal; a start that fails is one line and exit code 1."""
    try:
        log = configure_logging(
            settings.log_level,
            settings.logs_dir,
            name=LOG_NAME,
            secrets=settings.secret_values(),
        )
        try:
            with bind(settings.host, settings.approval_port, "APPROVAL_PORT") as listener:
                return run_in_loop(
                    _serve(settings, listener, until_stdin_closes=until_stdin_closes)
                )
        finally:
            log.close()
    except StartupFailed as error:
        print(error, file=sys.stderr)
        return 1


async def _serve(settings: Settings, listener: socket.socket, *, until_stdin_closes: bool) -> int:
    async with open_approval_services(settings) as services:

        @asynccontextmanager
        async def opened() -> AsyncIterator[ApprovalServices]:
            yield services

        server = SignalledServer(
            create_approval_app(settings, opened),
            services.desk.close,
            grace_seconds=GRACE_SECONDS,
        )
        if until_stdin_closes:
            when_parent_is_gone(server.stop)
        else:
            print(f"Approvals          {page_url(settings)}", flush=True)
        return await server.serve_until_signal(listener)
