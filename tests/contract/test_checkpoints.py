"""What the graph's checkpoints keep, on both databases and across a killed process."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from app.adapters.storage.checkpoints import open_checkpointer
from app.adapters.storage.location import DatabaseLocation
from app.domain.answer import AgentName
from app.domain.errors import StorageFailed
from app.domain.ids import WorkflowId
from app.workflow.graph import forget_place, last_sentence
from app.workflow.state import State, answers_in
from tests.fakes.graph_run import GraphRun, Listening, graph_run
from tests.fakes.postgres import SECRET, Postgres
from tests.fakes.servers import REPOSITORY
from tests.fakes.waiting import until

LIMIT_SECONDS = 60.0
pytestmark = pytest.mark.timeout(120)

WORKFLOW = WorkflowId("w1")
MONITORING, ANALYSIS = AgentName.MONITORING, AgentName.ANALYSIS
REMEDIATION, KUBECTL = AgentName.REMEDIATION, AgentName.KUBECTL_COMMAND
ALL = [MONITORING, ANALYSIS, REMEDIATION, KUBECTL]
TABLES = {
    True: ("checkpoints", "checkpoint_blobs", "checkpoint_writes"),
    False: ("checkpoints", "writes"),
}


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseLocation:
    if request.param == "sqlite":
        return DatabaseLocation.of_file(tmp_path / "workflows.sqlite")
    return DatabaseLocation.of_url(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def checkpointer(location: DatabaseLocation) -> AsyncIterator[BaseCheckpointSaver[str]]:
    async with open_checkpointer(location) as opened:
        yield opened


def rows(location: DatabaseLocation) -> int:
    engine = sa.create_engine(location.url)
    with engine.connect() as connection:
        count = sum(
            len(connection.execute(sa.text(f"SELECT 1 FROM {table}")).all())
            for table in TABLES[location.is_postgres]
        )
    engine.dispose()
    return count


async def killed_in(agent: AgentName, location: DatabaseLocation, folder: Path) -> list[str]:
    """Run it in a process that is killed in that agent; returns who was asked."""
    told = folder / "told"
    arguments = ["-m", "tests.fakes.graph_run", location.url, WORKFLOW, agent, str(told)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=REPOSITORY)
    try:
        await until(lambda: process.returncode is not None or _says(told, agent))
        assert process.returncode is None
    finally:
        process.kill()
        await process.wait()
    return told.read_text().split()


async def a_run(
    checkpointer: BaseCheckpointSaver[str] | None, asked: list[AgentName], folder: Path
) -> GraphRun:
    return await graph_run(checkpointer, WORKFLOW, Listening(asked.append), folder)


@pytest.mark.parametrize("agent", ALL)
async def test_a_killed_run_goes_on_at_the_agent_that_it_had_come_to(
    agent: AgentName, location: DatabaseLocation, tmp_path: Path
):
    before = await killed_in(agent, location, tmp_path)
    asked: list[AgentName] = []

    async with open_checkpointer(location) as checkpointer:
        run = await a_run(checkpointer, asked, tmp_path)
        state = await run.claimed(2).go()

    at = ALL.index(agent)
    assert before == ALL[: at + 1]
    assert asked == ALL[at:]
    async with in_one_go(tmp_path) as expected:
        assert state == expected
        assert last_sentence(state) == last_sentence(expected)


@asynccontextmanager
async def in_one_go(folder: Path) -> AsyncIterator[State]:
    """The answers of a run that nothing disturbs."""
    run = await a_run(None, [], folder)
    yield await run.go()


async def test_what_the_events_tell_is_not_asked_again_although_its_checkpoint_is_missing(
    checkpointer: BaseCheckpointSaver[str], tmp_path: Path
):
    asked: list[AgentName] = []
    first = await a_run(None, [], tmp_path)
    complete = await first.go()
    told = State(findings=complete["findings"], analysis=complete["analysis"])
    run = await a_run(checkpointer, asked, tmp_path)

    state = await run.claimed(2).go(told)

    assert asked == [REMEDIATION, KUBECTL]
    assert state == complete
    assert set(answers_in(await run.events.read(WORKFLOW, 0, 100))) == {"remediation", "report"}


async def test_a_run_that_had_come_to_its_end_has_its_answers_still(
    checkpointer: BaseCheckpointSaver[str], tmp_path: Path
):
    asked: list[AgentName] = []
    run = await a_run(checkpointer, asked, tmp_path)
    complete = await run.go()

    again = await run.claimed(2).go()

    assert asked == ALL
    assert again == complete


async def test_a_later_claim_without_any_checkpoint_begins_at_the_beginning(
    checkpointer: BaseCheckpointSaver[str], tmp_path: Path
):
    asked: list[AgentName] = []
    run = await a_run(checkpointer, asked, tmp_path)

    await run.claimed(2).go()

    assert asked == ALL


async def test_a_checkpoint_that_cannot_be_read_is_none(
    location: DatabaseLocation, checkpointer: BaseCheckpointSaver[str], tmp_path: Path
):
    asked: list[AgentName] = []
    run = await a_run(checkpointer, asked, tmp_path)
    await run.go()
    table = "checkpoint_blobs" if location.is_postgres else "checkpoints"
    engine = sa.create_engine(location.url)
    with engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {table} SET type = 'pickle'"))
    engine.dispose()

    await run.claimed(2).go()

    assert asked == [*ALL, *ALL]


async def test_nothing_is_left_of_a_workflow_that_is_over(
    location: DatabaseLocation, checkpointer: BaseCheckpointSaver[str], tmp_path: Path
):
    run = await a_run(checkpointer, [], tmp_path)
    await run.go()
    before = rows(location)

    await forget_place(run.graph, WORKFLOW)
    await forget_place(run.graph, WORKFLOW)

    assert before > 0
    assert rows(location) == 0


async def test_writing_that_is_cancelled_holds_no_lock_on_the_database(location: DatabaseLocation):
    config: RunnableConfig = {
        "configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "c"}
    }
    async with open_checkpointer(location) as mine, open_checkpointer(location) as theirs:
        for number in range(30):
            writing = [
                asyncio.ensure_future(
                    mine.aput_writes(config, [("findings", 1)], f"{number} {task}")
                )
                for task in range(60)
            ]
            await asyncio.wait(writing[:10])
            await asyncio.sleep(number / 20_000)
            for task in writing:
                task.cancel()
            await asyncio.wait(writing)
            async with asyncio.timeout(5):
                await theirs.adelete_thread("t")

    assert rows(location) == 0


async def test_what_an_agent_wrote_is_there_whole_or_not_at_all(
    location: DatabaseLocation, checkpointer: BaseCheckpointSaver[str]
):
    config: RunnableConfig = {
        "configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "c"}
    }
    writes = [(f"channel{number}", number) for number in range(3000)]
    seen: set[int] = set()

    writing = asyncio.ensure_future(checkpointer.aput_writes(config, writes, "task"))
    while not writing.done():
        seen.add(await asyncio.to_thread(rows, location))
    await writing

    assert rows(location) == len(writes)
    assert seen <= {0, len(writes)}


async def test_processes_may_open_it_at_the_same_time(location: DatabaseLocation, tmp_path: Path):
    async def open_and_run(name: str) -> State:
        async with open_checkpointer(location) as checkpointer:
            run = await graph_run(checkpointer, WorkflowId(name), Listening(_ignore), tmp_path)
            return await run.go()

    async with asyncio.TaskGroup() as group:
        runs = [group.create_task(open_and_run(str(number))) for number in range(4)]

    assert all("report" in run.result() for run in runs)


async def test_a_database_that_went_away_is_a_storage_failure_and_may_come_back(
    postgres: Postgres, tmp_path: Path
):
    with postgres.database() as url:
        async with open_checkpointer(DatabaseLocation.of_url(url)) as checkpointer:
            run = await a_run(checkpointer, [], tmp_path)
            postgres.stop()
            with pytest.raises(StorageFailed) as failure:
                await run.go()
            postgres.start()
            state = await when_it_works(run.claimed(2).go)

    assert "report" in state
    assert SECRET not in str(failure.value)


async def when_it_works(go: Callable[[], Awaitable[State]]) -> State:
    async with asyncio.timeout(LIMIT_SECONDS):
        while True:
            try:
                return await go()
            except StorageFailed:
                await asyncio.sleep(0.1)


def _says(told: Path, agent: AgentName) -> bool:
    return told.exists() and agent in told.read_text()


def _ignore(_: AgentName) -> None:
    """Nobody wants to know."""
