"""The event stream against its bars, beside the usual way, nginx with nchan, and bare sockets.

    python -m bench stream [--quick]

Everything runs on this machine in processes of its own, in turns; clients are not counted.
About six minutes; with `--quick` under one, and rougher.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench import stream_costs, stream_ends, stream_limits, stream_proxy
from bench.stream_bars import Row, bar_table


@dataclass(frozen=True, slots=True)
class Effort:
    """How long it takes."""

    rounds: int
    seconds: float
    kills: int
    churn_seconds: float
    idle_seconds: float


WHOLE = Effort(rounds=7, seconds=1, kills=5, churn_seconds=60, idle_seconds=300)
QUICK = Effort(rounds=1, seconds=0.6, kills=1, churn_seconds=2, idle_seconds=0)


def measure(effort: Effort) -> list[Row]:
    """Every bar."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        with stream_proxy.idle_connection(folder, effort.idle_seconds) as idle:
            return [
                *stream_costs.measure(folder, effort.rounds, effort.seconds),
                *stream_limits.measure(folder, effort.rounds, effort.seconds),
                *stream_ends.kills(folder, effort.kills),
                *stream_ends.stop(folder),
                *stream_ends.churn(folder, effort.churn_seconds),
                *stream_proxy.latency(folder, effort.seconds),
                *idle(),
            ]


def run(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench stream", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print(bar_table(measure(QUICK if parser.parse_args(arguments).quick else WHOLE)))
