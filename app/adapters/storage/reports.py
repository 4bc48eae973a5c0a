"""The outbox of reported decisions, beside the approvals; each report is sent by one server."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from app.adapters.storage.approval_rows import BATCH, fetch_approvals, has_command
from app.adapters.storage.approval_tables import ME, approvals, is_free, reports
from app.adapters.storage.database import Database
from app.adapters.storage.tables import stamp
from app.domain.ids import ApprovalId, ProcessId
from app.domain.review import Approval, ApprovalStatus, Backlog, CommandStatus, DueReport

ADD = sa.text(
    "INSERT INTO reports (approval_id, body, created_at, next_at)"
    " VALUES (:approval_id, :body, :created_at, :created_at) ON CONFLICT DO NOTHING"
)
IS_SETTLED = sa.and_(
    approvals.c.status != ApprovalStatus.PENDING.value,
    ~has_command(CommandStatus.WAITING, CommandStatus.EXECUTING),
)
IS_REPORTED = sa.exists().where(reports.c.approval_id == approvals.c.approval_id)
IS_DUE = sa.and_(reports.c.next_at <= sa.bindparam("at"), is_free(reports.c.sender))
FIRST_DUE = (
    sa.select(reports.c.approval_id)
    .where(IS_DUE)
    .order_by(reports.c.next_at)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
TAKE = (
    sa.update(reports)
    .where(reports.c.approval_id == FIRST_DUE, IS_DUE)
    .values(sender=ME)
    .returning(reports.c.approval_id, reports.c.body, reports.c.created_at, reports.c.attempts)
)
NEXT_DUE = sa.select(sa.func.min(reports.c.next_at)).where(is_free(reports.c.sender))
WAITS = reports.c.state == "waiting"
BACKLOG = sa.select(
    sa.func.count().filter(WAITS, reports.c.last_error != ""),
    sa.func.count().filter(reports.c.state == "abandoned"),
    sa.func.coalesce(sa.func.max(reports.c.last_error), ""),
).where(reports.c.state != "delivered")


class SqlReports:
    """ReportOutbox of one of the servers that share a database."""

    def __init__(self, database: Database, me: ProcessId) -> None:
        """Take the database that the approvals are in and this server's own name."""
        self._database = database
        self._me = me

    async def unreported(self) -> Sequence[Approval]:
        """Settled approvals that no report was written for, oldest first."""
        found = await self._database.read(
            lambda connection: fetch_approvals(
                connection,
                sa.and_(IS_SETTLED, ~IS_REPORTED),
                approvals.c.decided_at.asc(),
                BATCH,
            )
        )
        return [approval for _, approval in found]

    async def add(self, report: DueReport) -> None:
        """Keep a report, once per approval; it is due at once."""
        row = {
            "approval_id": report.approval_id,
            "body": report.body,
            "created_at": stamp(report.created_at),
        }
        await self._database.write(lambda connection: connection.execute(ADD, row))

    async def take_due(self, at: datetime) -> DueReport | None:
        """The oldest report whose time has come: this server's until it says what came of it."""
        values = {"at": stamp(at), "me": self._me}
        row = await self._database.write(
            lambda connection: connection.execute(TAKE, values).one_or_none()
        )
        if row is None:
            return None
        approval_id, body, created_at, attempts = row
        return DueReport(
            ApprovalId(approval_id), body, datetime.fromisoformat(created_at), attempts
        )

    async def next_due(self) -> datetime | None:
        """When the next report is to be tried that no other server is sending."""
        values = {"me": self._me}
        found = await self._database.read(
            lambda connection: connection.execute(NEXT_DUE, values).scalar()
        )
        return datetime.fromisoformat(found) if found else None

    async def delivered(self, approval_id: ApprovalId) -> None:
        """The backend has it."""
        await self._end(approval_id, state="delivered", next_at=None, last_error="")

    async def postpone(self, approval_id: ApprovalId, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        await self._end(approval_id, state="waiting", next_at=stamp(until), last_error=error)

    async def abandon(self, approval_id: ApprovalId, error: str) -> None:
        """Give it up, and keep why."""
        await self._end(approval_id, state="abandoned", next_at=None, last_error=error)

    async def backlog(self) -> Backlog:
        """How many wait, how many were given up."""
        waiting, abandoned, last_error = await self._database.read(
            lambda connection: connection.execute(BACKLOG).one()
        )
        return Backlog(waiting, abandoned, last_error)

    async def _end(
        self, approval_id: ApprovalId, *, state: str, next_at: str | None, last_error: str
    ) -> None:
        """End an attempt; one that another server has made meanwhile stays as it is."""
        change = (
            sa.update(reports)
            .where(reports.c.approval_id == approval_id, WAITS)
            .values(
                state=state,
                next_at=next_at,
                last_error=last_error,
                attempts=reports.c.attempts + 1,
                sender=None,
            )
        )
        await self._database.write(lambda connection: connection.execute(change))
