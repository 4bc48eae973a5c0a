"""What the product itself costs per workflow, when answers cost nothing, on both databases.

`python -m bench.overhead --profile` also says where the processor time goes.
"""

import asyncio
import cProfile
import pstats
import sys
import time

from app.services import Services
from bench.figures import Figure, percentile, say
from bench.instant import DATABASES, LOG, instant_services, run_one

ONE_BY_ONE = 100
AT_ONCE = 400
PROFILE_LINES = 45


def measure() -> list[Figure]:
    """Sequential time per workflow, then the rate with eight at once."""
    return [figure for name in DATABASES for figure in asyncio.run(_measure(name))]


async def _measure(database: str) -> list[Figure]:
    async with instant_services(database) as services:
        return await _figures(database, services, LOG.read_bytes())


async def _figures(database: str, services: Services, body: bytes) -> list[Figure]:
    await run_one(services, body)
    say(f"overhead: {ONE_BY_ONE} workflows one by one, {database}")
    one_by_one = [await _timed(services, body) for _ in range(ONE_BY_ONE)]
    say(f"overhead: {AT_ONCE} workflows, eight at once, {database}")
    started, processor = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(run_one(services, body))
    seconds = time.perf_counter() - started
    processor = time.process_time() - processor
    return [
        Figure(f"time of a workflow, median, {database}", percentile(one_by_one, 0.5) * 1e3, "ms"),
        Figure(f"time of a workflow, p99, {database}", percentile(one_by_one, 0.99) * 1e3, "ms"),
        Figure(f"workflows per second, eight at once, {database}", AT_ONCE / seconds, ""),
        Figure(f"processor time of a workflow, {database}", processor / AT_ONCE * 1e3, "ms"),
    ]


async def _timed(services: Services, body: bytes) -> float:
    started = time.perf_counter()
    await run_one(services, body)
    return time.perf_counter() - started


def _profile() -> None:
    """Every thread counts: the writer and the engine have their own."""
    profile = cProfile.Profile()
    profile.enable()
    measure()
    profile.disable()
    pstats.Stats(profile).sort_stats("tottime").print_stats(PROFILE_LINES)


if __name__ == "__main__":
    if "--profile" in sys.argv:
        _profile()
    else:
        print(*measure(), sep="\n")
