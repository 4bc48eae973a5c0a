"""`evaluate`: diagnoses labelled cases; reads nothing of them but their input."""

import argparse
import asyncio
from pathlib import Path

import orjson
from rich.console import Console
from rich.progress import track

from app.bootstrap.backend import open_dry_run
from app.domain.errors import BadInput
from app.domain.ids import new_workflow_id
from app.settings import Settings
from app.workflow.diagnosis import prediction
from app.workflow.state import State


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Cases in, predictions out."""
    parser.add_argument("cases", type=Path, help="JSON lines with `id` and `input`")
    parser.add_argument("--out", type=Path, required=True, help="where predictions are written")


def run(options: argparse.Namespace, settings: Settings) -> int:
    """One prediction a line, in the order of the cases."""
    cases = _read_cases(options.cases)
    asyncio.run(_evaluate(cases, options.out, settings))
    return 0


def _read_cases(path: Path) -> list[tuple[str, str]]:
    try:
        rows = [orjson.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
        return [(str(row["id"]), str(row["input"])) for row in rows]
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise BadInput(f"{path} must hold one JSON object a line, with id and input.") from error


async def _evaluate(cases: list[tuple[str, str]], out: Path, settings: Settings) -> None:
    console = Console(stderr=True)
    try:
        with out.open("wb") as file:
            async with open_dry_run(settings) as dry_run:
                for case_id, text in track(cases, "Diagnosing", console=console):
                    state = await dry_run.investigate(new_workflow_id(), text.encode())
                    file.write(orjson.dumps(_prediction(case_id, state)) + b"\n")
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror}.") from error


def _prediction(case_id: str, state: State) -> dict[str, object]:
    told = prediction(case_id, state["findings"], state.get("analysis"), state.get("remediation"))
    commands = state["report"].accepted if "report" in state else ()
    return told | {"commands": commands}
