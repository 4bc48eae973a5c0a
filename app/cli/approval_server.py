"""`approval-server`: the embedded approval server as a process of its own."""

import argparse
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.api.approval_server import create_approval_app, page_url
from app.approvals.services import ApprovalServices
from app.bootstrap.approvals import open_approval_services
from app.cli.binding import bind
from app.cli.loop import run_in_loop
from app.cli.parent import end_output, keep_inheritance, stop_with_parent
from app.cli.server import SignalledServer
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
    keep_inheritance()
    if options.until_stdin_closes:
        stop_with_parent()
    session = configure_logging(
        settings.log_level, settings.logs_dir, name=LOG_NAME, secrets=settings.secret_values()
    )
    try:
        with bind(settings.host, settings.approval_port, "APPROVAL_PORT") as listener:
            return run_in_loop(_serve(settings, listener, is_alone=not options.until_stdin_closes))
    finally:
        session.close()


async def _serve(settings: Settings, listener: socket.socket, *, is_alone: bool) -> int:
    async with open_approval_services(settings) as services:

        @asynccontextmanager
        async def opened() -> AsyncIterator[ApprovalServices]:
            yield services

        server = SignalledServer(
            create_approval_app(settings, opened),
            services.desk.close,
            grace_seconds=GRACE_SECONDS,
        )
        print(f"Approvals          {page_url(settings)}", flush=True)
        if not is_alone:
            end_output()
        return await server.serve_until_signal(listener)
