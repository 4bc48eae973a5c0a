"""How a database comes to the tables of this version: a new one, an old one, a newer one."""

import asyncio
import json
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.adapters.storage.connections import Access, close, open_engine
from app.adapters.storage.database import open_database
from app.adapters.storage.events import read_epoch
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.migration import WORKFLOWS
from app.adapters.storage.tables import metadata
from app.domain.errors import StartupFailed
from app.domain.events import LogBounds
from app.domain.ids import WorkflowId
from app.domain.workflow import Claim, WorkflowInput, WorkflowState
from tests.fakes.postgres import SECRET
from tests.fakes.servers import free_port
from tests.fakes.stored import last_words, proposal_of, said, storing_process

RELEASED = Path(__file__).with_name("released_workflows.sql")
OVER, RUNNING = WorkflowId("9f7c1f7e-3c2e-4f2b-9d55-0f2d6f7d2f10"), WorkflowId("b" * 36)
TIME = "2025-12-31T23:59:00.123456+00:00"


def released_file(path: Path) -> None:
    """What the first release leaves behind when it is killed: a workflow over, another running."""
    proposal = proposal_of(1, OVER)
    with closing(sqlite3.connect(path)) as file, file:
        file.executescript(RELEASED.read_text())
        file.execute("PRAGMA user_version=1")
        file.execute("UPDATE meta SET value = '0123abcd'")
        file.executemany(
            "INSERT INTO workflows (workflow_id, state, created_at, finished_at, title, outcome)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [
                (OVER, "completed", TIME, TIME, "it broke", "It is over."),
                (RUNNING, "running", TIME, None, "it breaks", ""),
            ],
        )
        file.executemany(
            "INSERT INTO events VALUES (?, ?, 'status', ?, ?, ?)",
            [(OVER, seq, seq == 3, TIME, b'{"seq":%d}' % seq) for seq in (1, 2, 3)]
            + [(RUNNING, seq, False, TIME, b"{}") for seq in (1, 2)],
        )
        file.execute(
            "INSERT INTO inputs VALUES (?, ?, ?)",
            (RUNNING, zlib.compress(b"the log"), json.dumps({"token": 1})),
        )
        file.execute(
            "INSERT INTO proposals VALUES (?, ?, ?, ?, NULL)",
            (proposal.key, OVER, proposal.feedback_id, proposal.proposal.model_dump_json()),
        )


def execute(location: DatabaseLocation, statement: str) -> None:
    """Change a database behind everybody's back."""
    connection = open_engine(location, Access.WRITE).connect()
    connection.exec_driver_sql(statement)
    close(connection)


async def test_statements_see_the_tables_that_migrations_make(location: DatabaseLocation):
    async with open_database(location):
        connection = open_engine(location, Access.WRITE).connect()
        context = MigrationContext.configure(
            connection,
            opts={
                "version_table": WORKFLOWS.version_table,
                "include_object": lambda _object, _name, kind, _is_found, _other: kind != "index",
            },
        )
        differences = compare_metadata(context, metadata)
        revision = context.get_current_revision()
        close(connection)

    assert differences == []
    assert revision == WORKFLOWS.head


async def test_a_file_of_the_first_release_loses_nothing(tmp_path: Path):
    path = tmp_path / "workflows.sqlite"
    released_file(path)

    async with storing_process(DatabaseLocation.of_file(path)) as process:
        assert process.events.epoch == "0123abcd"
        assert [r.frame for r in await process.said_in(OVER)] == [
            b'{"seq":1}',
            b'{"seq":2}',
            b'{"seq":3}',
        ]
        assert await process.events.bounds(OVER) == LogBounds(1, 3, 3, 0)
        over = await process.workflows.get(OVER)
        assert (over.state, over.title, over.outcome) == (
            WorkflowState.COMPLETED,
            "it broke",
            "It is over.",
        )
        assert await process.outbox.undelivered(10) == [proposal_of(1, OVER)]


async def test_a_workflow_that_ran_in_the_first_release_goes_on(tmp_path: Path):
    path = tmp_path / "workflows.sqlite"
    released_file(path)

    async with storing_process(DatabaseLocation.of_file(path)) as process:
        assert (await process.workflows.get(RUNNING)).state is WorkflowState.QUEUED
        assert await process.workflows.strays() == [(RUNNING, 0)]
        claim = await process.workflows.claim(RUNNING)
        await process.events.append(RUNNING, [said("resumed"), last_words()], claim)

        assert claim == Claim(process.me, 1)
        assert await process.workflows.input_of(RUNNING) == WorkflowInput(
            "the log", (("token", 1),)
        )
        assert [r.seq for r in await process.said_in(RUNNING)] == [1, 2, 3, 4]


async def test_the_first_release_leaves_a_file_alone_that_was_migrated(tmp_path: Path):
    path = tmp_path / "workflows.sqlite"
    released_file(path)
    async with open_database(DatabaseLocation.of_file(path)):
        pass

    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA user_version").fetchone() == (2,)


async def test_a_database_of_a_newer_version_is_refused(location: DatabaseLocation):
    async with open_database(location):
        pass
    execute(location, f"UPDATE {WORKFLOWS.version_table} SET version_num = '99'")

    with pytest.raises(StartupFailed, match=r"newer version; update this program\.$"):
        async with open_database(location):
            pass


async def test_an_unmigrated_file_of_an_unknown_version_is_refused(tmp_path: Path):
    path = tmp_path / "workflows.sqlite"
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version=7")

    with pytest.raises(StartupFailed, match="newer version"):
        async with open_database(DatabaseLocation.of_file(path)):
            pass


async def test_processes_that_start_at_once_make_the_tables_once(location: DatabaseLocation):
    async def open_and_read() -> str:
        async with open_database(location) as database:
            return await read_epoch(database)

    epochs = await asyncio.gather(*[open_and_read() for _ in range(4)])

    assert len(set(epochs)) == 1
    assert len(epochs[0]) == 8


async def test_a_server_that_does_not_answer_is_named_without_its_password():
    port = free_port()
    location = DatabaseLocation.of_url(f"postgres://someone:{SECRET}@127.0.0.1:{port}/incidents")

    with pytest.raises(StartupFailed) as failure:
        async with open_database(location):
            pass

    said = str(failure.value)
    assert said.startswith(f"PostgreSQL at 127.0.0.1:{port}, database incidents, cannot be used")
    assert SECRET not in said
    assert "someone" not in said


async def test_a_damaged_file_is_named_with_the_way_out(tmp_path: Path):
    path = tmp_path / "workflows.sqlite"
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(StartupFailed) as failure:
        async with open_database(DatabaseLocation.of_file(path)):
            pass

    assert str(failure.value).startswith(f"{path} is damaged")
    assert "python -m app restore" in str(failure.value)


async def test_a_folder_that_is_none_is_named(tmp_path: Path):
    folder = tmp_path / "data"
    folder.write_text("a file where the folder should be")

    with pytest.raises(StartupFailed, match=f"The data folder {folder} cannot be used"):
        async with open_database(DatabaseLocation.of_file(folder / "workflows.sqlite")):
            pass


async def test_a_migration_that_fails_changes_nothing(tmp_path: Path):
    path = tmp_path / "workflows.sqlite"
    released_file(path)
    with closing(sqlite3.connect(path)) as file:
        file.execute("CREATE TABLE processes (in_the_way TEXT)")

    with pytest.raises(StartupFailed):
        async with open_database(DatabaseLocation.of_file(path)):
            pass

    columns = sa.inspect(sa.create_engine(f"sqlite:///{path}")).get_columns("workflows")
    assert "claims" not in {column["name"] for column in columns}
