"""What every ApprovalStore and ReportOutbox promises."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from app.adapters.storage.approvals import SqliteApprovals, open_approvals
from app.adapters.storage.reports import SqliteReports
from app.domain.approval import Decision
from app.domain.errors import BadInput, Conflict, StartupFailed, TooBusy
from app.domain.ids import ApprovalId
from app.domain.review import ApprovalStatus, CommandStatus, DueReport
from tests.fakes.approvals import NOON, SCALE, approval, command

LIMIT = 1000
ALL = frozenset(ApprovalStatus)


class Storage:
    """Store and outbox over one folder; `reopened` is what a restart finds."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._folder = folder
        self._stack = stack

    async def open(self) -> tuple[SqliteApprovals, SqliteReports]:
        """Open what is in the folder."""
        await self._stack.aclose()
        database = await self._stack.enter_async_context(open_approvals(self._folder))
        return SqliteApprovals(database), SqliteReports(database)


@asynccontextmanager
async def storage_in(folder: Path) -> AsyncIterator[Storage]:
    async with AsyncExitStack() as stack:
        yield Storage(folder, stack)


async def test_an_approval_is_read_back_as_it_was_kept_even_after_a_restart(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, _ = await storage.open()
        kept = approval("one", command(), command(SCALE, is_refused=True))

        await store.create(kept, "key", LIMIT)
        store, _ = await storage.open()

        assert await store.get(ApprovalId("one")) == kept
        assert await store.pending() == [kept]
        assert await store.get(ApprovalId("two")) is None


async def test_the_same_key_never_keeps_a_second_proposal(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, _ = await storage.open()

        ids = await asyncio.gather(
            *(store.create(approval(f"try-{n}"), "key", LIMIT) for n in range(20))
        )
        store, _ = await storage.open()
        again = await store.create(approval("late"), "key", LIMIT)

        assert set(ids) == {again}
        assert len(await store.pending()) == 1


async def test_proposals_without_a_key_are_all_kept(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, _ = await storage.open()

        for name in ("one", "two"):
            await store.create(approval(name), None, LIMIT)

        assert [one.approval_id for one in await store.pending()] == ["one", "two"]


async def test_too_many_pending_proposals_are_refused_until_one_is_decided(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, _ = await storage.open()
        await store.create(approval("one"), "key", 1)

        with pytest.raises(TooBusy):
            await store.create(approval("two"), None, 1)
        assert await store.create(approval("retry"), "key", 1) == "one"

        await store.decide(approval("one").decide(Decision.REJECTED, None, None, NOON))
        assert await store.create(approval("two"), None, 1) == "two"


async def test_of_many_decisions_one_wins_and_stays(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, _ = await storage.open()
        await store.create(approval(), None, LIMIT)
        decisions = [
            approval().decide(decision, f"reviewer {n}", "no", NOON)
            for n, decision in enumerate([Decision.APPROVED, Decision.REJECTED] * 25)
        ]

        won = await asyncio.gather(*(store.decide(decision) for decision in decisions))

        assert won.count(True) == 1
        assert await store.get(ApprovalId("one")) == decisions[won.index(True)]


async def test_a_command_only_makes_legal_moves(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, _ = await storage.open()
        one = ApprovalId("one")
        await store.create(approval(), None, LIMIT)
        await store.decide(approval().decide(Decision.APPROVED, None, None, NOON))

        with pytest.raises(Conflict):
            await store.move(one, 0, CommandStatus.SUCCEEDED, "")
        await store.move(one, 0, CommandStatus.EXECUTING, "")
        with pytest.raises(Conflict):
            await store.move(one, 0, CommandStatus.EXECUTING, "")
        await store.move(one, 0, CommandStatus.SUCCEEDED, "restarted")

        found = await store.get(one)
        assert found is not None
        assert found.commands[0].output == "restarted"
        assert found.is_settled


async def test_what_was_executing_is_unknown_after_an_interruption(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, _ = await storage.open()
        await store.create(approval("one", command(), command(SCALE)), None, LIMIT)
        await store.decide(
            approval("one", command(), command(SCALE)).decide(Decision.APPROVED, None, None, NOON)
        )
        await store.move(ApprovalId("one"), 0, CommandStatus.EXECUTING, "")

        store, _ = await storage.open()
        count = await store.interrupt("nobody saw it")

        (found,) = await store.unsettled()
        assert count == 1
        assert [one.status for one in found.commands] == ["unknown", "waiting"]


async def test_pages_go_from_the_newest_to_the_oldest_without_gaps(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, _ = await storage.open()
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


async def test_a_decision_is_unreported_until_its_report_is_kept_once(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, outbox = await storage.open()
        await store.create(approval("one"), None, LIMIT)
        await store.create(approval("two"), None, LIMIT)
        await store.decide(approval("one").decide(Decision.REJECTED, None, None, NOON))
        await store.decide(approval("two").decide(Decision.APPROVED, None, None, NOON))

        (unreported,) = await outbox.unreported()
        for body in (b"first", b"second"):
            await outbox.add(DueReport(unreported.approval_id, body, NOON, 0))

        assert unreported.approval_id == "one"
        assert await outbox.unreported() == []
        assert [report.body for report in await outbox.due(NOON)] == [b"first"]


async def test_a_postponed_report_is_due_later_and_a_finished_one_never(tmp_path: Path):
    async with storage_in(tmp_path) as storage:
        store, outbox = await storage.open()
        later = NOON + timedelta(minutes=1)
        for name in ("one", "two", "three"):
            await store.create(approval(name), None, LIMIT)
            await outbox.add(DueReport(ApprovalId(name), b"{}", NOON, 0))

        await outbox.delivered(ApprovalId("one"))
        await outbox.abandon(ApprovalId("two"), "refused")
        await outbox.postpone(ApprovalId("three"), later, "down")
        _, outbox = await storage.open()

        assert await outbox.due(NOON) == []
        assert await outbox.next_due() == later
        (due,) = await outbox.due(later)
        assert (due.approval_id, due.attempts) == ("three", 1)
        backlog = await outbox.backlog()
        assert (backlog.waiting, backlog.abandoned) == (1, 1)


async def test_a_folder_that_is_a_file_stops_the_start_with_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StartupFailed, match="cannot be used"):
        async with storage_in(tmp_path / "file") as storage:
            await storage.open()
