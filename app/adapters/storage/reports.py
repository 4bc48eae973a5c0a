"""The outbox of reports, beside the approvals; each report is sent by one server, in their order."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from app.adapters.storage.approval_conditions import has_change, has_check, has_undo
from app.adapters.storage.approval_rows import BATCH, fetch_approvals
from app.adapters.storage.approval_tables import ME, approvals, is_free, reports
from app.adapters.storage.database import Database
from app.adapters.storage.running import HAS_ENDED
from app.adapters.storage.tables import stamp
from app.domain.ids import ApprovalId, ProcessId
from app.domain.report import Backlog, DueReport, ReportKind
from app.domain.review import Approval
from app.domain.review_moves import ApprovalStatus, CommandStatus

ADD = sa.text(
    "INSERT INTO reports (approval_id, kind, round, is_final, body, created_at, next_at)"
    " VALUES (:approval_id, :kind, :round, :is_final, :body, :created_at, :created_at)"
    " ON CONFLICT DO NOTHING"
)
CLOSE = (
    sa.update(approvals).where(approvals.c.approval_id == sa.bindparam("id")).values(is_closed=1)
)
WAITS = reports.c.state == "waiting"


def _has(kind: ReportKind, *, going_on: bool = False) -> sa.ColumnElement[bool]:
    """Whether this round has a report of a kind; `going_on`: one that another follows."""
    found = sa.exists().where(
        reports.c.approval_id == approvals.c.approval_id,
        reports.c.kind == kind.value,
        reports.c.round == approvals.c.round,
    )
    return found.where(reports.c.is_final == 0) if going_on else found


def _is(*statuses: ApprovalStatus) -> sa.ColumnElement[bool]:
    return approvals.c.status.in_([status.value for status in statuses])


# Where nothing changed no report follows that could tell how the later checks ended.
TELLS_ALL = sa.or_(
    has_change(CommandStatus.SUCCEEDED, CommandStatus.UNKNOWN),
    ~has_check(CommandStatus.WAITING, CommandStatus.EXECUTING),
)
MISSING: Mapping[ReportKind, sa.ColumnElement[bool]] = {
    ReportKind.DECIDED: _is(ApprovalStatus.APPROVED, ApprovalStatus.REJECTED),
    ReportKind.EXPIRED: _is(ApprovalStatus.EXPIRED),
    ReportKind.EXECUTED: sa.and_(
        _is(ApprovalStatus.APPROVED),
        HAS_ENDED,
        TELLS_ALL,
        _has(ReportKind.DECIDED, going_on=True),
    ),
    ReportKind.VERIFIED: sa.and_(
        approvals.c.verification.is_not(None), _has(ReportKind.EXECUTED, going_on=True)
    ),
    ReportKind.UNDONE: sa.and_(
        approvals.c.undone_at.is_not(None),
        ~has_undo(CommandStatus.WAITING, CommandStatus.EXECUTING),
        _has(ReportKind.EXECUTED),
    ),
}
"""By kind, what must be so for it to be due."""

_earlier = reports.alias("earlier")
IS_NEXT = ~sa.exists().where(
    _earlier.c.approval_id == reports.c.approval_id,
    _earlier.c.position < reports.c.position,
    _earlier.c.state == "waiting",
)
IS_FREE = sa.and_(is_free(reports.c.sender), IS_NEXT)
IS_DUE = sa.and_(reports.c.next_at <= sa.bindparam("at"), IS_FREE)
FIRST_DUE = (
    sa.select(reports.c.position)
    .where(IS_DUE)
    .order_by(reports.c.next_at, reports.c.position)
    .limit(1)
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
TAKE = (
    sa.update(reports)
    .where(reports.c.position == FIRST_DUE, IS_DUE)
    .values(sender=ME)
    .returning(
        reports.c.approval_id,
        reports.c.body,
        reports.c.created_at,
        reports.c.attempts,
        reports.c.kind,
        reports.c.round,
        reports.c.is_final,
    )
)
NEXT_DUE = sa.select(sa.func.min(reports.c.next_at)).where(IS_FREE)
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

    async def unreported(self, kind: ReportKind) -> Sequence[Approval]:
        """Approvals that a report of this kind is to be written for, oldest first."""
        condition = sa.and_(approvals.c.is_closed == 0, MISSING[kind], ~_has(kind))
        found = await self._database.read(
            lambda connection: fetch_approvals(
                connection, condition, approvals.c.decided_at.asc(), BATCH
            )
        )
        return [approval for _, approval in found]

    async def add(self, report: DueReport) -> None:
        """Keep a report, once per approval, kind and round; it is due at once."""
        row = {
            "approval_id": report.approval_id,
            "kind": report.kind,
            "round": report.round,
            "is_final": int(report.is_final),
            "body": report.body,
            "created_at": stamp(report.created_at),
        }

        def add(connection: sa.Connection) -> None:
            is_added = connection.execute(ADD, row).rowcount
            if is_added and report.is_final:
                connection.execute(CLOSE, {"id": report.approval_id})

        await self._database.write(add)

    async def take_due(self, at: datetime) -> DueReport | None:
        """The oldest report whose time has come: this server's until it says what came of it."""
        values = {"at": stamp(at), "me": self._me}
        row = await self._database.write(
            lambda connection: connection.execute(TAKE, values).one_or_none()
        )
        if row is None:
            return None
        approval_id, body, created_at, attempts, kind, round_, is_final = row
        return DueReport(
            approval_id=ApprovalId(approval_id),
            body=body,
            created_at=datetime.fromisoformat(created_at),
            attempts=attempts,
            kind=ReportKind(kind),
            round=round_,
            is_final=bool(is_final),
        )

    async def next_due(self) -> datetime | None:
        """When the next report is to be tried that no other server is sending."""
        values = {"me": self._me}
        found = await self._database.read(
            lambda connection: connection.execute(NEXT_DUE, values).scalar()
        )
        return datetime.fromisoformat(found) if found else None

    async def delivered(self, report: DueReport) -> None:
        """The backend has it."""
        await self._end(report, state="delivered", next_at=None, last_error="")

    async def postpone(self, report: DueReport, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        await self._end(report, state="waiting", next_at=stamp(until), last_error=error)

    async def abandon(self, report: DueReport, error: str) -> None:
        """Give it up, and keep why."""
        await self._end(report, state="abandoned", next_at=None, last_error=error)

    async def backlog(self) -> Backlog:
        """How many wait, how many were given up."""
        waiting, abandoned, last_error = await self._database.read(
            lambda connection: connection.execute(BACKLOG).one()
        )
        return Backlog(waiting, abandoned, last_error)

    async def _end(
        self, report: DueReport, *, state: str, next_at: str | None, last_error: str
    ) -> None:
        """End an attempt; one that another server has made meanwhile stays as it is."""
        change = (
            sa.update(reports)
            .where(
                reports.c.approval_id == report.approval_id,
                reports.c.kind == report.kind.value,
                reports.c.round == report.round,
                WAITS,
            )
            .values(
                state=state,
                next_at=next_at,
                last_error=last_error,
                attempts=reports.c.attempts + 1,
                sender=None,
            )
        )
        await self._database.write(lambda connection: connection.execute(change))
