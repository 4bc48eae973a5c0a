"""What every ApprovalStore and ReportOutbox promises, in a file and in PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from app.adapters.storage.approval_tables import SCHEMA, metadata
from app.adapters.storage.approvals import open_approvals
from app.adapters.storage.connections import Access, close, open_engine
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.migration import prepare
from app.domain.approval import Decision
from app.domain.errors import BadInput, Conflict, KeyReused, StartupFailed, TooBusy
from app.domain.ids import ApprovalId
from app.domain.report import DueReport, ReportKind
from app.domain.review_moves import ApprovalStatus, CommandStatus
from tests.fakes.approval_storage import LIMIT, ApprovalStorage, StoringServer
from tests.fakes.approvals import NOON, RESTART, SCALE, approval, command

ALL = frozenset(ApprovalStatus)
RELEASED = Path(__file__).with_name("released_approvals.sql")


@pytest.fixture
async def storage(location: DatabaseLocation) -> AsyncIterator[ApprovalStorage]:
    async with AsyncExitStack() as stack:
        yield ApprovalStorage(location, stack)


@pytest.fixture
async def server(storage: ApprovalStorage) -> StoringServer:
    return await storage.server()


async def test_an_approval_is_read_back_as_it_was_kept_even_after_a_restart(
    server: StoringServer, storage: ApprovalStorage
):
    kept = approval("one", command(), command(SCALE, is_refused=True))

    await server.store.create(kept, "key", LIMIT)
    after = await storage.restarted()

    assert await after.store.get(ApprovalId("one")) == kept
    assert await after.store.pending() == [kept]
    assert await after.store.get(ApprovalId("two")) is None


async def test_the_same_key_never_keeps_a_second_proposal(
    server: StoringServer, storage: ApprovalStorage
):
    ids = await asyncio.gather(
        *(server.store.create(approval(f"try-{n}"), "key", LIMIT) for n in range(20))
    )
    after = await storage.restarted()
    again = await after.store.create(approval("late"), "key", LIMIT)

    assert set(ids) == {again}
    assert len(await after.store.pending()) == 1


async def test_a_key_of_a_proposal_in_other_words_is_refused_and_keeps_nothing(
    server: StoringServer, storage: ApprovalStorage
):
    tries = [server.store.create(approval("one", command(SCALE)), "key", LIMIT) for _ in range(5)]
    await asyncio.gather(*tries)
    after = await storage.restarted()

    with pytest.raises(KeyReused) as refusal:
        await after.store.create(approval("two", command(RESTART)), "key", LIMIT)

    assert refusal.value.first == "one"
    assert [one.approval_id for one in await after.store.pending()] == ["one"]


async def test_proposals_without_a_key_are_all_kept(server: StoringServer):
    for name in ("one", "two"):
        await server.store.create(approval(name), None, LIMIT)

    assert [one.approval_id for one in await server.store.pending()] == ["one", "two"]


async def test_too_many_pending_proposals_are_refused_until_one_is_decided(server: StoringServer):
    store = server.store
    await store.create(approval("one"), "key", 1)

    with pytest.raises(TooBusy):
        await store.create(approval("two"), None, 1)
    assert await store.create(approval("retry"), "key", 1) == "one"

    await store.decide(approval("one").decide(Decision.REJECTED, None, None, NOON))
    assert await store.create(approval("two"), None, 1) == "two"


async def test_of_many_decisions_one_wins_and_stays(server: StoringServer):
    await server.store.create(approval(), None, LIMIT)
    decisions = [
        approval().decide(decision, f"reviewer {n}", "no", NOON)
        for n, decision in enumerate([Decision.APPROVED, Decision.REJECTED] * 25)
    ]

    won = await asyncio.gather(*(server.store.decide(decision) for decision in decisions))

    assert won.count(True) == 1
    assert await server.store.get(ApprovalId("one")) == decisions[won.index(True)]


async def test_a_command_only_makes_legal_moves(server: StoringServer):
    one = await server.approve("one")

    with pytest.raises(Conflict):
        await server.store.move(one, 0, CommandStatus.SUCCEEDED, "")
    await server.store.move(one, 0, CommandStatus.EXECUTING, "")
    with pytest.raises(Conflict):
        await server.store.move(one, 0, CommandStatus.EXECUTING, "")
    await server.store.move(one, 0, CommandStatus.SUCCEEDED, "restarted")

    found = await server.store.get(one)
    assert found is not None
    assert found.commands[0].output == "restarted"
    assert found.is_settled


async def test_what_was_executing_is_unknown_after_an_interruption(
    server: StoringServer, storage: ApprovalStorage
):
    one = await server.approve("one", command(), command(SCALE))
    await server.store.move(one, 0, CommandStatus.EXECUTING, "")

    after = await storage.restarted()
    count = await after.store.interrupt(
        lambda approval, number: f"nobody saw it: {approval.commands[number].text}"
    )

    (found,) = await after.store.take_unsettled()
    assert count == 1
    assert [one.status for one in found.commands] == ["unknown", "waiting"]
    assert found.commands[0].output == f"nobody saw it: {RESTART}"


async def test_what_is_to_be_executed_comes_in_the_order_of_decisions(server: StoringServer):
    for name, minutes in (("late", 2), ("early", 1)):
        await server.store.create(approval(name), None, LIMIT)
        at = NOON + timedelta(minutes=minutes)
        await server.store.decide(approval(name).decide(Decision.APPROVED, None, None, at))
    await server.store.create(approval("pending"), None, LIMIT)

    assert [one.approval_id for one in await server.store.take_unsettled()] == ["early", "late"]


async def test_pages_go_from_the_newest_to_the_oldest_without_gaps(server: StoringServer):
    store = server.store
    for number in range(5):
        await store.create(approval(f"a{number}"), None, LIMIT)
    await store.decide(approval("a3").decide(Decision.APPROVED, None, None, NOON))

    first, cursor = await store.page(ALL, None, 3)
    second, end = await store.page(ALL, cursor, 3)
    decided, _ = await store.page({ApprovalStatus.APPROVED}, None, 3)

    assert [one.approval_id for one in [*first, *second]] == ["a4", "a3", "a2", "a1", "a0"]
    assert end is None
    assert [one.approval_id for one in decided] == ["a3"]
    with pytest.raises(BadInput):
        await store.page(ALL, "1; DROP TABLE approvals", 3)


async def test_texts_that_a_database_cannot_hold_are_kept_as_far_as_possible(
    server: StoringServer,
):
    one = await server.approve("one\0", command("kubectl get pods \0 \ud83d"))
    await server.store.move(one, 0, CommandStatus.EXECUTING, "")
    await server.store.move(one, 0, CommandStatus.SUCCEEDED, "binary \0, whole \U0001f600")

    found = await server.store.get(one)

    assert found is not None
    assert found.commands[0].text == "kubectl get pods \ufffd ?"
    assert found.commands[0].output == "binary \ufffd, whole \U0001f600"


async def test_a_decision_is_unreported_until_its_report_is_kept_once(server: StoringServer):
    store, outbox = server.store, server.outbox
    await store.create(approval("one"), None, LIMIT)
    await store.decide(approval("one").decide(Decision.REJECTED, None, None, NOON))
    await store.create(approval("two"), None, LIMIT)

    (unreported,) = await outbox.unreported(ReportKind.DECIDED)
    for body in (b"first", b"second"):
        await outbox.add(DueReport(unreported.approval_id, body, NOON, 0))

    assert unreported.approval_id == "one"
    assert await outbox.unreported(ReportKind.DECIDED) == []
    report = await outbox.take_due(NOON)
    assert report == DueReport(ApprovalId("one"), b"first", NOON, 0)


async def test_a_postponed_report_is_due_later_and_a_finished_one_never(
    server: StoringServer, storage: ApprovalStorage
):
    later = NOON + timedelta(minutes=1)
    one, two, three = [await server.report(name) for name in ("one", "two", "three")]

    await server.outbox.delivered(one)
    await server.outbox.abandon(two, "refused")
    await server.outbox.postpone(three, later, "down")
    outbox = (await storage.restarted()).outbox

    assert await outbox.take_due(NOON) is None
    assert await outbox.next_due() == later
    assert await outbox.take_due(later) == replace(three, attempts=1)
    backlog = await outbox.backlog()
    assert (backlog.waiting, backlog.abandoned, backlog.last_error) == (1, 1, "refused")


async def test_a_report_that_a_dead_server_was_sending_is_due_again(
    server: StoringServer, storage: ApprovalStorage
):
    one = await server.report("one")
    assert await server.outbox.take_due(NOON)

    after = await storage.restarted()

    assert await after.outbox.next_due() == NOON
    assert await after.outbox.take_due(NOON) == one


async def test_a_file_of_the_first_release_loses_nothing(tmp_path: Path):
    path = tmp_path / "approvals.sqlite"
    with closing(sqlite3.connect(path)) as file:
        file.executescript(RELEASED.read_text())

    async with AsyncExitStack() as stack:
        server = await ApprovalStorage(DatabaseLocation.of_file(path), stack).server()
        await server.store.interrupt(lambda *_: "nobody saw it")
        (running,) = await server.store.take_unsettled()
        (pending,) = await server.store.pending()

        assert [one.status for one in running.commands] == ["unknown", "waiting"]
        assert (running.approval_id, running.reviewer) == ("approved", "Ada")
        assert (pending.approval_id, pending.metadata) == ("pending", {"service": "checkout"})
        again = replace(pending, approval_id=ApprovalId("again"))
        assert await server.store.create(again, "key", LIMIT) == "pending"
        assert await server.outbox.take_due(NOON) == DueReport(
            ApprovalId("rejected"), b"{}", NOON - timedelta(minutes=1), 3
        )
        await server.store.create(approval("new"), None, LIMIT)
        pages, _ = await server.store.page(ALL, None, 9)
        assert [one.approval_id for one in pages] == ["new", "pending", "rejected", "approved"]


async def test_a_database_of_the_second_release_loses_nothing(location: DatabaseLocation):
    prepare(location, replace(SCHEMA, head="1"))
    engine = open_engine(location, Access.WRITE)
    connection = engine.connect()
    for statement in RELEASED.read_text().split(";\n"):
        if "INSERT INTO" in statement:
            connection.exec_driver_sql(statement.replace("x'7b7d'", BLOB[location.is_postgres]))
    close(connection)
    prepare(location, replace(SCHEMA, head="2"))

    async with AsyncExitStack() as stack:
        server = await ApprovalStorage(location, stack).server()
        everything, _ = await server.store.page(ALL, None, 9)
        pending, rejected, approved = everything

        assert [one.decision for one in approved.commands] == ["approved", "approved"]
        assert [one.decision for one in rejected.commands] == ["rejected"]
        assert [one.decision for one in pending.commands] == [None]
        assert (rejected.rejected_count, approved.approved_count) == (1, 2)
        assert {one.round for one in everything} == {1}
        assert pending.expires_at is None
        assert await server.store.expire(NOON + timedelta(days=999)) == 0
        assert await server.outbox.unreported(ReportKind.DECIDED) == [approved]
        assert await server.store.take_unverified() == []
        due = await server.outbox.take_due(NOON)
        assert due == DueReport(rejected.approval_id, b"{}", NOON - timedelta(minutes=1), 3)


BLOB = {True: "'\\x7b7d'", False: "x'7b7d'"}
"""How each database writes bytes; by whether it is PostgreSQL."""


async def test_statements_see_the_tables_that_migrations_make(location: DatabaseLocation):
    def differences(connection: sa.Connection) -> list[object]:
        options = {
            "version_table": SCHEMA.version_table,
            "include_object": lambda _object, _name, kind, _is_found, _other: kind != "index",
        }
        context = MigrationContext.configure(connection, opts=options)
        found: list[object] = compare_metadata(context, metadata)
        return found

    async with open_approvals(location) as database:
        assert await database.read(differences) == []


async def test_a_database_of_a_newer_version_is_refused(location: DatabaseLocation):
    async with open_approvals(location) as database:
        change = f"UPDATE {SCHEMA.version_table} SET version_num = '99'"
        await database.write(lambda connection: connection.exec_driver_sql(change))

    with pytest.raises(StartupFailed, match="newer version"):
        async with open_approvals(location):
            pass


async def test_a_folder_that_is_a_file_stops_the_start_with_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StartupFailed, match="cannot be used"):
        async with open_approvals(DatabaseLocation.of_file(tmp_path / "file" / "approvals.sqlite")):
            pass
