"""Whether memory stays flat over many workflows, and what those that wait for a person cost.

    python -m bench.many [--workflows 20000] [--database postgresql]

Nobody decides anything here: every workflow's proposal waits from its end on.
"""

import argparse
import asyncio
import time
from pathlib import Path

from app.services import Services
from bench.figures import Figure, say
from bench.instant import DATABASES, LOG, instant_services, run_one

AT_ONCE = 16
REST_SECONDS = 20.0
STEPS = (0.05, 0.25, 0.5, 0.75, 1.0)


async def measure(workflows: int, database: str) -> list[Figure]:
    """Resident memory at each step, and the processor's share while all of them wait."""
    figures = []
    async with instant_services(database) as services:
        await run_one(services, LOG.read_bytes())
        figures.append(Figure("memory after the first workflow", _resident_mib(), "MiB"))
        done = 1
        for step in STEPS:
            await _run_many(services, int(workflows * step) - done)
            done = int(workflows * step)
            meaning = f"memory while {done:,} workflows wait for a person, {database}"
            figures.append(Figure(meaning, _resident_mib(), "MiB"))
            say(str(figures[-1]))
        processor = time.process_time()
        await asyncio.sleep(REST_SECONDS)
        share = (time.process_time() - processor) / REST_SECONDS * 100
        meaning = f"processor while {done:,} workflows wait for a person, {database}"
        figures.append(Figure(meaning, share, "% of a core"))
    return figures


async def _run_many(services: Services, count: int) -> None:
    body, left = LOG.read_bytes(), iter(range(count))

    async def run_some() -> None:
        for _ in left:
            await run_one(services, body)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(run_some())


def _resident_mib() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workflows", type=int, default=20_000)
    parser.add_argument("--database", choices=DATABASES, default=DATABASES[0])
    options = parser.parse_args()
    for figure in asyncio.run(measure(options.workflows, options.database)):
        print(figure.meaning, figure)


if __name__ == "__main__":
    main()
