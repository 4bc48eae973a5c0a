"""Every feedback store: it is written anew as a whole, readers notice, and nobody's append is lost."""

import asyncio
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.adapters.storage.feedback_jsonl import FeedbackFile, open_feedback_file
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.location import DatabaseLocation
from app.domain.answer import Entities
from app.domain.approval import Decision
from app.domain.course import Decided
from app.domain.feedback import FeedbackEvent, Rated
from app.domain.housekeeping import Compacted
from app.domain.ids import ApprovalId, FeedbackId
from app.domain.incident import Findings
from app.domain.rewriting import RewritableStore, StoredLine
from app.learning.compaction import Compaction
from app.learning.forgetting import ForgetReviewer, ForgetWorkflow
from tests.fakes.feedback import analysis_of, learning_on, report_of

AT = datetime(2030, 5, 1, tzinfo=UTC)
Open = Callable[[], AbstractAsyncContextManager[RewritableStore]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feedback" / "remediation_feedback.jsonl"


@pytest.fixture(params=["file", "table"])
def open_store(request: pytest.FixtureRequest, path: Path) -> Open:
    if request.param == "file":
        return lambda: open_feedback_file(path)
    location = DatabaseLocation.of_url(request.getfixturevalue("postgres_url"))
    return lambda: open_feedback_table(location)


@pytest.fixture
async def store(open_store: Open) -> AsyncIterator[RewritableStore]:
    async with open_store() as opened:
        yield opened


def rated(number: int, name: str = "w") -> Rated:
    plan = FeedbackId(f"{name}_remediation_{number}")
    return Rated(
        id=f"{name}{number}", ts=AT + timedelta(seconds=number), feedback_id=plan, rating=3
    )


def early(number: int, reviewer: str) -> Decided:
    return Decided(
        id=f"d{number}",
        ts=AT,
        approval_id=ApprovalId(f"a{number}"),
        decision=Decision.APPROVED,
        reviewer=reviewer,
    )


async def read_all(store: RewritableStore) -> list[FeedbackEvent]:
    events: list[FeedbackEvent] = []
    position, is_end = 0, False
    while not is_end:
        tail = await store.read(position)
        position, is_end = tail.position, tail.is_end
        events += tail.events
    return events


async def test_what_is_kept_stays_in_its_order_behind_the_mark_of_the_new_log(
    store: RewritableStore,
):
    await store.append([rated(1), rated(2), rated(1), rated(3)])

    await store.rewrite(Compaction())

    first, *others = await read_all(store)
    assert isinstance(first, Compacted)
    assert others == [rated(1), rated(2), rated(3)]
    await store.rewrite(Compaction())
    assert len(await read_all(store)) == 4


async def test_a_log_that_is_empty_can_be_compacted(store: RewritableStore):
    await store.rewrite(Compaction())

    assert [event.type for event in await read_all(store)] == ["compacted"]


async def test_a_reader_notices_even_when_the_log_is_longer_again(
    store: RewritableStore, open_store: Open
):
    await store.append([rated(1), rated(1)])
    before = await store.read(0)
    async with open_store() as other:
        for _ in range(2):
            await other.rewrite(Compaction())
        await other.append([rated(number) for number in range(2, 30)])

    after = await store.read(before.position)

    assert after.start != before.position
    assert rated(1) in after.events
    assert await store.fetch(before.positions) == [None, None]
    assert await store.fetch(after.positions) == [*after.events]


async def test_a_running_ledger_goes_on_with_the_new_log(store: RewritableStore, open_store: Open):
    learning = learning_on(store)
    _, approval_id = await learning.plan(1)
    await learning.report.statistics()
    async with open_store() as other:
        await other.rewrite(Compaction())

    await learning.recorder.hear(report_of(approval_id, approved=2))

    assert (await learning.report.statistics()).approved_count == 2
    assert (await learning.report.statistics()).total_outputs == 1


async def test_what_others_append_meanwhile_is_there(store: RewritableStore, open_store: Open):
    await store.append([rated(number) for number in range(300)])

    async def write(name: str) -> None:
        async with open_store() as other:
            for number in range(40):
                await other.append([rated(number, name)])

    async def compact() -> None:
        async with open_store() as other:
            for _ in range(5):
                await other.rewrite(Compaction())

    async with asyncio.TaskGroup() as group:
        for name in ("x", "y"):
            group.create_task(write(name))
        group.create_task(compact())

    found = [event.id for event in await read_all(store) if isinstance(event, Rated)]
    expected = {f"w{n}" for n in range(300)} | {f"{name}{n}" for name in "xy" for n in range(40)}
    assert len(found) == len(expected)
    assert set(found) == expected


async def test_early_reports_are_forgotten_and_kept_like_events(store: RewritableStore):
    await store.park(early(1, "Ada"))
    await store.park(early(2, "Grace"))

    await store.rewrite(ForgetReviewer("Ada", AT))

    assert [one.id for one in await store.parked()] == ["d1", "d2"]
    lines = [line.raw async for line in store.lines()]
    assert not any(b"Ada" in raw for raw in lines)
    assert any(b"Grace" in raw for raw in lines)


async def test_a_rewriting_that_fails_changes_nothing(store: RewritableStore, path: Path):
    class Failing(Compaction):
        def keep(self, line: StoredLine) -> bytes | None:
            raise ValueError("on purpose")

    await store.append([rated(1), rated(1)])

    with pytest.raises(ValueError, match="on purpose"):
        await store.rewrite(Failing())

    assert await read_all(store) == [rated(1), rated(1)]
    assert not exists(path.with_name(f"{path.name}.new"))
    await store.append([rated(2)])
    assert len(await read_all(store)) == 3


async def test_what_a_killed_rewriting_left_is_no_matter(path: Path):
    async with open_feedback_file(path) as store:
        await store.append([rated(1)])
        write(path.with_name(f"{path.name}.new"), b'{"v":1,"half')
        make_private(path)

        await store.rewrite(ForgetWorkflow("w", AT))

        assert [event.type for event in await read_all(store)] == ["compacted", "forgotten"]
    assert not exists(path.with_name(f"{path.name}.new"))
    assert stat.S_IMODE(mode_of(path)) == 0o600


async def test_half_a_line_that_a_killed_writer_left_is_sealed_and_kept(path: Path):
    async with open_feedback_file(path) as store:
        await store.append([rated(1), rated(1)])
        torn = b'{"v":1,"id":"torn","ts"'
        write(path, raw(path) + torn)

        await store.rewrite(Compaction())
        await store.append([rated(2)])

        assert [event.id for event in await read_all(store)][1:] == ["w1", "w2"]
        assert torn + b"\n" in raw(path)


def exists(path: Path) -> bool:
    return path.exists()


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def make_private(path: Path) -> None:
    path.chmod(0o600)


def mode_of(path: Path) -> int:
    return path.stat().st_mode


class RewrittenMeanwhile(FeedbackFile):
    """Compacted by somebody else just before the next events are looked up."""

    is_next = False

    async def fetch(self, positions: Sequence[int]) -> Sequence[FeedbackEvent | None]:
        if self.is_next and positions:
            self.is_next = False
            await self.rewrite(Compaction())
        return await super().fetch(positions)


async def test_a_report_is_taken_even_when_the_log_is_written_anew_in_that_moment(path: Path):
    store = RewrittenMeanwhile(path)
    learning = learning_on(store)
    _, approval_id = await learning.plan(1)
    await learning.recorder.hear(report_of(approval_id, approved=1))
    store.is_next = True

    await learning.recorder.hear(report_of(approval_id, Decision.REJECTED, rejected=2))

    assert not store.is_next
    assert (await learning.report.statistics()).rejected_count == 2
    store.is_next = True
    guidance = await learning.selector.guide(analysis_of(), Findings(), Entities())
    assert not store.is_next
    assert len(guidance.examples) == 1


def raw(path: Path) -> bytes:
    return path.read_bytes()
