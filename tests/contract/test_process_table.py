"""What the table of processes tells, whoever looks."""

from collections.abc import AsyncIterator

import pytest

from app.adapters.storage.database import Database, open_database
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.processes import SqlProcessTable
from app.domain.ids import ProcessId

A, B = ProcessId("a"), ProcessId("b")


@pytest.fixture
async def database(location: DatabaseLocation) -> AsyncIterator[Database]:
    async with open_database(location) as database:
        yield database


async def test_beats_are_counted_for_everybody_to_see(database: Database):
    a, b = SqlProcessTable(database, A), SqlProcessTable(database, B)

    assert await a.beat() == [(A, 1)]
    assert dict(await b.beat()) == {A: 1, B: 1}
    assert dict(await a.beat()) == {A: 2, B: 1}
    assert (a.me, b.me) == (A, B)


async def test_a_buried_process_stays_to_be_seen_until_it_is_forgotten(database: Database):
    a, b = SqlProcessTable(database, A), SqlProcessTable(database, B)
    await a.beat()
    await b.beat()

    await a.bury(B)
    assert dict(await a.beat()) == {A: 2, B: 1}
    await a.forget(B)
    await a.forget(B)

    assert await a.beat() == [(A, 3)]


async def test_one_that_was_buried_and_beats_again_is_not_forgotten(database: Database):
    a, b = SqlProcessTable(database, A), SqlProcessTable(database, B)
    await b.beat()
    await a.bury(B)
    await b.beat()

    await a.forget(B)

    assert dict(await a.beat()) == {A: 1, B: 2}


async def test_a_process_takes_itself_off_the_table(database: Database):
    a, b = SqlProcessTable(database, A), SqlProcessTable(database, B)
    await a.beat()
    await b.beat()

    await b.forget(B)

    assert await a.beat() == [(A, 2)]
