"""The ledger: little of a record is in memory, and what is shown comes whole from the store."""

import asyncio
import gc
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from app.adapters.storage.feedback_lines import to_line
from app.domain.answer import Entities
from app.domain.approval import Decision
from app.domain.errors import NotFound, StorageFailed
from app.domain.feedback import FeedbackEvent, FeedbackTail, PlanStatus, Rating
from app.domain.guidance import Guidance
from app.domain.incident import Findings
from app.learning.catalogue import DRAFTS_LIMIT
from tests.fakes.feedback import (
    RESTART,
    UNDO,
    FeedbackInMemory,
    Learning,
    analysis_of,
    learning_on,
    open_learning,
    plan_of,
    report_of,
)

RECORD_BYTES = 1000
"""Generous; one whole record of these takes five times as much."""


class SlowFeedback(FeedbackInMemory):
    """A store that is read when it is told to be."""

    def __init__(self, events: Iterable[FeedbackEvent]) -> None:
        super().__init__(events)
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.begun_at: list[int] = []

    async def read(self, position: int) -> FeedbackTail:
        self.begun_at.append(position)
        self.is_asked.set()
        await self.may_answer.wait()
        return await super().read(position)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "remediation_feedback.jsonl"


@pytest.fixture
async def learning(path: Path) -> AsyncIterator[Learning]:
    async with open_learning(path) as opened:
        yield opened


def content(path: Path) -> bytes:
    return path.read_bytes()


def rewrite(path: Path, data: bytes) -> None:
    path.write_bytes(data)


async def decided_plans(numbers: range) -> list[FeedbackEvent]:
    """What is written of so many plans, each approved at once."""
    store = FeedbackInMemory()
    writer = learning_on(store)
    for number in numbers:
        plan = plan_of(RESTART.replace("checkout", f"checkout-{number}"))
        _, approval_id = await writer.plan(number, plan)
        await writer.recorder.hear(report_of(approval_id))
    return store.events


async def test_more_records_take_little_more_memory(learning: Learning, path: Path):
    written = b""
    held: list[int] = []
    tracemalloc.start()
    try:
        for numbers in (range(2 * DRAFTS_LIMIT), range(1000, 2000), range(2000, 3000)):
            written += b"".join(map(to_line, await decided_plans(numbers)))
            rewrite(path, written)
            await learning.report.statistics()
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0] - sys.getsizeof(written))
    finally:
        tracemalloc.stop()

    assert (await learning.report.statistics()).approved_count == 2 * DRAFTS_LIMIT + 2000
    # The smaller of two: once in a while all of Python's names move to a larger table.
    assert min(after - before for before, after in pairwise(held)) / 1000 < RECORD_BYTES


async def test_who_leaves_while_it_is_read_leaves_the_reading_to_the_next_one():
    store = SlowFeedback(await decided_plans(range(3)))
    learning = learning_on(store)
    leaving = asyncio.create_task(learning.report.statistics())
    await store.is_asked.wait()
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving

    store.may_answer.set()
    statistics = await learning.report.statistics()

    assert statistics.approved_count == 3
    assert store.begun_at.count(0) == 1


async def test_a_decision_that_comes_after_many_other_plans_counts():
    learning = learning_on(FeedbackInMemory())
    for number in range(DRAFTS_LIMIT + 10):
        await learning.plan(number, plan_of(UNDO))

    await learning.recorder.hear(report_of("approval-3", Decision.REJECTED, reason="Too late"))

    statistics = await learning.report.statistics()
    assert (statistics.rejected_count, statistics.pending_count) == (1, DRAFTS_LIMIT + 9)
    assert await learning.report.improvements() == ["Avoid: Too late"]


async def test_a_decision_counts_for_every_plan_under_its_approval(learning: Learning):
    first, approval_id = await learning.plan(1)
    second, _ = await learning.plan(2)
    await learning.recorder.hear(report_of(approval_id, approved=2))

    await learning.recorder.link(second, approval_id)

    statuses = {record.feedback_id: record.status for record in await learning.records()}
    assert statuses == {first: PlanStatus.APPROVED, second: PlanStatus.APPROVED}


async def test_texts_are_shown_whole(learning: Learning):
    plan = plan_of(*(f"kubectl get pods -n namespace-{number}" for number in range(100)))
    feedback_id, _ = await learning.plan(1, plan)

    assert (await learning.record(feedback_id)).output_data == plan.model_dump_json()


async def test_a_log_that_was_replaced_by_a_shorter_one_is_learned_anew(
    learning: Learning, path: Path
):
    await learning.plan(1, plan_of(RESTART))
    kept = content(path)
    await learning.plan(2, plan_of(UNDO))
    await learning.recorder.hear(report_of("approval-2"))
    assert await guide(learning) != Guidance()

    rewrite(path, kept)

    statistics = await learning.report.statistics()
    assert (statistics.total_outputs, statistics.pending_count) == (1, 1)
    assert await guide(learning) == Guidance()


@pytest.mark.parametrize("place", ["not an event", "another plan's"])
async def test_a_log_that_was_changed_behind_our_back_is_an_error_once(
    learning: Learning, path: Path, place: str
):
    first, _ = await learning.plan(1)
    await learning.plan(2)
    await learning.recorder.rate(first, Rating(rating=4))
    lines = content(path).splitlines(keepends=True)
    if place == "another plan's":
        assert len(lines[0]) == len(lines[2])
        changed = [lines[2], lines[1], lines[0], *lines[3:]]
    else:
        changed = [b"#" * (len(lines[0]) - 1) + b"\n", *lines[1:], lines[0]]
    rewrite(path, b"".join(changed))

    with pytest.raises(StorageFailed, match="try again"):
        await learning.record(first)

    assert (await learning.record(first)).rating.rating == 4


async def test_a_plan_of_which_only_the_approval_is_known_is_none_yet():
    source = FeedbackInMemory()
    feedback_id, _ = await learning_on(source).plan(1)
    proposed, linked = source.events
    store = FeedbackInMemory([linked])
    learning = learning_on(store)

    assert (await learning.report.statistics()).total_outputs == 0
    with pytest.raises(NotFound):
        await learning.recorder.rate(feedback_id, Rating(rating=1))
    await store.append([proposed])

    assert [record.feedback_id for record in await learning.records()] == [feedback_id]


async def guide(learning: Learning) -> Guidance:
    return await learning.selector.guide(analysis_of(), Findings(), Entities())
