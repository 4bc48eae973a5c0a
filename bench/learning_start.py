"""One start over a feedback file, as a server makes it, in a process of its own: prints what it took.

`python -m bench.learning_start FILE [--trace] [--incidents N]` prints JSON. The snapshot beside the
file is used when it fits, and made where much was read.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import time
import tracemalloc
from pathlib import Path
from random import Random

from app.adapters.storage.feedback_jsonl import FeedbackFile, snapshot_of
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.feedback_snapshot import FeedbackSnapshotFile
from app.adapters.storage.location import DatabaseLocation
from app.bootstrap.feedback import version
from app.domain.answer import Entities
from app.domain.incident import Findings
from app.domain.rewriting import RewritableStore
from app.learning.ledger import FeedbackLedger
from app.learning.lessons import LessonBook
from app.learning.selector import ExampleSelector
from bench.figures import percentile
from bench.learning_world import World

WARM = 20
"""Incidents before those that count: the first ones weigh tokens and compare reviewers."""


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--database")
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--incidents", type=int, default=0)
    options = parser.parse_args()
    if options.database:
        async with open_feedback_table(DatabaseLocation.of_url(options.database)) as table:
            await _start(table, options)
        return
    await _start(FeedbackFile(options.file), options)


async def _start(store: RewritableStore, options: argparse.Namespace) -> None:
    snapshots = FeedbackSnapshotFile(snapshot_of(options.file), version(), store.mark)
    before = _resident()
    if options.trace:
        tracemalloc.start()
    began, worked = time.perf_counter(), time.process_time()
    ledger, book = FeedbackLedger(store, snapshots), LessonBook()
    ledger.watch(book)
    selector = ExampleSelector(ledger, book=book)
    async with ledger.reading() as turn:
        records = len(turn.entries)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - worked
    # What was read stands in cycles of futures until the next collection.
    gc.collect()
    said: dict[str, float] = {
        "records": records,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "resident": _resident() - before,
        "traced": tracemalloc.get_traced_memory()[0],
    }
    tracemalloc.stop()
    if options.incidents:
        spent = await _select(selector, options.incidents)
        said |= {
            "median": percentile(spent, 0.5),
            "p95": percentile(spent, 0.95),
            "cpu_p95": percentile(await _select(selector, options.incidents, cpu=True), 0.95),
        }
    json.dump(said, sys.stdout)


async def _select(selector: ExampleSelector, incidents: int, *, cpu: bool = False) -> list[float]:
    """Seconds per incident, what is looked up in the store included."""
    clock = time.process_time if cpu else time.perf_counter
    world, spent = World(Random("world past")), []
    for _ in range(WARM + incidents):
        incident = world.incident()
        began = clock()
        await selector.guide(incident.analysis, Findings(), Entities())
        spent.append(clock() - began)
    return spent[WARM:]


def _resident() -> int:
    """Bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    asyncio.run(main())
