"""The fan-out over logs as the port allows them: shared, late, repeating, and failing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import orjson
import pytest
from starlette.types import Message

from app.api.streams.doors import StreamingApplication
from app.api.streams.fanout import open_fanout
from app.api.streams.limits import DEFAULT_LIMITS, StreamLimits
from app.domain.events import EventType, Latecomer
from app.domain.ids import WorkflowId
from app.domain.ports import EventLog
from app.observability.metrics import Metrics
from tests.fakes.sse_reader import Cut, Dispatched, Parser
from tests.fakes.stored import StoringProcess, last_words
from tests.fakes.streaming import (
    Doors,
    last,
    memory_log,
    open_doors,
    said,
    write,
    write_later,
    written,
)
from tests.fakes.unreliable_log import UnreliableLog
from tests.fakes.waiting import until

CROWD = 100
READERS = 12
EVENTS = 300


def seqs(events: list[Dispatched]) -> list[int]:
    return [orjson.loads(event.data)["seq"] for event in events]


@pytest.fixture
def log() -> UnreliableLog:
    return UnreliableLog(memory_log())


@pytest.fixture
async def doors(log: UnreliableLog) -> AsyncIterator[Doors]:
    async with open_doors(log) as opened:
        yield opened


async def test_readers_in_both_processes_see_all_that_one_of_them_runs(
    here: StoringProcess, there: StoringProcess
):
    workflow_id, claim = await here.claimed()
    chance = Random(1)

    run_so_far = 0

    async def run() -> None:
        nonlocal run_so_far
        for run_so_far in range(EVENTS):
            event = said(str(run_so_far), chance.choice([EventType.TOKEN, EventType.STATUS]))
            await here.events.append(workflow_id, [event], claim)
        await here.events.append(workflow_id, [last_words()], claim)

    async def read(doors: Doors) -> list[Dispatched]:
        start = chance.randrange(EVENTS)
        await until(lambda: run_so_far >= start)
        return await doors.all_of(workflow_id)

    async with (
        open_doors(here.events) as near,
        open_doors(there.events) as far,
        asyncio.TaskGroup() as group,
    ):
        readers = [group.create_task(read((near, far)[n % 2])) for n in range(READERS)]
        group.create_task(run())
        await asyncio.wait(readers)

    whole = readers[0].result()
    assert seqs(whole) == list(range(1, EVENTS + 3))
    assert all(reader.result() == whole for reader in readers)


async def test_a_reader_may_go_on_in_the_other_process(here: StoringProcess, there: StoringProcess):
    workflow_id, claim = await here.claimed()
    seen: list[Dispatched] = []

    async def run() -> None:
        for number in range(EVENTS):
            await here.events.append(workflow_id, [said(str(number))], claim)
        await here.events.append(workflow_id, [last_words()], claim)

    async with open_doors(here.events) as near, open_doors(there.events) as far:
        async with asyncio.TaskGroup() as group:
            group.create_task(run())
            while not seen or seqs(seen)[-1] < EVENTS:
                doors = far if doors_are_even(seen) else near
                last_id = seen[-1].id if seen else ""
                async with doors.opened(workflow_id, last_event_id=last_id) as answer:
                    events = answer.events()
                    seen += [await anext(events) for _ in range(10)]
        seen += await far.all_of(workflow_id, last_event_id=seen[-1].id)

    assert seqs(seen) == list(range(1, EVENTS + 3))


def doors_are_even(seen: list[Dispatched]) -> bool:
    return len(seen) % 20 == 0


async def test_events_that_were_not_heard_of_are_read_when_a_later_one_is(
    log: UnreliableLog, doors: Doors
):
    workflow_id = await written(log, said("begun"))

    async with doors.opened(workflow_id) as answer:
        events = answer.events()
        await anext(events)
        for number in range(400):
            log.tells = number % 7 == 0
            await write(log, workflow_id, said(str(number)))
            await asyncio.sleep(0)
        log.tells = True
        await write(log, workflow_id, last())
        rest = [event async for event in events]

    assert seqs(rest) == list(range(2, 403))


async def test_an_end_that_nobody_told_of_is_found_after_a_silence(log: UnreliableLog):
    workflow_id = await written(log, said("begun"))

    async with (
        open_doors(log, StreamLimits(heartbeat_seconds=0.1)) as doors,
        doors.opened(workflow_id) as answer,
    ):
        events = answer.events()
        await anext(events)
        log.tells = False
        await write(log, workflow_id, said("unheard"), last())
        rest = [event async for event in events]

    assert seqs(rest) == [2, 3]


async def test_events_that_are_told_again_are_sent_once(log: UnreliableLog, doors: Doors):
    workflow_id = await written(log, said("begun"))
    log.repeats = True

    async with doors.opened(workflow_id) as answer:
        events = answer.events()
        await anext(events)
        for number in range(50):
            await write(log, workflow_id, said(str(number)))
            await asyncio.sleep(0)
        await write(log, workflow_id, last())
        rest = [event async for event in events]

    assert seqs(rest) == list(range(2, 53))


async def test_a_cursor_may_be_ahead_of_what_this_process_has_heard(
    log: UnreliableLog, doors: Doors
):
    workflow_id = await written(log, said("begun"))

    async with doors.opened(workflow_id, "?flush_ms=0") as slow:
        slow_events = slow.events()
        await anext(slow_events)
        log.tells = False
        await write(log, workflow_id, said("unheard"), said("unheard"))
        async with doors.opened(workflow_id, last_event_id="memory-3") as answer:
            behind = [await anext(slow_events) for _ in range(2)]
            log.tells = True
            await write(log, workflow_id, last())
            ahead = [event async for event in answer.events()]
        behind += [event async for event in slow_events]

    assert seqs(ahead) == [4]
    assert seqs(behind) == [2, 3, 4]


async def test_an_end_that_was_not_heard_of_is_the_end_for_who_comes_later(
    log: UnreliableLog, doors: Doors
):
    workflow_id = await written(log, said("begun"))

    async with doors.opened(workflow_id, "?until=outcome") as answer:
        await anext(answer.events())
        log.tells = False
        await write(log, workflow_id, last("p"))
        log.tells = True
        await write_later(log, workflow_id, said("yes", EventType.DECISION))
        async with doors.opened(workflow_id, last_event_id="memory-2") as late:
            assert late.status == 204


async def test_what_is_heard_while_the_log_is_asked_for_its_end_is_not_forgotten(
    log: UnreliableLog, doors: Doors
):
    workflow_id = await written(log, said("begun"))
    log.answers.clear()

    async def read_three() -> list[Dispatched]:
        async with doors.opened(workflow_id, "?until=outcome") as answer:
            events = answer.events()
            seen = [await anext(events) for _ in range(3)]
            async with doors.opened(workflow_id, last_event_id="memory-3") as late:
                assert late.status == 204
            return seen

    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read_three())
        await until(lambda: log.followed == 1)
        await write(log, workflow_id, said("meanwhile"), last("p"))
        log.answers.set()

    assert seqs(reading.result()) == [1, 2, 3]


async def test_an_end_that_is_missed_while_the_log_is_asked_for_its_end_is_known_later(
    log: UnreliableLog, doors: Doors
):
    workflow_id = await written(log, said("begun"))
    log.answers.clear()

    async def read_begun() -> None:
        async with doors.opened(workflow_id, "?until=outcome") as answer:
            await anext(answer.events())
            async with doors.opened(workflow_id, last_event_id="memory-2") as late:
                assert late.status == 204

    async with asyncio.TaskGroup() as group:
        group.create_task(read_begun())
        await until(lambda: log.followed == 1)
        log.tells = False
        await write(log, workflow_id, last("p"))
        log.tells = True
        await log.append(workflow_id, [said("yes", EventType.DECISION)], Latecomer(2))
        log.answers.set()


async def test_a_gap_that_cannot_be_read_ends_the_stream_and_is_not_passed_over(
    log: UnreliableLog, doors: Doors
):
    workflow_id = await written(log, said("begun"))

    async with doors.opened(workflow_id) as answer:
        events = answer.events()
        seen = [await anext(events)]
        log.tells = False
        await write(log, workflow_id, said("missed"))
        log.tells, log.is_down = True, True
        await write(log, workflow_id, said("heard"))
        seen += [event async for event in events]
    log.is_down = False
    await write(log, workflow_id, last())

    assert seqs(seen) == [1]
    assert seqs(await doors.all_of(workflow_id, last_event_id=seen[-1].id)) == [2, 3, 4]


async def test_a_crowd_that_comes_back_reads_each_old_event_once(log: UnreliableLog, doors: Doors):
    workflow_id = await written(log, *(said(str(number)) for number in range(1000)), last())

    async with asyncio.TaskGroup() as group:
        crowd = [
            group.create_task(doors.all_of(workflow_id, last_event_id=f"memory-{number * 3}"))
            for number in range(CROWD)
        ]

    for number, reader in enumerate(crowd):
        assert seqs(reader.result()) == list(range(number * 3 + 1, 1002))
    assert log.reads < CROWD / 2


async def test_a_crowd_before_a_storage_that_fails_is_not_kept_waiting(
    log: UnreliableLog, doors: Doors
):
    workflow_id = await written(log, said("begun"))
    log.is_down = True

    async def come() -> bool:
        try:
            async with doors.opened(workflow_id, last_event_id="memory-1"):
                return True
        except Cut:
            return False

    async with asyncio.TaskGroup() as group:
        crowd = [group.create_task(come()) for _ in range(CROWD)]

    assert not any(reader.result() for reader in crowd)


async def test_a_storage_that_fails_slowly_is_asked_once_for_all_who_wait(
    log: UnreliableLog, doors: Doors
):
    workflow_id = await written(log, said("begun"))
    log.turns_pages.clear()

    async with asyncio.TaskGroup() as group:
        crowd = [group.create_task(doors.all_of(workflow_id)) for _ in range(CROWD)]
        metrics = doors.fanout.metrics
        await until(lambda: f"streams_open {CROWD}.0".encode() in metrics.render())
        # Nothing tells from outside that all of them wait for the same page now.
        await asyncio.sleep(0.1)
        log.is_down = True
        log.turns_pages.set()

    assert [reader.result() for reader in crowd] == [[]] * CROWD
    assert log.reads < CROWD / 2


async def test_a_workflow_that_nobody_follows_any_more_is_forgotten(
    log: UnreliableLog, doors: Doors
):
    ids = [await written(log, said("begun")) for _ in range(5)]

    for workflow_id in ids:
        async with doors.opened(workflow_id), doors.opened(workflow_id, "?types=token"):
            assert log.followed == 1
        await until(lambda: log.followed == 0)


async def test_old_events_are_not_kept_for_those_who_may_come(log: UnreliableLog):
    async with open_doors(log, StreamLimits(heartbeat_seconds=0.1)) as doors:
        workflow_id = await written(log, *(said(str(number)) for number in range(500)))
        async with doors.opened(workflow_id, "?from=now"):

            async def replay() -> int:
                reads = log.reads
                async with doors.opened(workflow_id) as answer:
                    events = answer.events()
                    assert seqs([await anext(events) for _ in range(500)])[-1] == 500
                return log.reads - reads

            assert await replay() > 0
            async with asyncio.timeout(5):
                while not await replay():
                    pass


class Connection:
    """What an ASGI server gives the application; an odd server fails to send events."""

    def __init__(self, *, is_odd: bool = False) -> None:
        self.sent = b""
        self.is_gone = asyncio.Event()
        self.has_left = asyncio.Event()
        self.is_odd = is_odd

    async def receive(self) -> Message:
        await self.is_gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if self.is_odd and b"id: " in message.get("body", b""):
            raise RuntimeError("an odd server")
        self.sent += message.get("body", b"")

    def has(self, events: int) -> bool:
        return self.sent.count(b"\n\n") == events


@asynccontextmanager
async def connected(*connections: Connection) -> AsyncIterator[tuple[EventLog, WorkflowId]]:
    """All of them to the stream of one workflow."""
    log, app = memory_log(), StreamingApplication()
    workflow_id = await written(log, said("begun"))
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/api/v1/workflows/{workflow_id}/stream",
        "query_string": b"from=now",
        "headers": [],
    }

    async def serve(connection: Connection) -> None:
        await app(dict(scope), connection.receive, connection.send)
        connection.has_left.set()

    async with (
        open_fanout(log, DEFAULT_LIMITS, Metrics()) as app.state.fanout,
        asyncio.TaskGroup() as group,
    ):
        for connection in connections:
            group.create_task(serve(connection))
        await until(lambda: all(connection.sent for connection in connections))
        yield log, workflow_id
        for connection in connections:
            connection.is_gone.set()


async def test_a_connection_that_fails_in_an_odd_way_takes_no_other_with_it():
    odd, other = Connection(is_odd=True), Connection()

    async with connected(odd, other) as (log, workflow_id):
        for number in range(3):
            await write(log, workflow_id, said(str(number)))
            await until(lambda: other.has(number + 1))  # noqa: B023 - called here

    assert seqs(list(Parser().feed(other.sent))) == [2, 3, 4]


async def test_nothing_is_sent_to_who_has_left():
    first, second = Connection(), Connection()

    async with connected(first, second) as (log, workflow_id):
        await write(log, workflow_id, said("to both"))
        await until(lambda: first.has(1) and second.has(1))
        first.is_gone.set()
        await first.has_left.wait()
        await write(log, workflow_id, said("to one"))
        await until(lambda: second.has(2))

    assert first.has(1)
