"""kill -9 of two writers of feedback, again and again: what is lost, what is there twice?

    python -m bench.feedback_kills [--kills N] [--database postgresql] [--seed N]

Two processes append as fast as they can, each noting what it was told is safe; each is killed at a
random moment and started again at once. At the end everything noted must be there, and nothing twice.
"""

import argparse
import asyncio
import random
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from app.adapters.storage.feedback_jsonl import open_feedback_file
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.location import DatabaseLocation
from app.domain.ports import FeedbackStore
from bench.databases import database_settings
from bench.figures import say
from tests.fakes.talk import REPOSITORY

KILLS = 200
WRITERS = 2
LIFETIME_SECONDS = (0.0, 0.3)
"""After the first event."""
START_LIMIT_SECONDS = 60.0
LOOK_SECONDS = 0.005


@dataclass
class Writer:
    """A process, and where it notes what it was told is safe."""

    process: "subprocess.Popen[bytes]"
    notes: Path
    dies_at: float | None = None
    """On the clock, once it has written."""

    def is_due(self, chance: random.Random, deadline: float) -> bool:
        """Whether its time has come."""
        now = time.monotonic()
        assert self.process.poll() is None, "a writer ended by itself"
        assert now < deadline, "a writer wrote nothing"
        if self.dies_at is None and self.notes.stat().st_size:
            self.dies_at = now + chance.uniform(*LIFETIME_SECONDS)
        return self.dies_at is not None and now >= self.dies_at

    def kill(self) -> None:
        """At once."""
        self.process.kill()
        self.process.wait(10)

    def acknowledged(self) -> set[str]:
        """Whole lines only: of half a line nobody was told."""
        return {*self.notes.read_text().split("\n")[:-1]}


def main() -> None:
    """Prints what was found; ends with 1 when anything was lost or doubled."""
    parser = argparse.ArgumentParser(prog="python -m bench.feedback_kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--database", choices=["file", "postgresql"], default="file")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        target = str(folder / "feedback" / "remediation_feedback.jsonl")
        if options.database == "postgresql":
            settings = stack.enter_context(database_settings(options.database))
            target = settings["DATABASE_URL"]
        acknowledged = _kill(folder, target, options.kills, random.Random(options.seed))
        ids = asyncio.run(_stored(target))
    lost = acknowledged - ids.keys()
    doubled = [identity for identity, times in ids.items() if times > 1]
    print(
        f"{options.kills} kills on {options.database}: {len(acknowledged):,} acknowledged, "
        f"{len(ids):,} stored, {len(lost)} lost, {len(doubled)} twice"
    )
    sys.exit(1 if lost or doubled or not acknowledged else 0)


def _kill(folder: Path, target: str, kills: int, chance: random.Random) -> set[str]:
    acknowledged: set[str] = set()
    running = [_started(folder, target, number) for number in range(WRITERS)]
    try:
        for number in range(WRITERS, WRITERS + kills):
            victim = _next(running, chance)
            victim.kill()
            acknowledged |= victim.acknowledged()
            running.remove(victim)
            if number % 20 == 0:
                say(f"{number - WRITERS + 1} kills, {len(acknowledged):,} acknowledged")
            running.append(_started(folder, target, number))
    finally:
        for writer in running:
            writer.kill()
    return acknowledged.union(*(writer.acknowledged() for writer in running))


def _next(running: list[Writer], chance: random.Random) -> Writer:
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while True:
        for writer in running:
            if writer.is_due(chance, deadline):
                return writer
        time.sleep(LOOK_SECONDS)


def _started(folder: Path, target: str, number: int) -> Writer:
    notes = folder / f"writer{number}.acknowledged"
    command = [sys.executable, "-m", "tests.fakes.feedback_writer", target, f"writer{number}"]
    with notes.open("wb") as sink:
        return Writer(subprocess.Popen(command, cwd=REPOSITORY, stdout=sink), notes)


async def _stored(target: str) -> Counter[str]:
    if "://" not in target:
        async with open_feedback_file(Path(target)) as file:
            return await _ids(file)
    async with open_feedback_table(DatabaseLocation.of_url(target)) as table:
        return await _ids(table)


async def _ids(store: FeedbackStore) -> Counter[str]:
    ids: Counter[str] = Counter()
    position, is_end = 0, False
    while not is_end:
        tail = await store.read(position)
        position, is_end = tail.position, tail.is_end
        ids.update(event.id for event in tail.events)
    return ids


if __name__ == "__main__":
    main()
