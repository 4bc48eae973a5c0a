"""`worker`: runs workflows without serving HTTP, beside servers on the same database."""

import argparse
import asyncio
import logging

from app.bootstrap.backend import open_services
from app.bootstrap.location import database_location
from app.cli.loop import run_in_loop
from app.cli.signals import run_until_signal
from app.observability.logging import configure_logging
from app.settings import Settings

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything is a setting."""
    parser.description = "Settings come from the environment and .env; see README.md."


def run(_: argparse.Namespace, settings: Settings) -> int:
    """Run workflows until a signal; returns the exit code."""
    session = configure_logging(
        settings.log_level, settings.logs_dir, secrets=settings.secret_values()
    )
    try:
        return run_in_loop(run_until_signal(_work(settings)))
    finally:
        session.close()


async def _work(settings: Settings) -> int:
    async with open_services(settings) as services, services.process.running():
        print(
            f"Working on {database_location(settings).name} with {services.reasoner.name}; "
            f"proposals go to {settings.approval_base_url}. Stop with Ctrl+C.",
            flush=True,
        )
        await asyncio.Event().wait()
    return 0
