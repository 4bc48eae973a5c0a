"""A snapshot of the feedback: a start reads the rest of the log alone, and knows the same as ever."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.adapters.storage.feedback_jsonl import FeedbackFile, open_feedback_file
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.feedback_snapshot import FeedbackSnapshotFile
from app.adapters.storage.location import DatabaseLocation
from app.domain.answer import Entities
from app.domain.approval import Decision
from app.domain.course import Report
from app.domain.feedback import FeedbackEvent, FeedbackTail, Rating
from app.domain.guidance import Guidance
from app.domain.housekeeping import LessonSwitched
from app.domain.incident import Findings
from app.domain.rewriting import RewritableStore
from app.learning.compaction import Compaction
from app.learning.report import Statistics
from tests.fakes.feedback import (
    RESTART,
    UNDO,
    FeedbackInMemory,
    Learning,
    analysis_of,
    learning_on,
    plan_of,
    report_of,
)

PLANS = 30
MESSAGES = ("memory limit reached", "image pull refused", "no space left on device")


@dataclass
class Reader:
    """A store that notes from where it is read."""

    store: RewritableStore
    begun_at: list[int] = field(default_factory=list)

    async def append(self, events: Sequence[FeedbackEvent]) -> None:
        await self.store.append(events)

    async def read(self, position: int) -> FeedbackTail:
        self.begun_at.append(position)
        return await self.store.read(position)

    async def fetch(self, positions: Sequence[int]) -> Sequence[FeedbackEvent | None]:
        return await self.store.fetch(positions)

    async def park(self, report: Report) -> None:
        await self.store.park(report)

    async def parked(self) -> Sequence[Report]:
        return await self.store.parked()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feedback" / "remediation_feedback.jsonl"


@pytest.fixture
def snapshot(path: Path) -> Path:
    return path.with_suffix(".snapshot")


@pytest.fixture(params=["file", "table"])
async def store(request: pytest.FixtureRequest, path: Path) -> AsyncIterator[RewritableStore]:
    if request.param == "file":
        async with open_feedback_file(path) as file:
            yield file
        return
    path.parent.mkdir()
    location = DatabaseLocation.of_url(request.getfixturevalue("postgres_url"))
    async with open_feedback_table(location) as table:
        yield table


@pytest.fixture
async def file(path: Path) -> AsyncIterator[FeedbackFile]:
    async with open_feedback_file(path) as opened:
        yield opened


def started(store: RewritableStore, snapshot: Path, version: str = "1") -> tuple[Learning, Reader]:
    """All of learning as a process has it that was just started, with a snapshot after any event."""
    reader = Reader(store)
    snapshots = FeedbackSnapshotFile(snapshot, version, store.mark)
    return learning_on(reader, snapshots, save_after=1), reader


async def write(store: RewritableStore, plans: range) -> None:
    """Plans on three failures; some decided twice, some rated, some retracted or not decided."""
    source = FeedbackInMemory()
    learning = learning_on(source)
    for number in plans:
        message = MESSAGES[number % 3]
        plan = plan_of(RESTART if number % 2 else UNDO)
        feedback_id, approval_id = await learning.plan(number, plan, analysis_of(message))
        if number % 5:
            decision = Decision.REJECTED if number % 4 == 0 else Decision.APPROVED
            await learning.recorder.hear(report_of(approval_id, decision, reason=f"R{number}"))
        if number % 3 == 0:
            await learning.recorder.rate(feedback_id, Rating(rating=1 + number % 5))
    lessons = await learning.lessons.lessons()
    await store.append(source.events)
    if lessons:
        switched = LessonSwitched(
            id=f"s{plans.start}",
            ts=source.events[-1].ts,
            lesson_id=lessons[0].rule.lesson.id,
            active=False,
        )
        await store.append([switched])


@dataclass(frozen=True)
class Known:
    """Everything that learning answers."""

    statistics: Statistics
    guidance: tuple[Guidance, ...]
    improvements: list[str]
    lessons: list[object]
    tops: list[object]
    records: list[object]


async def known_to(learning: Learning) -> Known:
    guided = [
        await learning.selector.guide(analysis_of(message), Findings(), Entities())
        for message in MESSAGES
    ]
    return Known(
        await learning.report.statistics(),
        tuple(guided),
        await learning.report.improvements(),
        [*await learning.lessons.lessons()],
        [*await learning.report.top_examples(20, 0.0)],
        [*await learning.records()],
    )


def damage(snapshot: Path, place: float) -> None:
    data = bytearray(snapshot.read_bytes())
    data[int(place * len(data))] ^= 0xFF
    snapshot.write_bytes(data)


def cut(snapshot: Path, share: float) -> None:
    data = snapshot.read_bytes()
    snapshot.write_bytes(data[: int(share * len(data))])


def turn_round(path: Path) -> None:
    """The same lines, the last one first."""
    path.write_bytes(b"".join(reversed(path.read_bytes().splitlines(keepends=True))))


def is_there(path: Path) -> bool:
    return path.exists()


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_a_start_reads_only_what_follows_the_snapshot_and_knows_the_same(
    store: RewritableStore, snapshot: Path
):
    await write(store, range(PLANS))
    await known_to(started(store, snapshot)[0])
    await write(store, range(PLANS, 2 * PLANS))
    whole = learning_on(store)

    learning, reader = started(store, snapshot)
    found = await known_to(learning)

    assert reader.begun_at[0] > 0
    assert found.guidance[0].examples
    assert found == await known_to(whole)


async def test_what_is_decided_after_a_start_counts_as_ever(store: RewritableStore, snapshot: Path):
    await write(store, range(PLANS))
    before = await known_to(started(store, snapshot)[0])
    learning, _ = started(store, snapshot)

    await learning.recorder.hear(report_of("approval-0", Decision.REJECTED, reason="Too late"))

    after = await known_to(learning)
    assert after.statistics.rejected_count == before.statistics.rejected_count + 1
    assert after == await known_to(learning_on(store))


@pytest.mark.parametrize("place", [0.0, 0.01, 0.5, 0.999])
async def test_a_damaged_snapshot_counts_for_nothing(
    file: FeedbackFile, snapshot: Path, place: float
):
    await write(file, range(PLANS))
    before = await known_to(started(file, snapshot)[0])
    damage(snapshot, place)

    learning, reader = started(file, snapshot)

    assert await known_to(learning) == before
    assert reader.begun_at[0] == 0


@pytest.mark.parametrize("share", [0.0, 0.5])
async def test_half_a_snapshot_counts_for_nothing(file: FeedbackFile, snapshot: Path, share: float):
    await write(file, range(PLANS))
    before = await known_to(started(file, snapshot)[0])
    cut(snapshot, share)

    learning, reader = started(file, snapshot)

    assert await known_to(learning) == before
    assert reader.begun_at[0] == 0


async def test_a_snapshot_of_another_version_counts_for_nothing(file: FeedbackFile, snapshot: Path):
    await write(file, range(PLANS))
    before = await known_to(started(file, snapshot, version="1")[0])

    learning, reader = started(file, snapshot, version="2")

    assert await known_to(learning) == before
    assert reader.begun_at[0] == 0


async def test_a_snapshot_of_another_log_counts_for_nothing(
    file: FeedbackFile, path: Path, snapshot: Path
):
    await write(file, range(PLANS))
    await known_to(started(file, snapshot)[0])
    turn_round(path)

    learning, reader = started(file, snapshot)

    assert (await known_to(learning)).records == (await known_to(learning_on(file))).records
    assert reader.begun_at[0] == 0


async def test_a_snapshot_that_cannot_be_written_disturbs_nobody(
    file: FeedbackFile, snapshot: Path
):
    snapshot.with_name(f"{snapshot.name}.new").mkdir()
    await write(file, range(PLANS))

    learning, _ = started(file, snapshot)

    assert await known_to(learning) == await known_to(learning_on(file))
    assert not is_there(snapshot)


async def test_a_log_that_is_written_anew_takes_its_snapshot_along(
    file: FeedbackFile, snapshot: Path
):
    await write(file, range(PLANS))
    await known_to(started(file, snapshot)[0])
    assert is_there(snapshot)

    await file.rewrite(Compaction())

    assert not is_there(snapshot)


async def test_nobody_else_may_read_a_snapshot(file: FeedbackFile, snapshot: Path):
    await write(file, range(PLANS))

    await known_to(started(file, snapshot)[0])

    assert mode_of(snapshot) == 0o600
