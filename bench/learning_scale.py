"""The feedback log, its index and its commands at a million records.

    python -m bench.learning_scale [--records N] [--text-bytes N] [--keep FOLDER] [--without-commands]

Writes a log of so many plans (`learning_past`), then in processes of their own: reads it once, which
makes a snapshot, and selects examples; starts again, with and without a tail as a kill leaves it; and
runs the commands over it. `--text-bytes` gives each plan texts of that size, which stay on disk. A
million records are read once in six minutes.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.learning.keeping import SAVE_AFTER
from bench.figures import Figure, say
from bench.learning_past import DELAY, blocks, write_past

RECORDS = 1_000_000
INCIDENTS = 500
SELECTION_BARS = ((1_000, 3.0), (100_000, 10.0), (1_000_000, 20.0))
"""Milliseconds up to so many records."""
START_SECONDS = 2.0
BYTES_A_RECORD = 500.0
TAIL_LINES = SAVE_AFTER - 1
REVIEWER = "Fay"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure, and the most that it may be."""

    figure: Figure
    bar: float | None = None

    @property
    def row(self) -> str:
        """As a row of a table."""
        if self.bar is None:
            return f"| {self.figure.meaning} | {self.figure} | | |"
        said = "reached" if self.figure.value <= self.bar else "**missed**"
        return f"| {self.figure.meaning} | {self.figure} | {self.bar:,g} | {said} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Progress on standard error, the table on standard output."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning_scale", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--text-bytes", type=int, default=0, help="of each plan's texts")
    parser.add_argument("--keep", type=Path, help="a folder for the log, used again when there")
    parser.add_argument("--without-commands", action="store_true")
    options = parser.parse_args(arguments)
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(TemporaryDirectory()))
        path = folder / f"{options.records}-{options.text_bytes}.jsonl"
        print("| Measured | | at most | |", "|---|---|---|---|", sep="\n")
        for measured in _measure(path, options):
            print(measured.row, flush=True)


def _measure(path: Path, options: argparse.Namespace) -> Iterator[Measured]:
    if not path.exists():
        write_past(path, options.records, options.text_bytes)
    gigabytes = path.stat().st_size / 1e9
    yield Measured(Figure(f"log of {options.records:,} records", gigabytes, "GB"))
    yield from _starts(path)
    if not options.without_commands:
        yield from _commands(path)


def _starts(path: Path) -> Iterator[Measured]:
    say("read once, which makes the snapshot")
    lines = _lines(path)
    first = _start(path, "--incidents", str(INCIDENTS))
    records = int(first["records"])
    yield Measured(Figure("read once", first["seconds"], "s"))
    yield Measured(Figure("lines read a second", lines / first["seconds"], ""))
    yield Measured(
        Figure("lines read a second of processor time", lines / first["cpu_seconds"], "")
    )
    yield Measured(Figure("selection, median", 1e3 * first["median"], "ms"))
    bar = next((most for up_to, most in SELECTION_BARS if records <= up_to), None)
    yield Measured(Figure("selection, p95", 1e3 * first["p95"], "ms"), bar)
    yield Measured(Figure("selection, p95 of processor time", 1e3 * first["cpu_p95"], "ms"), bar)
    # A snapshot at the very end, as the next events bring it.
    _append(path, SAVE_AFTER)
    _start(path)
    started = _start(path)
    yield Measured(Figure("start from the snapshot", started["seconds"], "s"), START_SECONDS)
    resident = Figure("resident memory a record", started["resident"] / records, "bytes")
    yield Measured(resident, BYTES_A_RECORD)
    traced = _start(path, "--trace")["traced"] / records
    yield Measured(Figure("allocated memory a record", traced, "bytes"), BYTES_A_RECORD)
    _append(path, TAIL_LINES)
    killed = _start(path)["seconds"]
    yield Measured(
        Figure(f"start after a kill, {TAIL_LINES:,} lines behind", killed, "s"), START_SECONDS
    )


def _commands(path: Path) -> Iterator[Measured]:
    export = path.with_suffix(".export")
    other = path.with_suffix(".imported")
    for name, arguments in (
        ("verify", ["--file", path]),
        ("export", ["--file", path, "--out", export]),
        ("import", ["--file", other, path]),
        ("forget", ["--file", other, "--reviewer", REVIEWER]),
        ("compact", ["--file", other]),
    ):
        say(f"feedback {name}")
        began = time.perf_counter()
        command = [sys.executable, "-m", "app", "feedback", name, *map(str, arguments)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = _wait(process)
        assert status in {0, 256}, f"feedback {name} ended with {status}"
        yield Measured(Figure(f"feedback {name}", time.perf_counter() - began, "s"))
        yield Measured(Figure(f"feedback {name}, at most", usage.ru_maxrss / 1024, "MiB"))
    for file in (export, other):
        file.unlink(missing_ok=True)


def _wait(process: "subprocess.Popen[bytes]") -> tuple[int, int, resource.struct_rusage]:
    return os.wait4(process.pid, 0)


def _start(path: Path, *more: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.learning_start", str(path), *more]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    )
    return found


def _lines(path: Path) -> int:
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def _append(path: Path, lines: int) -> None:
    """Lines of newer plans."""
    taken = b"".join(blocks(lines // 3 + DELAY, first=10**9 + path.stat().st_size)).split(b"\n")[
        :lines
    ]
    with path.open("ab") as file:
        file.write(b"\n".join(taken) + b"\n")


if __name__ == "__main__":
    main()
