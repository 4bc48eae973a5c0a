"""`serve`: the backend in one process or several, with the embedded approval server in a child."""

import argparse
import socket
from collections.abc import Sequence
from typing import Protocol

from app.bootstrap.ground import is_owned
from app.cli.binding import bind
from app.cli.children import APPROVAL_SERVER, Program
from app.cli.loading import load
from app.cli.parent import stop_with_parent
from app.cli.supervisor import supervise
from app.domain.errors import StartupFailed
from app.observability.logging import configure_logging
from app.settings import Settings

LEAVING_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything is a setting; the option is for the processes that a supervisor starts."""
    parser.description = "Settings come from the environment and .env; see README.md."
    parser.add_argument("--listener", type=int, help=argparse.SUPPRESS)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Serve until a signal; returns the exit code."""
    session = configure_logging(
        settings.log_level, settings.logs_dir, secrets=settings.secret_values()
    )
    try:
        if options.listener is not None:
            stop_with_parent()
            with socket.socket(fileno=options.listener) as listener:
                return _serving().serve_for_parent(settings, listener)
        with bind(settings.host, settings.port, "PORT") as listener:
            companions = (APPROVAL_SERVER,) if _needs_approval_server(settings) else ()
            if settings.workers > 1:
                return supervise(listener, settings.workers, companions)
            return _serving().serve(settings, listener, companions)
    finally:
        session.close()


def _needs_approval_server(settings: Settings) -> bool:
    """Whether to start one; raises StartupFailed when its port is in other hands."""
    if settings.mcp_server_url is not None:
        return False
    runs = settings.database_url is None and is_owned(settings.data_dir, "approvals")
    try:
        bind(settings.host, settings.approval_port, "APPROVAL_PORT").close()
    except StartupFailed:
        if runs:
            return False
        raise
    # One that was left by a killed server is about to end: its port is free, its lock soon.
    if runs and is_owned(settings.data_dir, "approvals", LEAVING_SECONDS):
        raise StartupFailed(
            f"The approval server of the data folder {settings.data_dir.resolve()} runs already: "
            f"set APPROVAL_PORT to its port, which is not {settings.approval_port}."
        )
    return True


class _Serving(Protocol):
    """The module that serves, with everything it needs; a supervisor needs none of that."""

    def serve(
        self, settings: Settings, listener: socket.socket, companions: Sequence[Program]
    ) -> int: ...

    def serve_for_parent(self, settings: Settings, listener: socket.socket) -> int: ...


def _serving() -> _Serving:
    serving: _Serving = load("serving")
    return serving
