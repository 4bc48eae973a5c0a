"""What the queue of workflows keeps, on both databases and with real processes."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.adapters.queue.dbos import DbosQueue, open_dbos_queue
from app.adapters.storage.location import DatabaseLocation
from app.domain.errors import StartupFailed, StorageFailed
from app.domain.ids import ProcessId, WorkflowId, new_process_id
from tests.fakes.postgres import SECRET, Postgres
from tests.fakes.servers import REPOSITORY, free_port
from tests.fakes.waiting import until

pytestmark = pytest.mark.timeout(120)
A, B, C = WorkflowId("a"), WorkflowId("b"), WorkflowId("c")


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return DatabaseLocation.of_file(tmp_path / "workflows.sqlite").url
    return DatabaseLocation.of_url(request.getfixturevalue("postgres_url")).url


@dataclass
class Bench:
    """Where work is done, and how it is waited for."""

    begun: list[WorkflowId] = field(default_factory=list)
    ended: list[WorkflowId] = field(default_factory=list)
    most_at_once: int = 0
    may_end: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, workflow_id: WorkflowId) -> None:
        self.begun.append(workflow_id)
        self.most_at_once = max(self.most_at_once, len(self.begun) - len(self.ended))

    async def work(self, workflow_id: WorkflowId) -> None:
        self.begin(workflow_id)
        await self.may_end.wait()
        self.ended.append(workflow_id)


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.may_end.set()
    return made


@asynccontextmanager
async def a_queue(
    url: str, concurrency: int = 4, me: ProcessId | None = None
) -> AsyncIterator[DbosQueue]:
    async with open_dbos_queue(url, me or new_process_id(), concurrency) as queue:
        yield queue


@dataclass
class Consumer:
    """A process that consumes."""

    process: subprocess.Popen[bytes]
    told: Path
    printed: Path

    def lines(self, word: str) -> list[str]:
        if not self.told.exists():
            return []
        lines = [line.split() for line in self.told.read_text().splitlines()]
        return [rest for first, rest in lines if first == word]

    def let_end(self) -> None:
        """Whatever it works on ends now, and what comes later ends at once."""
        self.told.with_suffix(".go").touch()

    @property
    def name(self) -> ProcessId:
        return ProcessId(self.lines("me")[0])


StartConsumer = Callable[[int], Consumer]


@pytest.fixture
def start_consumer(url: str, tmp_path: Path) -> Iterator[StartConsumer]:
    """Starts consumers, ends them, and looks whether they printed anything."""
    started: list[Consumer] = []
    with ExitStack() as running:

        def start(concurrency: int) -> Consumer:
            number = len(started)
            consumer = running.enter_context(consuming(url, tmp_path / f"{number}", concurrency))
            started.append(consumer)
            return consumer

        yield start
    assert [consumer.printed.read_text() for consumer in started] == [""] * len(started)


@contextmanager
def consuming(url: str, stem: Path, concurrency: int) -> Iterator[Consumer]:
    told, printed = stem.with_suffix(".told"), stem.with_suffix(".printed")
    arguments = [url, str(told), str(concurrency)]
    with printed.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.queue_process", *arguments],
            cwd=REPOSITORY,
            stdout=output,
            stderr=output,
        )
    try:
        yield Consumer(process, told, printed)
    finally:
        process.kill()
        process.wait(10)


async def test_first_come_is_first_served(url: str, bench: Bench):
    names = [WorkflowId(str(number)) for number in range(8)]

    async with a_queue(url, concurrency=1) as queue:
        for name in names:
            await queue.enqueue(name, 1)
        async with queue.consume(bench.work):
            await until(lambda: len(bench.ended) == len(names))

    assert bench.begun == names


async def test_the_same_attempt_twice_is_one_and_another_attempt_is_another(url: str, bench: Bench):
    async with a_queue(url, concurrency=1) as queue:
        await queue.enqueue(A, 1)
        await queue.enqueue(A, 1)
        await queue.enqueue(B, 1)
        async with queue.consume(bench.work):
            await until(lambda: B in bench.ended)
            await queue.enqueue(A, 1)
            await queue.enqueue(A, 2)
            await queue.enqueue(C, 1)
            await until(lambda: C in bench.ended)

    assert bench.begun == [A, B, A, C]


async def test_no_more_work_is_done_at_once_than_the_bound_allows(url: str, bench: Bench):
    turns = asyncio.Semaphore(0)

    async def work(workflow_id: WorkflowId) -> None:
        bench.begin(workflow_id)
        await turns.acquire()
        bench.ended.append(workflow_id)

    def has_come_to(ended: int) -> bool:
        return len(bench.ended) == ended and len(bench.begun) >= min(20, ended + 3)

    async with a_queue(url, concurrency=3) as queue, queue.consume(work):
        for number in range(20):
            await queue.enqueue(WorkflowId(str(number)), 1)
        for ended in range(20):
            await until(partial(has_come_to, ended))
            turns.release()
        await until(partial(has_come_to, 20))

    assert bench.most_at_once == 3


async def test_work_that_fails_is_not_tried_again_and_holds_nobody_up(url: str, bench: Bench):
    async def fail_at_a(workflow_id: WorkflowId) -> None:
        await bench.work(workflow_id)
        if workflow_id == A:
            raise ValueError("a defect")

    async with a_queue(url, concurrency=1) as queue, queue.consume(fail_at_a):
        await queue.enqueue(A, 1)
        await queue.enqueue(B, 1)
        await until(lambda: B in bench.ended)

    assert bench.begun == [A, B]


async def test_what_was_cut_off_by_leaving_is_first_in_line_once_it_is_recovered(
    url: str, bench: Bench
):
    me = new_process_id()
    bench.may_end.clear()
    async with a_queue(url, concurrency=1, me=me) as queue:
        await queue.enqueue(A, 1)
        await queue.enqueue(B, 1)
        async with queue.consume(bench.work):
            await until(lambda: bench.begun == [A])
        assert bench.ended == []
        await queue.recover(me)
        await queue.recover(me)

    bench.may_end.set()
    async with a_queue(url, concurrency=1) as queue, queue.consume(bench.work):
        await until(lambda: B in bench.ended)

    assert bench.begun == [A, A, B]


async def test_the_work_of_a_killed_process_is_done_by_another(
    url: str, bench: Bench, start_consumer: StartConsumer
):
    killed = start_consumer(2)
    async with a_queue(url, concurrency=2) as queue:
        for name in (A, B, C):
            await queue.enqueue(name, 1)
        await until(lambda: len(killed.lines("begin")) == 2)
        killed.process.kill()
        killed.process.wait(10)

        assert await queue.holders() == {killed.name}
        await queue.recover(killed.name)
        assert await queue.holders() == frozenset()
        async with queue.consume(bench.work):
            await until(lambda: len(bench.ended) == 3)

    assert bench.begun == [A, B, C]


async def test_processes_share_the_queue_and_each_entry_goes_to_one(
    url: str, start_consumer: StartConsumer
):
    names = [str(number) for number in range(40)]
    consumers = [start_consumer(2) for _ in range(3)]

    async with a_queue(url) as queue:
        await until(lambda: all(consumer.lines("me") for consumer in consumers))
        for name in names:
            await queue.enqueue(WorkflowId(name), 1)
        await until(lambda: all(len(consumer.lines("begin")) == 2 for consumer in consumers))
        for consumer in consumers:
            consumer.let_end()
        await until(lambda: sum(len(one.lines("end")) for one in consumers) >= len(names))

    shares = [consumer.lines("begin") for consumer in consumers]
    assert Counter(name for share in shares for name in share) == Counter(names)
    assert all(shares)


async def test_finished_entries_do_not_stay_in_the_database(url: str, bench: Bench):
    engine = sa.create_engine(url)
    schema = "" if url.startswith("sqlite") else "dbos."

    def execute(statement: str) -> list[sa.Row[tuple[object, ...]]]:
        with engine.begin() as connection:
            result = connection.execute(sa.text(statement))
            return list(result) if result.returns_rows else []

    async with a_queue(url) as queue, queue.consume(bench.work):
        await queue.enqueue(A, 1)
        await until(
            lambda: (
                len(execute(f"SELECT 1 FROM {schema}workflow_status WHERE status = 'SUCCESS'")) == 1
            )
        )
        execute(f"UPDATE {schema}workflow_status SET completed_at = 0")
        await until(lambda: execute(f"SELECT 1 FROM {schema}workflow_status") == [])

        left = [
            execute(f"SELECT 1 FROM {schema}{table}")
            for table in ("workflow_input", "workflow_output", "operation_outputs")
        ]
    engine.dispose()
    assert left == [[], [], []]


async def test_the_queue_goes_on_by_itself_when_the_database_was_away(
    postgres: Postgres, bench: Bench
):
    with postgres.database() as address:
        async with (
            a_queue(DatabaseLocation.of_url(address).url) as queue,
            queue.consume(bench.work),
        ):
            bench.may_end.clear()
            await queue.enqueue(A, 1)
            await until(lambda: bench.begun == [A])
            postgres.stop()
            bench.may_end.set()
            with pytest.raises(StorageFailed) as failure:
                await queue.enqueue(B, 1)
            await until(lambda: bench.ended == [A])
            postgres.start()
            await queue.enqueue(C, 1)
            await until(lambda: C in bench.ended)

    assert SECRET not in str(failure.value)


async def test_a_database_that_does_not_answer_stops_the_start_with_a_sentence():
    url = f"postgresql+psycopg://somebody:{SECRET}@127.0.0.1:{free_port()}/workflows"

    with pytest.raises(StartupFailed) as failure:
        async with a_queue(url):
            pass

    assert SECRET not in str(failure.value)
    assert str(failure.value).endswith(".")
