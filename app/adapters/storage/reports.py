"""The outbox of reported decisions, beside the approvals."""

from collections.abc import Sequence
from datetime import datetime

from app.adapters.storage.approval_rows import BATCH, IS_OPEN, fetch_approvals
from app.adapters.storage.sqlite import Database
from app.domain.ids import ApprovalId
from app.domain.review import Approval, Backlog, DueReport


class SqliteReports:
    """ReportOutbox on an open database."""

    def __init__(self, database: Database) -> None:
        """Take the database that the approvals are in."""
        self._database = database

    async def unreported(self) -> Sequence[Approval]:
        """Settled approvals that no report was written for, oldest first."""
        found = await self._database.read(
            lambda connection: fetch_approvals(
                connection,
                "LEFT JOIN reports r ON r.approval_id = a.approval_id"
                f" WHERE r.approval_id IS NULL AND a.status <> 'pending' AND NOT {IS_OPEN}"
                " ORDER BY a.decided_at LIMIT ?",
                BATCH,
            )
        )
        return [approval for _, approval in found]

    async def add(self, report: DueReport) -> None:
        """Keep a report, once per approval; it is due at once."""
        created = report.created_at.isoformat()
        await self._execute(
            "INSERT OR IGNORE INTO reports (approval_id, body, created_at, next_at)"
            " VALUES (?, ?, ?, ?)",
            (report.approval_id, report.body, created, created),
        )

    async def due(self, at: datetime) -> Sequence[DueReport]:
        """The oldest reports whose time has come."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT approval_id, body, created_at, attempts FROM reports"
                " WHERE next_at <= ? ORDER BY next_at LIMIT ?",
                (at.isoformat(), BATCH),
            ).fetchall()
        )
        return [
            DueReport(approval_id, body, datetime.fromisoformat(created_at), attempts)
            for approval_id, body, created_at, attempts in rows
        ]

    async def next_due(self) -> datetime | None:
        """When the next report is to be tried."""
        (found,) = await self._database.read(
            lambda connection: connection.execute("SELECT MIN(next_at) FROM reports").fetchone()
        )
        return datetime.fromisoformat(found) if found else None

    async def delivered(self, approval_id: ApprovalId) -> None:
        """The backend has it."""
        await self._execute(
            "UPDATE reports SET state = 'delivered', next_at = NULL, attempts = attempts + 1,"
            " last_error = '' WHERE approval_id = ?",
            (approval_id,),
        )

    async def postpone(self, approval_id: ApprovalId, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        await self._execute(
            "UPDATE reports SET next_at = ?, attempts = attempts + 1, last_error = ?"
            " WHERE approval_id = ?",
            (until.isoformat(), error, approval_id),
        )

    async def abandon(self, approval_id: ApprovalId, error: str) -> None:
        """Give it up, and keep why."""
        await self._execute(
            "UPDATE reports SET state = 'abandoned', next_at = NULL, attempts = attempts + 1,"
            " last_error = ? WHERE approval_id = ?",
            (error, approval_id),
        )

    async def backlog(self) -> Backlog:
        """How many wait, how many were given up."""
        waiting, abandoned, last_error = await self._database.read(
            lambda connection: connection.execute(
                "SELECT COALESCE(SUM(state = 'waiting' AND last_error <> ''), 0),"
                " COALESCE(SUM(state = 'abandoned'), 0),"
                " COALESCE(MAX(last_error), '') FROM reports WHERE state <> 'delivered'"
            ).fetchone()
        )
        return Backlog(waiting, abandoned, last_error)

    async def _execute(self, query: str, parameters: tuple[object, ...]) -> None:
        await self._database.write(lambda connection: connection.execute(query, parameters))
