"""Approvals in SQLite: decided once, whoever else tries."""

import json
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from app.adapters.storage.approval_rows import BATCH, IS_WAITING, fetch_approvals
from app.adapters.storage.sqlite import Database, open_database
from app.domain.errors import BadInput, Conflict, TooBusy
from app.domain.ids import ApprovalId
from app.domain.review import (
    COMMAND_MOVES,
    Approval,
    ApprovalStatus,
    CommandStatus,
)

FILE_NAME = "approvals.sqlite"
SCHEMA = Path(__file__).with_name("approvals.sql")
SCHEMA_VERSION = 1


class SqliteApprovals:
    """ApprovalStore on an open database."""

    def __init__(self, database: Database) -> None:
        """Take the database; nobody else decides in it."""
        self._database = database

    async def create(
        self, approval: Approval, idempotency_key: str | None, limit: int
    ) -> ApprovalId:
        """Keep a proposal; the id of the first one when the key is known."""
        return await self._database.write(
            lambda connection: _create(connection, approval, idempotency_key, limit)
        )

    async def get(self, approval_id: ApprovalId) -> Approval | None:
        """One approval."""
        found = await self._select("WHERE a.approval_id = ?", approval_id)
        return found[0] if found else None

    async def pending(self) -> Sequence[Approval]:
        """All that wait for a decision, oldest first."""
        return await self._select("WHERE a.status = 'pending' ORDER BY a.position")

    async def page(
        self, statuses: Collection[ApprovalStatus], before: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Those in one of the statuses, newest first, and the cursor of the next page, None at the end."""
        found = await self._database.read(
            lambda connection: _page(connection, statuses, _position(before), limit)
        )
        approvals = [approval for _, approval in found[:limit]]
        return approvals, (str(found[limit - 1][0]) if len(found) > limit else None)

    async def decide(self, approval: Approval) -> bool:
        """Keep a decided approval; False when somebody else decided it first."""
        return await self._database.write(lambda connection: _decide(connection, approval))

    async def move(
        self, approval_id: ApprovalId, number: int, status: CommandStatus, output: str
    ) -> None:
        """Note a command's next state; raises Conflict when that is not a legal move."""
        sources = [source for source, targets in COMMAND_MOVES.items() if status in targets]
        marks = ", ".join("?" * len(sources))
        query = (
            "UPDATE commands SET status = ?, output = ?"  # noqa: S608 - only question marks
            f" WHERE approval_id = ? AND number = ? AND status IN ({marks})"
        )
        parameters = (status, output, approval_id, number, *sources)
        changed = await self._database.write(
            lambda connection: connection.execute(query, parameters).rowcount
        )
        if not changed:
            raise Conflict(f"Command {number} of {approval_id} cannot become {status}.")

    async def interrupt(self, output: str) -> int:
        """Make every executing command unknown: nobody watches it any more."""
        return await self._database.write(
            lambda connection: (
                connection.execute(
                    "UPDATE commands SET status = 'unknown', output = ? WHERE status = 'executing'",
                    (output,),
                ).rowcount
            )
        )

    async def unsettled(self) -> Sequence[Approval]:
        """Approved, with commands that still wait; oldest decision first."""
        return await self._select(
            f"WHERE a.status = 'approved' AND {IS_WAITING} ORDER BY a.decided_at LIMIT ?", BATCH
        )

    async def _select(self, condition: str, *parameters: object) -> Sequence[Approval]:
        return await self._database.read(
            lambda connection: [
                approval for _, approval in fetch_approvals(connection, condition, *parameters)
            ]
        )


@asynccontextmanager
async def open_approvals(data_dir: Path) -> AsyncIterator[Database]:
    """The database of approvals in the data folder; raises StartupFailed."""
    # A power cut must not forget that a command was started: it would be run again.
    async with open_database(data_dir / FILE_NAME, SCHEMA, SCHEMA_VERSION, "FULL") as database:
        yield database


def _create(
    connection: sqlite3.Connection, approval: Approval, key: str | None, limit: int
) -> ApprovalId:
    known = connection.execute(
        "SELECT approval_id FROM approvals WHERE idempotency_key = ?", (key,)
    ).fetchone()
    if known:
        return ApprovalId(known[0])
    (pending,) = connection.execute(
        "SELECT COUNT(*) FROM approvals WHERE status = 'pending'"
    ).fetchone()
    if pending >= limit:
        raise TooBusy(f"{limit} requests wait for a decision already; decide some of them first.")
    connection.execute(
        "INSERT INTO approvals (approval_id, idempotency_key, action, metadata, proposed_at,"
        " status) VALUES (?, ?, ?, ?, ?, ?)",
        (
            approval.approval_id,
            key,
            approval.action,
            json.dumps(approval.metadata),
            approval.proposed_at.isoformat(),
            approval.status,
        ),
    )
    connection.executemany(
        "INSERT INTO commands VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [_command_row(approval, number) for number in range(len(approval.commands))],
    )
    return approval.approval_id


def _command_row(approval: Approval, number: int) -> tuple[object, ...]:
    command = approval.commands[number]
    return (
        approval.approval_id,
        number,
        command.text,
        command.explanation,
        command.safety_level,
        command.risk,
        json.dumps(command.reasons),
        command.is_refused,
        command.status,
        command.output,
    )


def _decide(connection: sqlite3.Connection, approval: Approval) -> bool:
    assert approval.decided_at is not None
    changed = connection.execute(
        "UPDATE approvals SET status = ?, decided_at = ?, reviewer = ?, reason = ?"
        " WHERE approval_id = ? AND status = 'pending'",
        (
            approval.status,
            approval.decided_at.isoformat(),
            approval.reviewer,
            approval.reason,
            approval.approval_id,
        ),
    ).rowcount
    if not changed:
        return False
    connection.executemany(
        "UPDATE commands SET status = ?, output = ? WHERE approval_id = ? AND number = ?",
        [
            (command.status, command.output, approval.approval_id, number)
            for number, command in enumerate(approval.commands)
        ],
    )
    return True


def _page(
    connection: sqlite3.Connection,
    statuses: Collection[ApprovalStatus],
    before: int | None,
    limit: int,
) -> Sequence[tuple[int, Approval]]:
    return fetch_approvals(
        connection,
        "WHERE a.status IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR a.position < ?2)"
        " ORDER BY a.position DESC LIMIT ?3",
        json.dumps(sorted(statuses)),
        before,
        limit + 1,
    )


def _position(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise BadInput("`before` is not a cursor of an earlier page.")
    return int(cursor)
