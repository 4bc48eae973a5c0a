"""Several backends that share a feedback store: what one hears, all know."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import psycopg
import pytest

from app.adapters.storage.feedback_jsonl import open_feedback_file
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.location import DatabaseLocation
from app.domain.answer import Entities
from app.domain.approval import Decision
from app.domain.errors import NotFound
from app.domain.feedback import Rating
from app.domain.guidance import ExampleRole
from app.domain.ids import WorkflowId
from app.domain.incident import Findings
from app.domain.ports import FeedbackStore
from tests.fakes.feedback import WORKFLOW, Learning, analysis_of, learning_on, report_of

Open = Callable[[], AbstractAsyncContextManager[FeedbackStore]]
OTHER_WORKFLOW = WorkflowId("5f5b6f6e-0000-4c5a-9d52-2f1f0d3c9a11")


@pytest.fixture(params=["file", "table"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "file":
        return lambda: open_feedback_file(tmp_path / "remediation_feedback.jsonl")
    location = DatabaseLocation.of_url(request.getfixturevalue("postgres_url"))
    return lambda: open_feedback_table(location)


@pytest.fixture
async def backends(open_store: Open) -> AsyncIterator[tuple[Learning, Learning]]:
    """Two, each with a store, a ledger and an index of its own."""
    async with AsyncExitStack() as stack:
        one, other = [await stack.enter_async_context(open_store()) for _ in range(2)]
        yield learning_on(one), learning_on(other)


async def test_a_decision_that_one_hears_teaches_the_other(backends: tuple[Learning, Learning]):
    one, other = backends
    feedback_id, approval_id = await one.plan(1)

    assert await other.recorder.hear(report_of(approval_id, Decision.REJECTED, reason="Not now"))
    await one.recorder.rate(feedback_id, Rating(rating=1))

    for backend in backends:
        guidance = await backend.selector.guide(analysis_of(), Findings(), Entities())
        (example,) = guidance.examples
        assert (example.role, example.note) == (ExampleRole.REJECTED, "Not now")
    assert await one.report.statistics() == await other.report.statistics()
    assert await one.records() == await other.records()


async def test_the_same_decision_told_to_both_counts_once(backends: tuple[Learning, Learning]):
    one, other = backends
    _, approval_id = await one.plan(1)
    report = report_of(approval_id, approved=2)

    await asyncio.gather(*(backend.recorder.hear(report) for backend in backends * 3))

    for backend in (one, other):
        assert (await backend.report.statistics()).approved_count == 2


async def test_a_decision_that_came_early_to_one_counts_when_the_other_links(
    backends: tuple[Learning, Learning],
):
    one, other = backends
    with pytest.raises(NotFound):
        await one.recorder.hear(report_of("approval-1", approved=1, rejected=1))

    await other.plan(1)

    assert (await one.report.statistics()).approved_count == 1


async def test_what_both_write_at_the_same_time_is_all_there(backends: tuple[Learning, Learning]):
    one, other = backends
    async with asyncio.TaskGroup() as group:
        for number in range(1, 11):
            group.create_task(one.plan(number))
            group.create_task(other.plan(100 + number, workflow_id=OTHER_WORKFLOW))

    for backend in backends:
        assert len(await backend.report.of_workflow(WORKFLOW)) == 10
        assert len(await backend.report.of_workflow(OTHER_WORKFLOW)) == 10


async def test_a_database_that_was_restored_is_learned_anew(postgres_url: str):
    async with open_feedback_table(DatabaseLocation.of_url(postgres_url)) as table:
        learning = learning_on(table)
        await learning.plan(1)
        await learning.plan(2)
        before = await learning.report.statistics()

        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("DELETE FROM feedback_events WHERE position > 2")

        assert before.total_outputs == 2
        assert (await learning.report.statistics()).total_outputs == 1
        await learning.plan(3)
        assert (await learning.report.statistics()).total_outputs == 2
