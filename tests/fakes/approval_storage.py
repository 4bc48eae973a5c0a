"""Approval servers' storage, opened in this process: each server with a name and connections of its own."""

import sqlite3
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.adapters.storage.approval_servers import SqlServers
from app.adapters.storage.approvals import APPROVAL_FILE, SqlApprovals, open_approvals
from app.adapters.storage.audit import SqlAudit
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.reports import SqlReports
from app.adapters.storage.tables import stamp
from app.approvals.changes import Changes
from app.approvals.judging import CommandJudge
from app.approvals.ports import ApprovalStore, Proving
from app.approvals.proving import Proving as NoCluster
from app.approvals.readiness import Readiness
from app.approvals.voiding import Voiding
from app.domain.approval import Decision
from app.domain.ids import ApprovalId, ProcessId, new_process_id
from app.domain.ports import Clock
from app.domain.report import DueReport
from app.domain.review import ReviewedCommand
from tests.fakes.approvals import NOON, DrivenClock, approval

LIMIT = 1000


@dataclass(frozen=True)
class StoringServer:
    """What one server has of the storage."""

    me: ProcessId
    store: SqlApprovals
    outbox: SqlReports
    servers: SqlServers
    audit: SqlAudit

    async def approve(self, name: str, *commands: ReviewedCommand) -> ApprovalId:
        """Keep an approval that this server was told."""
        await self.store.create(approval(name, *commands), None, LIMIT)
        pending = await self.store.get(ApprovalId(name))
        assert pending is not None
        assert await self.store.decide(pending.decide(Decision.APPROVED, "Ada", None, NOON))
        return pending.approval_id

    async def report(self, name: str) -> DueReport:
        """Keep a decision, and a report of it that is due."""
        pending = approval(name)
        await self.store.create(pending, None, LIMIT)
        await self.store.decide(pending.decide(Decision.REJECTED, None, None, NOON))
        report = DueReport(pending.approval_id, name.encode(), NOON, 0)
        await self.outbox.add(report)
        return report

    async def statuses(self, approval_id: ApprovalId) -> list[str]:
        """The states of an approval's commands."""
        found = await self.store.get(approval_id)
        assert found is not None
        return [one.status for one in found.commands]


class ApprovalStorage:
    """One database; every server that is opened is closed with the stack."""

    def __init__(self, location: DatabaseLocation, stack: AsyncExitStack) -> None:
        """Nothing is opened yet."""
        self.location = location
        self._stack = stack

    async def server(self) -> StoringServer:
        """One more server; those that can share the database show that they live."""
        database = await self._stack.enter_async_context(open_approvals(self.location))
        me = new_process_id()
        servers = SqlServers(database, me)
        if self.location.is_postgres:
            await servers.beat()
        return StoringServer(
            me,
            SqlApprovals(database, me, DrivenClock()),
            SqlReports(database, me),
            servers,
            SqlAudit(database),
        )

    async def restarted(self) -> StoringServer:
        """What a server finds when all others have died."""
        await self._stack.aclose()
        server = await self.server()
        for other, beats in (await server.servers.beat()).items():
            await server.servers.strike_off(other, beats)
        return server


def to_readiness(
    store: ApprovalStore, judge: CommandJudge, clock: Clock, cluster: Proving | None = None
) -> Readiness:
    """What execution asks before a command; without a cluster, nothing is looked at."""
    voiding = Voiding(store, judge, clock, Changes(), timedelta(hours=1))
    return Readiness(store, judge, cluster or NoCluster(None, judge, clock), voiding)


def copy_pending(folder: Path, times: int) -> None:
    """Fill the desk of a server with copies of its newest request: proposing so many takes minutes."""
    numbers = "WITH RECURSIVE one(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM one WHERE n < :times)"
    newest = "(SELECT approval_id FROM approvals ORDER BY position DESC LIMIT 1)"
    with closing(sqlite3.connect(folder / APPROVAL_FILE)) as database, database:
        (approval_id,) = database.execute(f"SELECT {newest}").fetchone()
        for table in ("approvals", "commands"):
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            kept = ", ".join(name for name in names if name not in {"position", "approval_id"})
            database.execute(
                f"INSERT INTO {table} (approval_id, {kept}) {numbers}"
                f" SELECT printf('copy-%06d', n), {kept} FROM {table}, one WHERE approval_id = :id",
                {"times": times, "id": approval_id},
            )


def let_expire(folder: Path) -> None:
    """The time of everything that waits is over now."""
    long_ago = stamp(NOON)
    with closing(sqlite3.connect(folder / APPROVAL_FILE)) as database, database:
        database.execute("UPDATE approvals SET expires_at = ? WHERE status = 'pending'", [long_ago])
