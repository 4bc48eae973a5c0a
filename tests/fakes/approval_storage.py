"""Approval servers' storage, opened in this process: each server with a name and connections of its own."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from app.adapters.storage.approval_servers import SqlServers
from app.adapters.storage.approvals import SqlApprovals, open_approvals
from app.adapters.storage.audit import SqlAudit
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.reports import SqlReports
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
