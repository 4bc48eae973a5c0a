"""Approvals in SQLite or PostgreSQL: decided once and executed by one server, whoever else tries."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa

from app.adapters.storage.approval_rows import (
    BATCH,
    fetch_approvals,
    has_command,
    to_command_rows,
    to_row,
)
from app.adapters.storage.approval_tables import ME, SCHEMA, approvals, commands, is_free
from app.adapters.storage.database import Database, open_database
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.tables import stamp
from app.domain.errors import BadInput, Conflict, TooBusy
from app.domain.ids import ApprovalId, ProcessId
from app.domain.review import (
    COMMAND_MOVES,
    Approval,
    ApprovalStatus,
    CommandStatus,
)

APPROVAL_FILE = "approvals.sqlite"
"""In the data folder."""
LOCK_NUMBER = 7_021_930_413
"""Any number of our own: who holds it in a PostgreSQL database keeps a proposal there."""

IS_PENDING = approvals.c.status == ApprovalStatus.PENDING.value
IS_APPROVED = approvals.c.status == ApprovalStatus.APPROVED.value
OLDEST_FIRST = approvals.c.position.asc()
NEWEST_FIRST = approvals.c.position.desc()

DECIDE = sa.update(approvals).where(approvals.c.approval_id == sa.bindparam("id"), IS_PENDING)
SETTLE = sa.update(commands).where(
    commands.c.approval_id == sa.bindparam("id"), commands.c.number == sa.bindparam("at")
)
INTERRUPT = (
    sa.update(commands)
    .where(
        commands.c.status == CommandStatus.EXECUTING.value,
        commands.c.approval_id.in_(
            sa.select(approvals.c.approval_id).where(is_free(approvals.c.executor))
        ),
    )
    .values(status=CommandStatus.UNKNOWN.value)
)
TAKE = (
    sa.update(approvals)
    .where(IS_APPROVED, has_command(CommandStatus.WAITING), is_free(approvals.c.executor))
    .values(executor=ME)
)
# It changes nothing, but nobody else can take the approval until the transaction ends.
HOLD = (
    sa.update(approvals)
    .where(approvals.c.approval_id == sa.bindparam("id"), approvals.c.executor == ME)
    .values(executor=ME)
)


@asynccontextmanager
async def open_approvals(location: DatabaseLocation) -> AsyncIterator[Database]:
    """The database of approvals; raises StartupFailed."""
    # A power cut must not forget that a command was started: it would be run again.
    async with open_database(location, "FULL", SCHEMA) as database:
        yield database


class SqlApprovals:
    """ApprovalStore of one of the servers that share a database."""

    def __init__(self, database: Database, me: ProcessId) -> None:
        """Take an open database and this server's own name."""
        self._database = database
        self._me = me

    async def create(
        self, approval: Approval, idempotency_key: str | None, limit: int
    ) -> ApprovalId:
        """Keep a proposal; the id of the first one when the key is known."""
        return await self._database.write(
            lambda connection: _create(connection, approval, idempotency_key, limit)
        )

    async def get(self, approval_id: ApprovalId) -> Approval | None:
        """One approval."""
        found = await self._fetch(approvals.c.approval_id == approval_id, OLDEST_FIRST)
        return found[0][1] if found else None

    async def pending(self) -> Sequence[Approval]:
        """All that wait for a decision, oldest first."""
        return [approval for _, approval in await self._fetch(IS_PENDING, OLDEST_FIRST)]

    async def page(
        self, statuses: Collection[ApprovalStatus], before: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Those in one of the statuses, newest first, and the cursor of the next page, None at the end."""
        is_wanted = approvals.c.status.in_(sorted(statuses))
        is_older = sa.true() if before is None else approvals.c.position < _position(before)
        condition = sa.and_(is_wanted, is_older)
        found = await self._fetch(condition, NEWEST_FIRST, limit + 1)
        cursor = str(found[limit - 1][0]) if len(found) > limit else None
        return [approval for _, approval in found[:limit]], cursor

    async def decide(self, approval: Approval) -> bool:
        """Keep a decided approval; False when somebody else decided it first."""
        return await self._database.write(
            lambda connection: _decide(connection, approval, self._me)
        )

    async def move(
        self, approval_id: ApprovalId, number: int, status: CommandStatus, output: str
    ) -> None:
        """Note a command's next state; raises Conflict when that is not this server's to do."""
        sources = [source for source, targets in COMMAND_MOVES.items() if status in targets]
        change = (
            sa.update(commands)
            .where(
                commands.c.approval_id == approval_id,
                commands.c.number == number,
                commands.c.status.in_(sources),
            )
            .values(status=status, output=output)
        )
        holds = {"id": approval_id, "me": self._me}

        def attempt(connection: sa.Connection) -> None:
            is_mine = connection.execute(HOLD, holds).rowcount
            if not is_mine or not connection.execute(change).rowcount:
                raise Conflict(f"Command {number} of {approval_id} cannot become {status}.")

        await self._database.write(attempt)

    async def interrupt(self, output: str) -> int:
        """Make unknown what this server was executing before, and what dead ones were."""
        return await self._database.write(
            lambda connection: (
                connection.execute(INTERRUPT.values(output=output), {"me": self._me}).rowcount
            )
        )

    async def take_unsettled(self) -> Sequence[Approval]:
        """Approved ones with commands that wait, oldest decision first: from now on this server's."""
        is_mine = sa.and_(
            IS_APPROVED, approvals.c.executor == self._me, has_command(CommandStatus.WAITING)
        )

        def take(connection: sa.Connection) -> list[tuple[int, Approval]]:
            connection.execute(TAKE, {"me": self._me})
            return fetch_approvals(connection, is_mine, approvals.c.decided_at.asc(), BATCH)

        return [approval for _, approval in await self._database.write(take)]

    async def _fetch(
        self,
        condition: sa.ColumnElement[bool],
        order: sa.ColumnElement[Any],
        limit: int | None = None,
    ) -> list[tuple[int, Approval]]:
        return await self._database.read(
            lambda connection: fetch_approvals(connection, condition, order, limit)
        )


def _create(
    connection: sa.Connection, approval: Approval, key: str | None, limit: int
) -> ApprovalId:
    if connection.dialect.name == "postgresql":
        # One after the other until the commit: each sees the keys and the number of those before.
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_NUMBER)))
    if key is not None:
        same = sa.select(approvals.c.approval_id).where(approvals.c.idempotency_key == key)
        if known := connection.execute(same).scalar():
            return ApprovalId(known)
    count = sa.select(sa.func.count()).select_from(approvals).where(IS_PENDING)
    if connection.execute(count).scalar_one() >= limit:
        raise TooBusy(f"{limit} requests wait for a decision already; decide some of them first.")
    connection.execute(sa.insert(approvals), to_row(approval, key))
    connection.execute(sa.insert(commands), to_command_rows(approval))
    return approval.approval_id


def _decide(connection: sa.Connection, approval: Approval, me: ProcessId) -> bool:
    assert approval.decided_at is not None
    decided = DECIDE.values(
        status=approval.status,
        decided_at=stamp(approval.decided_at),
        reviewer=approval.reviewer,
        reason=approval.reason,
        executor=me,
    )
    if not connection.execute(decided, {"id": approval.approval_id}).rowcount:
        return False
    for number, command in enumerate(approval.commands):
        connection.execute(
            SETTLE.values(status=command.status, output=command.output),
            {"id": approval.approval_id, "at": number},
        )
    return True


def _position(cursor: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise BadInput("`before` is not a cursor of an earlier page.")
    return int(cursor)
