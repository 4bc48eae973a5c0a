"""Every event, in order, once, whenever a client comes and wherever it goes on."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

import orjson
import pytest
import pytest_asyncio

from app.domain.events import EventType
from app.domain.ids import WorkflowId
from tests.fakes.sse_reader import Dispatched
from tests.fakes.streaming import (
    Doors,
    answer_of,
    last,
    memory_log,
    open_doors,
    said,
    write,
    written,
)
from tests.fakes.unreliable_log import UnreliableLog

TRIALS = 500
AT_ONCE = 10
EVENTS_PER_SECOND = 1000


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors() -> AsyncIterator[Doors]:
    async with open_doors(memory_log()) as opened:
        yield opened


def seqs(events: Sequence[Dispatched]) -> list[int]:
    """Positions, as far as they are in the log."""
    return [orjson.loads(event.data)["seq"] for event in events if event.event != "reset"]


def resets(events: Sequence[Dispatched]) -> list[dict[str, object]]:
    return [orjson.loads(event.data) for event in events if event.event == "reset"]


async def finished(doors: Doors, count: int = 40) -> WorkflowId:
    """Of so many events, every third a token and every fifth a proposal."""
    kinds = [EventType.TOKEN, EventType.STATUS, EventType.STATUS, EventType.PROPOSAL]
    events = [said(str(number), kinds[number % 4]) for number in range(1, count)]
    return await written(doors.log, *events, last("p"))


async def test_a_finished_workflow_is_replayed_from_one_to_its_end(doors: Doors):
    workflow_id = await finished(doors, 700)

    events = await doors.all_of(workflow_id)

    assert seqs(events) == list(range(1, 701))
    stored = await doors.log.read(workflow_id, 0, 1000)
    assert [event.data.encode() for event in events] == [event.frame for event in stored]


async def test_two_clients_at_different_times_see_the_same_bytes(doors: Doors):
    workflow_id = await written(doors.log, said("begun"))

    async with asyncio.TaskGroup() as group:
        early = group.create_task(doors.all_of(workflow_id))
        for number in range(300):
            await write(doors.log, workflow_id, said(str(number), EventType.TOKEN))
            await asyncio.sleep(0)
        midway = group.create_task(doors.all_of(workflow_id))
        await asyncio.sleep(0)
        await write(doors.log, workflow_id, last())
    late = await doors.all_of(workflow_id)

    assert seqs(late) == list(range(1, 303))
    assert early.result() == midway.result() == late


async def test_going_on_after_any_event_gives_the_next(doors: Doors):
    workflow_id = await finished(doors)
    whole = await doors.all_of(workflow_id)

    for place, event in enumerate(whole[:-1], 1):
        assert await doors.all_of(workflow_id, last_event_id=event.id) == whole[place:]


async def test_the_answer_says_where_it_goes_on(doors: Doors):
    workflow_id = await finished(doors)

    async with doors.opened(workflow_id, last_event_id="memory-7") as answer:
        assert answer.headers["stream-resumed-from"] == "memory-7"
    async with doors.opened(workflow_id, last_event_id="memory-0") as answer:
        assert answer.headers["stream-resumed-from"] == "start"


async def test_the_header_beats_the_query_and_an_empty_one_counts_for_nothing(doors: Doors):
    workflow_id = await finished(doors)
    path = doors.path(workflow_id, "?last_event_id=memory-30")

    assert seqs(await doors.all_of(workflow_id, "?last_event_id=memory-30"))[0] == 31
    async with answer_of(doors.port, path, {"last-event-id": "memory-10"}) as answer:
        assert seqs([event async for event in answer.events()])[0] == 11
    async with answer_of(doors.port, path, {"last-event-id": ""}) as answer:
        assert seqs([event async for event in answer.events()])[0] == 31


async def test_from_now_on_gives_only_what_comes(doors: Doors):
    workflow_id = await written(doors.log, said("a"), said("b"))

    async with doors.opened(workflow_id, "?from=now") as answer:
        assert answer.headers["stream-resumed-from"] == "memory-2"
        await write(doors.log, workflow_id, last())
        assert seqs([event async for event in answer.events()]) == [3]


async def test_a_cursor_goes_before_from(doors: Doors):
    workflow_id = await finished(doors)

    assert seqs(await doors.all_of(workflow_id, "?from=now", "memory-39")) == [40]


async def test_a_filter_leaves_out_and_does_not_renumber(doors: Doors):
    workflow_id = await finished(doors)

    events = await doors.all_of(workflow_id, "?types=token,proposal")

    assert seqs(events) == [n for n in range(1, 40) if n % 4 in {0, 3}] + [40]


async def test_a_filtered_reader_goes_on_without_loss_or_repetition(doors: Doors):
    workflow_id = await finished(doors)
    whole = await doors.all_of(workflow_id, "?types=token")

    for place, event in enumerate(whole[:-1], 1):
        assert await doors.all_of(workflow_id, "?types=token", event.id) == whole[place:]


async def test_a_filter_that_changes_between_connections_loses_nothing(doors: Doors):
    workflow_id = await written(doors.log, said("a", EventType.TOKEN))

    async with doors.opened(workflow_id, "?types=token") as answer:
        events = answer.events()
        first = await anext(events)
        for number in range(3):
            await write(doors.log, workflow_id, said(str(number), EventType.PROPOSAL))
        await write(doors.log, workflow_id, said("b", EventType.TOKEN))
        assert seqs([await anext(events)]) == [5]
    await write(doors.log, workflow_id, last())

    both = await doors.all_of(workflow_id, "?types=token,proposal", first.id)
    assert seqs(both) == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("cursor", ["elsewhere-3", "a-b-c-3", "memory-41", "e-0"])
async def test_a_cursor_of_another_log_is_told_and_gets_everything(doors: Doors, cursor: str):
    workflow_id = await finished(doors)

    events = await doors.all_of(workflow_id, last_event_id=cursor)

    assert events[0].event == "reset"
    (reset,) = resets(events)
    assert reset["first_seq"] == 1
    assert reset["reason"]
    assert seqs(events) == list(range(1, 41))


@pytest.mark.parametrize(
    ("cursor", "is_told"), [("", True), ("memory-5", True), ("memory-29", False)]
)
async def test_what_retention_has_taken_is_told_and_not_passed_over(cursor: str, is_told: bool):
    log = UnreliableLog(memory_log())
    async with open_doors(log) as doors:
        workflow_id = await finished(doors)
        log.first = 30

        events = await doors.all_of(workflow_id, last_event_id=cursor)

    assert bool(resets(events)) is is_told
    assert all(reset["first_seq"] == 30 for reset in resets(events))
    assert seqs(events) == list(range(30, 41))


async def test_what_retention_takes_while_it_is_read_is_told():
    log = UnreliableLog(memory_log())
    async with open_doors(log) as doors:
        workflow_id = await written(doors.log, *(said("x" * 9000) for _ in range(600)), last())
        async with doors.opened(workflow_id) as answer:
            events = answer.events()
            seen = [await anext(events)]
            log.first = 500
            seen += [event async for event in events]

    known = seqs(seen)
    (reset,) = resets(seen)
    assert reset["first_seq"] == 500
    gap = known.index(500)
    assert known == [*range(1, known[gap - 1] + 1), *range(500, 602)]


async def test_joining_a_running_workflow_has_neither_gap_nor_double(doors: Doors):
    workflow_id, chance = await written(doors.log, said("begun")), Random(1)
    is_over = asyncio.Event()

    async def run() -> None:
        number, loop = 0, asyncio.get_running_loop()
        begun = loop.time()
        while not is_over.is_set():
            number += 1
            await write(doors.log, workflow_id, said(str(number), EventType.TOKEN))
            # The pace is what is tried; what a busy machine delays is caught up with.
            await asyncio.sleep(max(0.0, begun + number / EVENTS_PER_SECOND - loop.time()))

    async def join() -> None:
        bounds = await doors.log.bounds(workflow_id)
        after = chance.randint(max(0, bounds.last - 200), bounds.last)
        query = chance.choice(["", "?flush_ms=0", "?flush_ms=40", "?types=token,status"])
        async with doors.opened(workflow_id, query, f"memory-{after}") as answer:
            wanted = bounds.last - after + chance.randint(1, 30)
            events = answer.events()
            seen = [await anext(events) for _ in range(wanted)]
        assert seqs(seen) == list(range(after + 1, after + wanted + 1))

    async def try_often() -> None:
        for _ in range(TRIALS // AT_ONCE):
            await join()

    async with asyncio.TaskGroup() as group:
        group.create_task(run())
        async with asyncio.TaskGroup() as trials:
            for _ in range(AT_ONCE):
                trials.create_task(try_often())
        is_over.set()
