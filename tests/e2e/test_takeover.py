"""Processes that are killed, paused, stopped or cut off: their workflows go on, each ends once."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.adapters.queue.dbos import DbosQueue, open_dbos_queue
from app.adapters.storage.database import open_database
from app.adapters.storage.events import SqlEventLog, read_epoch
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.workflows import SqlWorkflowStore
from app.bootstrap.ground import SystemClock
from app.domain.answer import AgentName
from app.domain.events import Event, EventStatus
from app.domain.ids import WorkflowId, new_process_id
from app.domain.workflow import WorkflowInput, WorkflowRecord, WorkflowState
from app.observability.metrics import Metrics
from tests.fakes.postgres import Postgres
from tests.fakes.servers import REPOSITORY
from tests.fakes.waiting import until

LIMIT_SECONDS = 60.0
TAKEOVER_SECONDS = 10.0
"""A second each, on a machine that keeps up."""
OUTAGE_SECONDS = 8.0
A, B = WorkflowId("a"), WorkflowId("b")
FIRST = Event(AgentName.ORCHESTRATOR, EventStatus.WORKING, "started")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseLocation:
    if request.param == "sqlite":
        return DatabaseLocation.of_file(tmp_path / "workflows.sqlite")
    return DatabaseLocation.of_url(request.getfixturevalue("postgres_url"))


@dataclass
class Worker:
    """A process that works and takes over."""

    process: asyncio.subprocess.Process
    told: Path

    def lines(self, word: str) -> list[str]:
        if not self.told.exists():
            return []
        lines = [line.split() for line in self.told.read_text().splitlines()]
        return [rest for first, rest in lines if first == word]

    def let_end(self) -> None:
        """Whatever it works on ends now, and what comes later ends at once."""
        self.told.with_suffix(".go").touch()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)


class Fleet:
    """Starts workers on one database, and gives them work."""

    def __init__(self, location: DatabaseLocation, folder: Path, running: AsyncExitStack) -> None:
        self.location = location
        self._folder = folder
        self._running = running
        self._started = 0

    async def start(self) -> Worker:
        """A worker that consumes already."""
        told = self._folder / f"worker-{self._started}.told"
        self._started += 1
        worker = await self._running.enter_async_context(a_worker(self.location, told))
        await until(lambda: worker.lines("me") != [])
        return worker

    async def __aenter__(self) -> "Fleet":
        clock, me = SystemClock(), new_process_id()
        database = await self._running.enter_async_context(open_database(self.location))
        events = SqlEventLog(database, clock, await read_epoch(database), Metrics())
        self.workflows = SqlWorkflowStore(database, clock, me, events)
        self.queue: DbosQueue = await self._running.enter_async_context(
            open_dbos_queue(self.location.url, me, 1)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._running.aclose()

    async def store(self, *names: WorkflowId) -> None:
        for name in names:
            record = WorkflowRecord(
                name, WorkflowState.QUEUED, SystemClock().now(), None, "title", ""
            )
            await self.workflows.create(record, WorkflowInput("text", ()), FIRST, 1000)

    async def submit(self, *names: WorkflowId) -> None:
        await self.store(*names)
        for name in names:
            await self.queue.enqueue(name, 1)

    async def state_of(self, name: WorkflowId) -> WorkflowState:
        return (await self.workflows.get(name)).state

    def beats(self) -> dict[str, int]:
        """How often each process has beaten."""
        engine = sa.create_engine(self.location.url)
        with engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT process_id, beats FROM processes")).all()
        engine.dispose()
        return {str(row[0]): int(row[1]) for row in rows}

    def processes(self) -> list[str]:
        return list(self.beats())


@asynccontextmanager
async def a_worker(location: DatabaseLocation, told: Path) -> AsyncIterator[Worker]:
    async with a_process("tests.fakes.takeover_process", [location.url, str(told)]) as process:
        yield Worker(process, told)


@asynccontextmanager
async def a_process(
    module: str, arguments: Sequence[str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    command = [sys.executable, "-m", module, *arguments]
    process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def fleet(location: DatabaseLocation, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with Fleet(location, tmp_path, AsyncExitStack()) as started:
        yield started


async def test_a_killed_processes_work_is_done_by_another_within_ten_seconds(fleet: Fleet):
    killed = await fleet.start()
    await fleet.submit(A, B)
    await until(lambda: killed.lines("begin") == [A])
    survivor = await fleet.start()
    survivor.let_end()
    await until(lambda: survivor.lines("end") == [B])

    killed.signal(signal.SIGKILL)
    begun = time.monotonic()
    await until(lambda: A in survivor.lines("end"))

    assert time.monotonic() - begun < TAKEOVER_SECONDS
    assert await fleet.state_of(A) is WorkflowState.COMPLETED
    await until(lambda: fleet.processes() == survivor.lines("me"))


async def test_of_several_survivors_one_does_the_work(fleet: Fleet):
    killed = await fleet.start()
    await fleet.submit(A)
    await until(lambda: killed.lines("begin") == [A])
    survivors = [await fleet.start() for _ in range(3)]
    for survivor in survivors:
        survivor.let_end()

    killed.signal(signal.SIGKILL)
    begun = time.monotonic()
    await until(lambda: any(survivor.lines("end") for survivor in survivors))
    seconds = time.monotonic() - begun
    await fleet.submit(B)
    await until(lambda: any(B in survivor.lines("end") for survivor in survivors))

    assert seconds < TAKEOVER_SECONDS
    assert sorted(name for one in survivors for name in one.lines("begin")) == [A, B]


async def test_what_a_process_took_that_died_before_it_was_known_is_done_by_another(
    fleet: Fleet, location: DatabaseLocation, tmp_path: Path
):
    told = tmp_path / "unknown.told"
    arguments = [location.url, str(told), "1"]
    async with a_process("tests.fakes.queue_process", arguments) as unknown:
        await until(told.exists)
        await fleet.submit(A)
        await until(lambda: f"begin {A}" in told.read_text().splitlines())
        unknown.kill()
        await unknown.wait()
    assert fleet.processes() == []

    survivor = await fleet.start()
    survivor.let_end()

    await until(lambda: survivor.lines("end") == [A])


async def test_a_paused_owner_that_wakes_is_fenced_off_and_works_on(fleet: Fleet):
    paused = await fleet.start()
    await fleet.submit(A)
    await until(lambda: paused.lines("begin") == [A])
    other = await fleet.start()

    paused.signal(signal.SIGSTOP)
    await until(lambda: other.lines("begin") == [A])
    paused.let_end()
    paused.signal(signal.SIGCONT)
    await until(lambda: set(paused.lines("Fenced")) == {A})
    other.let_end()

    await until(lambda: other.lines("end") == [A])
    await until(lambda: sorted(fleet.processes()) == sorted(paused.lines("me") + other.lines("me")))
    other.signal(signal.SIGTERM)
    await other.process.wait()
    await fleet.submit(B)
    await until(lambda: paused.lines("end") == [B])


async def test_a_clean_stop_hands_the_work_back_at_once(fleet: Fleet):
    stopped = await fleet.start()
    await fleet.submit(A)
    await until(lambda: stopped.lines("begin") == [A])

    stopped.signal(signal.SIGTERM)
    async with asyncio.timeout(LIMIT_SECONDS):
        code = await stopped.process.wait()

    assert code == 0
    assert fleet.processes() == []
    assert await fleet.state_of(A) is WorkflowState.QUEUED
    next_one = await fleet.start()
    next_one.let_end()
    await until(lambda: next_one.lines("end") == [A])
    assert stopped.lines("end") == []


async def test_what_was_stored_and_not_queued_is_found(fleet: Fleet):
    worker = await fleet.start()
    worker.let_end()

    await fleet.store(A)

    await until(lambda: worker.lines("end") == [A])


async def test_a_database_that_was_away_makes_nobody_dead(postgres: Postgres, tmp_path: Path):
    with postgres.database() as url:
        location = DatabaseLocation.of_url(url)
        async with Fleet(location, tmp_path, AsyncExitStack()) as fleet:
            workers = [await fleet.start(), await fleet.start()]
            await fleet.submit(A, B)
            await until(lambda: all(worker.lines("begin") for worker in workers))

            before = fleet.beats()
            postgres.stop()
            # An outage has to last: longer than the silence after which a process is dead.
            await asyncio.sleep(OUTAGE_SECONDS)
            postgres.start()
            await until(lambda: all(now > before[name] + 4 for name, now in fleet.beats().items()))
            for worker in workers:
                worker.let_end()

            await until(lambda: len([name for one in workers for name in one.lines("end")]) == 2)
            assert sorted(name for one in workers for name in one.lines("begin")) == [A, B]
            assert len(fleet.processes()) == 2
