"""How long the start takes until both servers answer."""

import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.figures import Figure, say
from tests.fakes.servers import running_product

TRIES = 5


def measure() -> list[Figure]:
    """From the command to the first answers, on a fresh and then on the same data folder."""
    say(f"start-up: {TRIES} times")
    with TemporaryDirectory() as folder:
        seconds = [_start(Path(folder)) for _ in range(TRIES)]
    return [Figure("start until both servers answer, median", median(seconds) * 1000, "ms")]


def _start(folder: Path) -> float:
    started = time.perf_counter()
    with running_product(folder):
        return time.perf_counter() - started


if __name__ == "__main__":
    print(*measure(), sep="\n")
