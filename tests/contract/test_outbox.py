"""What the outbox of proposals keeps for all processes on one database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from app.adapters.storage.location import DatabaseLocation
from app.domain.answer import AgentName
from app.domain.events import Event, EventStatus, EventType, Latecomer
from app.domain.ids import ApprovalId
from tests.fakes.stored import StoringProcess, proposal_of, storing_process

FIRST, SECOND = proposal_of(1), proposal_of(2)


@pytest.fixture
async def here(location: DatabaseLocation) -> AsyncIterator[StoringProcess]:
    async with storing_process(location) as process:
        yield process


@pytest.fixture
async def there(location: DatabaseLocation, here: StoringProcess) -> AsyncIterator[StoringProcess]:
    async with storing_process(location, here.clock) as process:
        yield process


async def test_a_proposal_waits_until_it_is_delivered(here: StoringProcess, there: StoringProcess):
    assert await here.outbox.put(FIRST) is None
    here.clock.move(1)
    assert await here.outbox.put(SECOND) is None
    assert await there.outbox.undelivered(10) == [FIRST, SECOND]
    assert await there.outbox.undelivered(1) == [FIRST]

    await here.outbox.delivered(FIRST.key, ApprovalId("7"))

    assert await there.outbox.undelivered(10) == [SECOND]


async def test_the_same_key_is_the_same_proposal(here: StoringProcess, there: StoringProcess):
    await asyncio.gather(here.outbox.put(FIRST), there.outbox.put(FIRST))
    await here.outbox.delivered(FIRST.key, ApprovalId("7"))

    assert await there.outbox.put(FIRST) == "7"

    assert await here.outbox.undelivered(10) == []


async def test_one_process_sends_at_a_time(here: StoringProcess, there: StoringProcess):
    await here.outbox.put(FIRST)

    leases = await asyncio.gather(
        *[process.outbox.lease(FIRST.key, 30) for process in (here, there, here, there)]
    )

    assert sorted(leases) == [False, False, False, True]
    assert await here.outbox.undelivered(10) == await there.outbox.undelivered(10) == []


async def test_a_lease_ends_by_itself(here: StoringProcess, there: StoringProcess):
    await here.outbox.put(FIRST)
    assert await here.outbox.lease(FIRST.key, 30)

    here.clock.move(31)

    assert await there.outbox.undelivered(10) == [FIRST]
    assert await there.outbox.lease(FIRST.key, 30)


async def test_a_lease_is_given_back_by_who_has_it(here: StoringProcess, there: StoringProcess):
    await here.outbox.put(FIRST)
    assert await here.outbox.lease(FIRST.key, 30)

    await there.outbox.release(FIRST.key)
    assert not await there.outbox.lease(FIRST.key, 30)
    await here.outbox.release(FIRST.key)

    assert await there.outbox.lease(FIRST.key, 30)


async def test_what_is_delivered_is_not_sent_again(here: StoringProcess):
    await here.outbox.put(FIRST)
    await here.outbox.delivered(FIRST.key, ApprovalId("7"))

    assert not await here.outbox.lease(FIRST.key, 30)


async def test_a_declined_proposal_is_not_sent_again(here: StoringProcess, there: StoringProcess):
    await here.outbox.put(FIRST)
    await here.outbox.declined(FIRST.key, "too long")

    assert await there.outbox.undelivered(10) == []
    assert not await there.outbox.lease(FIRST.key, 60)


async def test_a_workflow_is_undecided_until_its_outcome_is_told(
    here: StoringProcess, there: StoringProcess
):
    workflow_id = await here.ended()
    await here.outbox.put(replace(FIRST, workflow_id=workflow_id))
    assert await there.outbox.undecided(10) == []

    await here.outbox.delivered(FIRST.key, ApprovalId("7"))
    assert await there.outbox.undecided(10) == [workflow_id]

    bounds = await there.events.bounds(workflow_id)
    outcome = Event(AgentName.KUBECTL_COMMAND, EventStatus.INFO, "{}", EventType.OUTCOME)
    await there.events.append(workflow_id, [outcome], Latecomer(bounds.last))
    assert await here.outbox.undecided(10) == []
