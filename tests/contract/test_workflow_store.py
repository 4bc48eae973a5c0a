"""What the store of workflows keeps for all processes on one database."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from app.adapters.storage.location import DatabaseLocation
from app.domain.errors import Conflict, Fenced, NotFound, TooBusy
from app.domain.events import Bystander, EventType, Latecomer, LogBounds, Recorded
from app.domain.ids import ApprovalId, WorkflowId, new_workflow_id
from app.domain.workflow import Claim, WorkflowState
from tests.fakes.stored import (
    INPUT,
    StoringProcess,
    last_words,
    proposal_of,
    said,
    storing_process,
)
from tests.fakes.waiting import until


@pytest.fixture
async def there(location: DatabaseLocation, here: StoringProcess) -> AsyncIterator[StoringProcess]:
    async with storing_process(location, here.clock) as process:
        yield process


async def test_a_new_workflow_waits_with_its_input_and_its_first_event(
    here: StoringProcess, there: StoringProcess
):
    workflow_id = await here.stored("a \0 title")

    record = await there.workflows.get(workflow_id)
    assert (record.state, record.title) == (WorkflowState.QUEUED, "a \ufffd title")
    assert (record.created_at, record.finished_at, record.outcome) == (here.clock.now(), None, "")
    assert await there.workflows.input_of(workflow_id) == INPUT
    assert await there.events.bounds(workflow_id) == LogBounds(1, 1, 0, 0)
    (first,) = await there.said_in(workflow_id)
    assert json.loads(first.frame)["data"] == "started"


async def test_what_does_not_fit_into_the_queue_is_not_kept(
    here: StoringProcess, there: StoringProcess
):
    await here.stored(most_waiting=2)
    await there.stored(most_waiting=2)

    with pytest.raises(TooBusy):
        await here.stored(most_waiting=2)

    assert await here.workflows.count_waiting() == 2
    assert len((await here.workflows.page(None, 10))[0]) == 2


async def test_a_workflow_that_runs_makes_room_in_the_queue(here: StoringProcess):
    first = await here.stored(most_waiting=1)
    await here.workflows.claim(first)

    await here.stored(most_waiting=1)

    assert await here.workflows.count_waiting() == 1
    assert (await here.workflows.get(first)).state is WorkflowState.RUNNING


async def test_what_never_was_is_not_found(here: StoringProcess):
    nobody = new_workflow_id()

    for asking in (
        here.workflows.get,
        here.workflows.input_of,
        here.workflows.claim,
        here.workflows.request_cancel,
    ):
        with pytest.raises(NotFound):
            await asking(nobody)


async def test_a_title_may_be_found_later(here: StoringProcess):
    workflow_id = await here.stored()

    await here.workflows.begin(workflow_id, "out of memory\0")

    assert (await here.workflows.get(workflow_id)).title == "out of memory\ufffd"


async def test_pages_go_from_the_newest_to_the_oldest(here: StoringProcess):
    ids = [await here.stored(str(number)) for number in range(5)]
    seen: list[WorkflowId] = []
    cursor: int | None = None

    for length in (2, 2, 1):
        page, cursor = await here.workflows.page(cursor, 2)
        assert len(page) == length
        seen += [record.workflow_id for record in page]

    assert cursor is None
    assert seen == ids[::-1]


async def test_a_workflow_is_claimed_by_one_living_process(
    here: StoringProcess, there: StoringProcess
):
    workflow_id, claim = await here.claimed()
    assert claim == Claim(here.me, 1)

    with pytest.raises(Fenced):
        await there.workflows.claim(workflow_id)
    await here.events.append(workflow_id, [last_words()], claim)
    for process in (here, there):
        with pytest.raises(Conflict) as over:
            await process.workflows.claim(workflow_id)
        assert not isinstance(over.value, Fenced)


async def test_the_workflows_of_a_buried_process_wait_again(
    here: StoringProcess, there: StoringProcess
):
    workflow_id, _ = await here.claimed()
    over = await here.ended()

    await there.processes.bury(here.me)
    await there.processes.bury(here.me)

    assert (await there.workflows.get(workflow_id)).state is WorkflowState.QUEUED
    assert (await there.workflows.get(over)).state is WorkflowState.COMPLETED
    assert await there.workflows.claim(workflow_id) == Claim(there.me, 2)


async def test_a_process_that_took_itself_off_the_table_leaves_its_workflows_to_others(
    here: StoringProcess, there: StoringProcess
):
    workflow_id, _ = await here.claimed()

    await here.processes.forget(here.me)

    assert await there.workflows.claim(workflow_id) == Claim(there.me, 2)


async def test_strays_are_unfinished_old_enough_and_nobodys(
    here: StoringProcess, there: StoringProcess
):
    waiting = await here.stored()
    running, _ = await here.claimed()
    left, _ = await there.claimed()
    await here.ended()
    assert await here.workflows.strays() == []

    here.clock.move(6)
    await here.stored()
    await here.processes.bury(there.me)

    assert await here.workflows.strays() == [(waiting, 0), (left, 1)]
    assert running not in dict(await here.workflows.strays())

    await here.workflows.claim(left)
    await there.processes.bury(here.me)
    assert left not in dict(await there.workflows.strays())


async def test_a_cancel_request_reaches_who_runs_it_and_twice_is_once(
    here: StoringProcess, there: StoringProcess
):
    running, claim = await here.claimed()
    waiting = await here.stored()

    for process in (there, here):
        assert (await process.workflows.request_cancel(running)).workflow_id == running
        await process.workflows.request_cancel(waiting)

    assert set(await here.workflows.cancel_requests()) == {running, waiting}
    assert await there.workflows.cancel_requests() == [waiting]
    await here.events.append(running, [last_words(WorkflowState.CANCELLED)], claim)
    await here.events.append(waiting, [last_words(WorkflowState.CANCELLED)], Bystander())
    assert await here.workflows.cancel_requests() == []


async def test_a_cancel_request_that_comes_too_late_changes_nothing(here: StoringProcess):
    workflow_id = await here.ended()

    record = await here.workflows.request_cancel(workflow_id)

    assert record.state is WorkflowState.COMPLETED
    assert await here.workflows.cancel_requests() == []


async def test_places_are_told_when_they_have_halved(here: StoringProcess, there: StoringProcess):
    ids = [await here.stored() for _ in range(8)]
    heard: list[Recorded] = []

    with here.events.subscribe(ids[7], heard.extend):
        for gone in (0, 1, 2, 1, 2, 1):
            for workflow_id in ids[:gone]:
                await here.workflows.claim(workflow_id)
            del ids[:gone]
            await asyncio.gather(
                here.workflows.tell_positions(100), there.workflows.tell_positions(100)
            )
        await until(lambda: bool(heard) and heard[-1].seq == 5)

    told = [json.loads(r.frame)["data"] for r in await here.said_in(ids[0])][1:]
    numbers = ["".join(filter(str.isdigit, sentence)) for sentence in told]
    assert numbers == ["8", "4", "2", "1"]
    assert {r.type for r in (await here.said_in(ids[0]))[1:]} == {EventType.PROGRESS}


async def test_only_so_many_places_are_told_in_one_go(here: StoringProcess):
    ids = [await here.stored() for _ in range(5)]

    await here.workflows.tell_positions(3)

    lengths = [(await here.events.bounds(workflow_id)).last for workflow_id in ids]
    assert lengths == [2, 2, 2, 1, 1]


async def test_old_workflows_keep_how_they_ended_and_no_more(here: StoringProcess):
    old = await here.ended()
    await here.events.append(old, [said("yes", EventType.DECISION)], Latecomer(3))
    here.clock.move(100)
    new, running = await here.ended(), await here.stored()
    before = here.clock.now() - timedelta(seconds=1)
    frames = [r.frame for r in await here.said_in(old)]

    assert await here.workflows.purge(before, 10) == 1
    assert await here.workflows.purge(before, 10) == 0

    assert await here.events.bounds(old) == LogBounds(3, 4, 3, 0)
    assert [r.frame for r in await here.said_in(old)] == frames[2:]
    assert (await here.workflows.get(old)).outcome == "The end."
    with pytest.raises(NotFound):
        await here.workflows.input_of(old)
    for kept in (new, running):
        assert (await here.events.bounds(kept)).first == 1
        assert await here.workflows.input_of(kept) == INPUT


async def test_a_purge_goes_in_pieces_from_the_oldest(here: StoringProcess):
    ids = []
    for _ in range(3):
        ids.append(await here.ended())
        here.clock.move(1)

    assert await here.workflows.purge(here.clock.now(), 2) == 2

    assert [(await here.events.bounds(each)).first for each in ids] == [3, 3, 1]


async def test_nothing_is_purged_that_still_has_to_be_delivered(here: StoringProcess):
    workflow_id = await here.ended()
    proposal = proposal_of(1, workflow_id)
    await here.outbox.put(proposal)
    here.clock.move(100)
    assert await here.workflows.purge(here.clock.now(), 10) == 0

    await here.outbox.delivered(proposal.key, ApprovalId("7"))

    assert await here.workflows.purge(here.clock.now(), 10) == 1
    assert await here.outbox.put(proposal) == "7"
