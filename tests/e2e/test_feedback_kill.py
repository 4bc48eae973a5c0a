"""The feedback file under kill -9: what was acknowledged is there, and nothing is there twice."""

import random
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.adapters.storage.feedback_jsonl import FeedbackFile, open_feedback_file
from app.adapters.storage.feedback_lines import parse_line
from app.domain.feedback import FeedbackEvent
from tests.fakes.servers import REPOSITORY

ROUNDS = 5
WRITERS = 2
START_LIMIT_SECONDS = 20


@dataclass(frozen=True)
class Writer:
    """A running writer and where it notes what it was told is safe."""

    process: subprocess.Popen[bytes]
    acknowledged: Path

    def wait_for_the_first(self) -> None:
        for _ in range(START_LIMIT_SECONDS * 100):
            if self.acknowledged.stat().st_size:
                return
            self.live_on(0.01)
        raise AssertionError("the writer wrote nothing")

    def live_on(self, seconds: float) -> None:
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"the writer ended by itself: {self.process.returncode}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def start_writer(path: Path, name: str) -> Writer:
    acknowledged = path.with_name(f"{name}.acknowledged")
    with acknowledged.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.feedback_writer", str(path), name],
            cwd=REPOSITORY,
            stdout=sink,
        )
    return Writer(process, acknowledged)


async def read_all(file: FeedbackFile) -> list[FeedbackEvent]:
    events: list[FeedbackEvent] = []
    position, is_end = 0, False
    while not is_end:
        tail = await file.read(position)
        position, is_end = tail.position, tail.is_end
        events += tail.events
    return events


@pytest.mark.e2e
@pytest.mark.timeout(120)
async def test_what_two_killed_writers_acknowledged_is_there_once(tmp_path: Path):
    path = tmp_path / "remediation_feedback.jsonl"
    chance = random.Random(20300501)
    acknowledged = run_and_kill_writers(path, chance)

    async with open_feedback_file(path) as file:
        ids = Counter(event.id for event in await read_all(file))

    assert len(acknowledged) >= ROUNDS * WRITERS
    assert acknowledged <= ids.keys()
    assert set(ids.values()) == {1}
    assert_every_damaged_line_is_a_torn_event(path)


@pytest.mark.e2e
@pytest.mark.timeout(120)
async def test_what_is_acknowledged_while_the_file_is_compacted_and_killed_is_there_once(
    tmp_path: Path,
):
    path = tmp_path / "remediation_feedback.jsonl"
    chance = random.Random(20300502)
    writers = [start_writer(path, name) for name in ("one", "two")]
    try:
        for writer in writers:
            writer.wait_for_the_first()
        ends = [compact(path, chance.uniform(0.3, 1.5)) for _ in range(ROUNDS)]
        ends.append(compact(path, START_LIMIT_SECONDS))
    finally:
        for writer in writers:
            writer.kill()

    async with open_feedback_file(path) as file:
        events = await read_all(file)
    ids = Counter(event.id for event in events)
    acknowledged = {
        line for writer in writers for line in writer.acknowledged.read_text().split("\n")[:-1]
    }
    assert ends[-1] == 0
    assert events[0].type == "compacted"
    assert acknowledged <= ids.keys()
    assert set(ids.values()) == {1}


def compact(path: Path, seconds: float) -> int | None:
    """Compact it as an operator does, killed after so long; None when it was."""
    command = [sys.executable, "-m", "app", "feedback", "compact", "--file", str(path)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        process.kill()
        process.wait(10)


def run_and_kill_writers(path: Path, chance: random.Random) -> set[str]:
    acknowledged: set[str] = set()
    for number in range(ROUNDS):
        tear(path)
        writers = [start_writer(path, f"writer{number}{name}") for name in range(WRITERS)]
        try:
            for writer in writers:
                writer.wait_for_the_first()
            for writer in writers:
                writer.live_on(chance.uniform(0.001, 0.08))
                writer.kill()
        finally:
            for writer in writers:
                writer.kill()
        for writer in writers:
            # Its last line may be torn too: then nobody was told.
            lines = writer.acknowledged.read_text().split("\n")[:-1]
            acknowledged.update(lines)
    return acknowledged


def tear(path: Path) -> None:
    """Half an event, as a cut power line leaves it: a kill alone rarely hits the middle of a write."""
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        return
    with path.open("ab") as file:
        file.write(b'{"v":1,"id":"torn","ts":"2030-05-01T12:00:00Z","type":"rated","feedb')


def assert_every_damaged_line_is_a_torn_event(path: Path) -> None:
    """A seal never joins two events, and never cuts one that was whole."""
    lines = path.read_bytes().split(b"\n")[:-1]
    damaged = [line for line in lines if parse_line(line) is None]
    assert all(line.startswith(b'{"v":1,') or len(line) < 7 for line in damaged)
    assert all(line.count(b'"type":"rated"') <= 1 for line in damaged)
    assert 1 <= len(damaged) <= ROUNDS * (WRITERS + 1)
