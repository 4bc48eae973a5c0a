"""`diagnose`: the four agents on one log, here in the terminal."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console

from app.bootstrap.backend import open_dry_run
from app.cli.report import print_report, to_result
from app.cli.words import plain
from app.domain.errors import BadInput, InputTooLarge
from app.domain.events import EventStatus, EventType, Recorded
from app.domain.ids import new_workflow_id
from app.settings import Settings
from app.workflow.state import State

MIB = 1024 * 1024
FOR_PROGRAMS = {EventType.TOKEN, EventType.USAGE, EventType.PROGRESS}
"""Pieces of JSON and figures; the agents' lines say the same to people."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A file or standard input; text or JSON out."""
    parser.add_argument("file", help="a log file, or - for standard input")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Progress goes to standard error, the result to standard output."""
    body = _read(options.file, settings.max_body_mib)
    state = asyncio.run(_diagnose(body, settings))
    if options.json:
        print(orjson.dumps(to_result(state)).decode())
    else:
        print_report(state, Console(highlight=False))
    return 0


def _read(name: str, limit_mib: int) -> bytes:
    try:
        if name == "-":
            body = sys.stdin.buffer.read(limit_mib * MIB + 1)
        else:
            with Path(name).open("rb") as file:
                body = file.read(limit_mib * MIB + 1)
    except OSError as error:
        raise BadInput(f"{name} cannot be read: {error.strerror}.") from error
    if len(body) > limit_mib * MIB:
        raise InputTooLarge(f"{name} is over the limit of {limit_mib} MiB (MAX_BODY_MIB).")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadInput(f"{name} is not UTF-8 text (byte {error.start}).") from None
    if not text.strip():
        raise BadInput(f"{name} is empty.")
    return body


async def _diagnose(body: bytes, settings: Settings) -> State:
    workflow_id = new_workflow_id()
    console = Console(stderr=True, highlight=False)
    async with open_dry_run(settings) as dry_run:
        with dry_run.events.subscribe(workflow_id, lambda batch: _show_progress(console, batch)):
            return await dry_run.investigate(workflow_id, body)


def _show_progress(console: Console, batch: Sequence[Recorded]) -> None:
    for recorded in batch:
        if recorded.type in FOR_PROGRAMS:
            continue
        frame = orjson.loads(recorded.frame)
        done = frame["status"] == EventStatus.COMPLETED and not recorded.is_terminal
        if recorded.type is EventType.EXAMPLE_USED:
            text = orjson.loads(frame["data"])["reason"]
        else:
            text = "done" if done else frame["data"]
        console.print(f"{frame['agent_name']:<20} {frame['status']:<9} {plain(text)}", markup=False)
