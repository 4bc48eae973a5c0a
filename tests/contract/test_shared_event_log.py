"""What an event log keeps when several processes write to and listen at one database."""

import asyncio
from contextlib import suppress

import pytest

from app.adapters.storage.location import DatabaseLocation
from app.domain.answer import AgentName
from app.domain.errors import Conflict, Fenced, NotFound, StorageFailed
from app.domain.events import (
    Bystander,
    Event,
    EventStatus,
    EventType,
    Latecomer,
    LogBounds,
    Recorded,
)
from app.domain.ids import new_workflow_id
from app.domain.workflow import Claim, WorkflowState
from tests.fakes.postgres import Postgres
from tests.fakes.stored import StoringProcess, last_words, said, storing_process
from tests.fakes.waiting import until


async def test_what_one_process_appends_is_heard_in_the_others_too(
    here: StoringProcess, there: StoringProcess
):
    workflow_id, claim = await here.claimed()
    heard: list[Recorded] = []

    with there.events.subscribe(workflow_id, heard.extend):
        for number in range(20):
            await here.events.append(workflow_id, [said(str(number)), said("again")], claim)
        await here.events.append(workflow_id, [last_words()], claim)
        await until(lambda: bool(heard) and heard[-1].is_terminal)

    stored = await there.said_in(workflow_id)
    assert [r.seq for r in stored] == list(range(1, 43))
    assert [r.seq for r in heard] == sorted({r.seq for r in heard})
    assert {r.frame for r in heard} <= {r.frame for r in stored}


async def test_events_of_a_process_that_comes_and_goes_unnoticed_are_heard(
    location: DatabaseLocation, there: StoringProcess
):
    heard: list[Recorded] = []

    async with storing_process(location, has_peers=lambda: False) as here:
        workflow_id, claim = await there.claimed()
        with here.events.subscribe(workflow_id, heard.extend):
            await there.events.append(workflow_id, [said("worked"), last_words()], claim)
            await until(lambda: bool(heard) and heard[-1].is_terminal)


async def test_several_processes_number_one_log_without_gap_or_double(
    here: StoringProcess, there: StoringProcess
):
    workflow_id = await here.ended()
    heard: dict[str, list[int]] = {here.me: [], there.me: []}

    async def append(process: StoringProcess, number: int) -> None:
        text = f"{process.me} {number}"
        decision = said(text, EventType.DECISION)
        while True:
            seen = (await process.events.bounds(workflow_id)).last
            try:
                await process.events.append(workflow_id, [decision, decision], Latecomer(seen))
            except Conflict:
                continue
            return

    with (
        here.events.subscribe(workflow_id, lambda new: heard[here.me].extend(r.seq for r in new)),
        there.events.subscribe(workflow_id, lambda new: heard[there.me].extend(r.seq for r in new)),
    ):
        async with asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(append(here, number))
                group.create_task(append(there, number))
        await until(lambda: all(seqs and seqs[-1] == 123 for seqs in heard.values()))

    assert [r.seq for r in await here.said_in(workflow_id)] == list(range(1, 124))
    for seqs in heard.values():
        assert seqs == sorted(set(seqs))


async def test_of_two_processes_that_claim_at_once_one_has_it(
    here: StoringProcess, there: StoringProcess
):
    workflow_id = await here.stored()

    claims = await asyncio.gather(
        here.workflows.claim(workflow_id),
        there.workflows.claim(workflow_id),
        return_exceptions=True,
    )

    assert sorted(type(claim).__name__ for claim in claims) == ["Claim", "Fenced"]


async def test_a_voided_claim_appends_nothing(here: StoringProcess, there: StoringProcess):
    workflow_id, old = await here.claimed()
    await there.processes.bury(here.me)
    new = await there.workflows.claim(workflow_id)

    with pytest.raises(Fenced):
        await here.events.append(workflow_id, [said("late")], old)
    with pytest.raises(Fenced):
        await here.events.append(workflow_id, [said("forged")], Claim(there.me, new.number + 1))
    await there.events.append(workflow_id, [said("mine")], new)

    assert [r.seq for r in await here.said_in(workflow_id)] == [1, 2]


async def test_a_process_that_claims_again_voids_its_own_claim(here: StoringProcess):
    workflow_id, old = await here.claimed()
    new = await here.workflows.claim(workflow_id)

    with pytest.raises(Fenced):
        await here.events.append(workflow_id, [said("late")], old)
    await here.events.append(workflow_id, [said("mine")], new)

    assert (old.number, new.number) == (1, 2)


async def test_a_bystander_of_the_queue_writes_only_while_it_waits(here: StoringProcess):
    workflow_id = await here.stored()
    place = said("third", EventType.PROGRESS)

    await here.events.append(workflow_id, [place], Bystander())
    await here.workflows.claim(workflow_id)
    with pytest.raises(Conflict):
        await here.events.append(workflow_id, [place], Bystander())

    assert len(await here.said_in(workflow_id)) == 2


async def test_an_outcome_is_said_once(here: StoringProcess):
    workflow_id = await here.ended()
    outcome = said("it helped", EventType.OUTCOME)
    await here.events.append(workflow_id, [outcome], Latecomer(3))

    with pytest.raises(Conflict):
        await here.events.append(workflow_id, [outcome], Latecomer(4))

    assert await here.events.bounds(workflow_id) == LogBounds(1, 4, 3, 4)


async def test_nobody_writes_to_a_workflow_that_never_was(here: StoringProcess):
    for writer in (Claim(here.me, 1), Bystander(), Latecomer(1)):
        with pytest.raises(NotFound):
            await here.events.append(new_workflow_id(), [said("?")], writer)


@pytest.mark.parametrize("state", [WorkflowState.COMPLETED, WorkflowState.CANCELLED])
async def test_the_terminal_event_ends_the_record(here: StoringProcess, state: WorkflowState):
    workflow_id, claim = await here.claimed()

    await here.events.append(workflow_id, [said("almost"), last_words(state)], claim)

    record = await here.workflows.get(workflow_id)
    assert (record.state, record.outcome) == (state, "The end.")
    assert record.finished_at == here.clock.now()


async def test_a_failure_without_an_outcome_of_its_own_fails_the_record(here: StoringProcess):
    workflow_id, claim = await here.claimed()
    failure = Event(AgentName.ORCHESTRATOR, EventStatus.ERROR, "no\0", is_terminal=True)

    await here.events.append(workflow_id, [failure], claim)

    record = await here.workflows.get(workflow_id)
    assert (record.state, record.outcome) == (WorkflowState.FAILED, "no\ufffd")


async def test_an_append_is_heard_although_its_caller_left(here: StoringProcess):
    workflow_id, claim = await here.claimed()
    heard: list[Recorded] = []

    with here.events.subscribe(workflow_id, heard.extend):
        async with asyncio.TaskGroup() as group:
            appending = group.create_task(here.events.append(workflow_id, [said("a")], claim))
            await asyncio.sleep(0)
            appending.cancel()
        await until(lambda: len(heard) == 1)

    assert appending.cancelled()


async def test_listeners_hear_what_others_said_while_postgres_was_away(
    postgres: Postgres, postgres_url: str
):
    location = DatabaseLocation.of_url(postgres_url)
    heard: list[Recorded] = []
    async with storing_process(location) as here, storing_process(location) as there:
        workflow_id, claim = await here.claimed()
        with there.events.subscribe(workflow_id, heard.extend):
            postgres.stop()
            with pytest.raises(StorageFailed):
                await here.events.append(workflow_id, [said("lost")], claim)
            postgres.start()
            while not heard:
                with suppress(StorageFailed):
                    await here.events.append(workflow_id, [said("a")], claim)
            last = (await here.events.bounds(workflow_id)).last
            await until(lambda: heard[-1].seq == last)

    assert [r.seq for r in heard] == sorted({r.seq for r in heard})


async def test_what_is_raised_while_a_log_is_followed_comes_out_as_it_is(here: StoringProcess):
    with pytest.raises(NotFound):
        async with here.events.following(lambda: True):
            await here.events.bounds(new_workflow_id())
