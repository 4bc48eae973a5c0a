"""What a database promises to whoever reads and writes, whatever breaks below."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.adapters.storage.database import Database, open_database
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.tables import meta
from app.adapters.storage.writer import QUEUE_LIMIT
from app.domain.errors import Conflict, StorageFailed, StorageFull
from tests.fakes.postgres import SECRET, Postgres
from tests.fakes.servers import REPOSITORY

COUNT = sa.select(sa.func.count()).select_from(meta).where(meta.c.key != "epoch")

Work = Callable[[sa.Connection], int]


@pytest.fixture
async def database(location: DatabaseLocation) -> AsyncIterator[Database]:
    async with open_database(location) as database:
        yield database


@pytest.fixture
async def on_postgres(postgres_url: str) -> AsyncIterator[Database]:
    async with open_database(DatabaseLocation.of_url(postgres_url)) as database:
        yield database


def keeping(key: str) -> Work:
    def keep(connection: sa.Connection) -> int:
        return connection.execute(sa.insert(meta), {"key": key, "value": "kept"}).rowcount

    return keep


def failing(key: str, error: Exception) -> Work:
    def fail(connection: sa.Connection) -> int:
        keeping(key)(connection)
        raise error

    return fail


def running(statement: str) -> Work:
    return lambda connection: connection.exec_driver_sql(statement).rowcount


async def kept(database: Database) -> int:
    return await database.read(lambda connection: connection.execute(COUNT).scalar_one())


async def test_a_write_that_fails_takes_back_itself_alone(database: Database):
    blocked = threading.Event()
    first = asyncio.ensure_future(database.write(lambda _: blocked.wait(10)))
    group = [
        keeping("a"),
        failing("b", Conflict("no")),
        keeping("c"),
        failing("d", ZeroDivisionError()),
        keeping("a"),
        keeping("e"),
    ]
    futures = [database.submit(work) for work in group]

    blocked.set()
    results = await asyncio.gather(*futures, return_exceptions=True)

    await first
    names = [type(result).__name__ for result in results]
    assert names == ["int", "Conflict", "int", "ZeroDivisionError", "StorageFailed", "int"]
    assert await kept(database) == 3


async def test_a_failure_names_neither_statements_nor_values(database: Database):
    await database.write(keeping("a customer's word"))

    with pytest.raises(StorageFailed) as failure:
        await database.write(keeping("a customer's word"))

    assert "customer" not in str(failure.value)
    assert "INSERT" not in str(failure.value)


async def test_a_write_goes_on_when_its_caller_leaves(database: Database):
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(database.write(keeping("a")))
        await asyncio.sleep(0)
        writing.cancel()

    await database.write(keeping("b"))
    assert await kept(database) == 2


async def test_a_bounded_number_of_writes_waits(database: Database):
    may_go_on, begun = threading.Event(), threading.Event()

    def block(_: sa.Connection) -> None:
        begun.set()
        may_go_on.wait(20)

    blocking = database.submit(block)
    await asyncio.to_thread(begun.wait, 10)
    waiting = [database.submit(lambda _: 1) for _ in range(QUEUE_LIMIT)]

    with pytest.raises(StorageFailed, match="too busy"):
        database.submit(lambda _: 1)

    may_go_on.set()
    await blocking
    assert sum(await asyncio.gather(*waiting)) == QUEUE_LIMIT


async def test_a_reader_cannot_write(tmp_path: Path):
    async with open_database(DatabaseLocation.of_file(tmp_path / "w.sqlite")) as database:
        with pytest.raises(StorageFailed):
            await database.read(keeping("a"))

        assert await kept(database) == 0


async def test_a_write_waits_for_another_process_to_end_its_own(tmp_path: Path):
    path = tmp_path / "w.sqlite"
    async with open_database(DatabaseLocation.of_file(path)) as database:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writing = database.submit(keeping("a"))
            assert await kept(database) == 0
            assert not writing.done()
            other.execute("COMMIT")
            await writing

        assert await kept(database) == 1


async def test_two_that_stand_in_each_others_way_both_get_through(postgres_url: str):
    location = DatabaseLocation.of_url(postgres_url)
    both_have_one = threading.Barrier(2, timeout=20)

    def touching(first: str, second: str) -> Work:
        attempts: list[str] = []

        def touch(connection: sa.Connection) -> int:
            attempts.append(first)
            for key in (first, second):
                statement = sa.update(meta).where(meta.c.key == key).values(value=first)
                connection.execute(statement)
                if len(attempts) == 1 and key == first:
                    both_have_one.wait()
            return len(attempts)

        return touch

    async with open_database(location) as here, open_database(location) as there:
        await here.write(keeping("a"))
        await here.write(keeping("b"))

        tries = await asyncio.gather(
            here.write(touching("a", "b")), there.write(touching("b", "a"))
        )

    assert max(tries) == 2


@pytest.mark.parametrize("deaths", [1, 2])
async def test_a_connection_that_dies_is_replaced_and_the_write_done(
    on_postgres: Database, deaths: int
):
    attempts: list[int] = []

    def dying(connection: sa.Connection) -> int:
        attempts.append(1)
        keeping("a")(connection)
        if len(attempts) <= deaths:
            connection.exec_driver_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        return len(attempts)

    assert await on_postgres.write(dying) == deaths + 1
    assert await kept(on_postgres) == 1


async def test_a_reader_whose_connection_died_meanwhile_reads(on_postgres: Database):
    assert await kept(on_postgres) == 0

    await on_postgres.write(
        running(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    )

    assert await kept(on_postgres) == 0


async def test_a_write_whose_commit_was_lost_is_not_done_twice(
    postgres: Postgres, on_postgres: Database
):
    attempts: list[int] = []

    def keep(connection: sa.Connection) -> int:
        attempts.append(1)
        return keeping("a")(connection)

    for statement in (
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON meta DEFERRABLE INITIALLY DEFERRED"
        " FOR EACH ROW EXECUTE FUNCTION die()",
    ):
        await on_postgres.write(running(statement))

    with pytest.raises(StorageFailed):
        await on_postgres.write(keep)

    assert len(attempts) == 1
    assert await kept(on_postgres) == 0


async def test_a_server_that_stops_and_comes_back_is_used_again(
    postgres: Postgres, on_postgres: Database
):
    await on_postgres.write(keeping("a"))
    assert await kept(on_postgres) == 1

    postgres.stop()
    async with asyncio.timeout(15):
        with pytest.raises(StorageFailed) as refused_write:
            await on_postgres.write(keeping("b"))
        with pytest.raises(StorageFailed) as refused_read:
            await kept(on_postgres)
    assert SECRET not in f"{refused_write.value} {refused_read.value}"
    postgres.start()

    await on_postgres.write(keeping("c"))
    assert await kept(on_postgres) == 2


async def test_a_full_disk_of_the_server_has_its_own_name(on_postgres: Database):
    for statement in (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON meta FOR EACH ROW EXECUTE FUNCTION refuse()",
    ):
        await on_postgres.write(running(statement))
    with pytest.raises(StorageFull, match="The disk is full"):
        await on_postgres.write(keeping("a"))

    await on_postgres.write(running("DROP TRIGGER refuse ON meta"))
    await on_postgres.write(keeping("a"))

    assert await kept(on_postgres) == 1


def test_a_full_disk_keeps_what_was_acknowledged_and_takes_more_when_there_is_room(tmp_path: Path):
    path = tmp_path / "workflows.sqlite"
    script = REPOSITORY / "tests" / "fakes" / "full_disk.py"

    done = subprocess.run(
        [sys.executable, str(script), str(path)],
        cwd=REPOSITORY,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    acknowledged, refused, after = map(int, done.stdout.split())
    assert acknowledged > 10
    assert refused == 5
    with closing(sqlite3.connect(path)) as file:
        seqs = [row[0] for row in file.execute("SELECT seq FROM events ORDER BY seq")]
        assert file.execute("SELECT last_seq FROM workflows").fetchall() == [(len(seqs),)]
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert seqs == list(range(1, 1 + acknowledged + after + 1))
