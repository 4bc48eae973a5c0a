"""Approvals in SQLite or PostgreSQL: decided once and executed by one server, whoever else tries."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import sqlalchemy as sa

from app.adapters.storage import audit_facts, deciding
from app.adapters.storage.approval_conditions import lacks_proof
from app.adapters.storage.approval_rows import BATCH, fetch_approvals, fetch_one
from app.adapters.storage.approval_tables import SCHEMA, approvals
from app.adapters.storage.audit import AuditTrail
from app.adapters.storage.database import Database, open_database
from app.adapters.storage.deciding import IS_PENDING
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.running import HAS_STEPS, HAS_UNDOS, IS_UNVERIFIED, Runs, Step
from app.domain.audit import AuditFact
from app.domain.errors import BadInput
from app.domain.ids import ApprovalId, ProcessId
from app.domain.ports import Clock
from app.domain.proof import LeftState, Proof, Verification
from app.domain.review import Approval
from app.domain.review_moves import ApprovalStatus, CommandStatus

APPROVAL_FILE = "approvals.sqlite"
"""In the data folder."""
LOCK_NUMBER = 7_021_930_413
"""Any number of our own: who holds it in a PostgreSQL database changes an approval there."""

OLDEST_FIRST = approvals.c.position.asc()
NEWEST_FIRST = approvals.c.position.desc()

T = TypeVar("T")


@asynccontextmanager
async def open_approvals(location: DatabaseLocation) -> AsyncIterator[Database]:
    """The database of approvals; raises StartupFailed."""
    # A power cut must not forget that a command was started: it would be run again.
    async with open_database(location, "FULL", SCHEMA) as database:
        yield database


class SqlApprovals:
    """ApprovalStore and AuditNotes of one of the servers that share a database."""

    def __init__(self, database: Database, me: ProcessId, clock: Clock) -> None:
        """Take an open database and this server's own name; the clock is the audit trail's."""
        self._database = database
        self._me = me
        self._audit = AuditTrail(clock)
        self._runs = Runs(me, self._audit)

    async def create(
        self, approval: Approval, idempotency_key: str | None, limit: int
    ) -> ApprovalId:
        """Keep a proposal; the id of the first one when the key is known."""
        return await self._write(
            lambda connection: deciding.create(
                connection, self._audit, approval, idempotency_key, limit
            )
        )

    async def get(self, approval_id: ApprovalId) -> Approval | None:
        """One approval."""
        return await self._database.read(lambda connection: fetch_one(connection, approval_id))

    async def pending(self) -> Sequence[Approval]:
        """All that wait for a decision, oldest first."""
        return [approval for _, approval in await self._fetch(IS_PENDING, OLDEST_FIRST)]

    async def pending_page(
        self, after: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Some that wait for a decision, oldest first, and the cursor of the next page."""
        is_later = sa.true() if after is None else approvals.c.position > _position(after, "after")
        return await self._page(sa.and_(IS_PENDING, is_later), OLDEST_FIRST, limit)

    async def pending_count(self) -> int:
        """How many wait for a decision."""
        counted = sa.select(sa.func.count()).select_from(approvals).where(IS_PENDING)
        return await self._database.read(
            lambda connection: int(connection.execute(counted).scalar_one())
        )

    async def page(
        self, statuses: Collection[ApprovalStatus], before: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Those in one of the statuses, newest first, and the cursor of the next page, None at the end."""
        is_wanted = approvals.c.status.in_(sorted(statuses))
        is_older = (
            sa.true() if before is None else approvals.c.position < _position(before, "before")
        )
        return await self._page(sa.and_(is_wanted, is_older), NEWEST_FIRST, limit)

    async def unproven(self) -> Sequence[Approval]:
        """Pending ones of which the cluster was not asked about every command, oldest first."""
        found = await self._fetch(sa.and_(IS_PENDING, lacks_proof()), OLDEST_FIRST, BATCH)
        return [approval for _, approval in found]

    async def decide(self, approval: Approval) -> bool:
        """Keep a decision; False when somebody was first, or it is about another version."""
        return await self._write(
            lambda connection: deciding.decide(connection, self._audit, approval, self._me)
        )

    async def void(self, approval: Approval) -> bool:
        """Keep that it is asked again; False when a command has begun or it is not this server's."""
        return await self._write(
            lambda connection: deciding.void(connection, self._audit, approval, self._me)
        )

    async def note_void(self, approval_id: ApprovalId, by: str | None, reason: str) -> None:
        """Note in the audit trail alone that somebody's decision did not count."""
        fact = audit_facts.void(approval_id, by, reason)
        await self._write(lambda connection: self._audit.enter(connection, fact))

    async def note(self, fact: AuditFact) -> None:
        """Make an entry in the audit trail of what is part of no request."""
        await self._write(lambda connection: self._audit.enter(connection, fact))

    async def expire(self, at: datetime) -> int:
        """End what nobody decided in time; how many there were."""
        is_over = sa.select(deciding.is_overdue(at))
        if not await self._database.read(lambda connection: connection.execute(is_over).scalar()):
            return 0
        return await self._write(lambda connection: deciding.expire(connection, self._audit, at))

    async def limit(self, expiry: timedelta) -> None:
        """Give those an end that were proposed before requests had one, counted from then."""
        await self._write(lambda connection: deciding.limit(connection, expiry))

    async def keep_proof(
        self, approval_id: ApprovalId, number: int, text: str, proof: Proof
    ) -> bool:
        """Keep what the cluster says of a command; False when it has begun or is another text."""
        kept = proof.model_dump_json()
        return await self._write(
            lambda connection: deciding.keep_proof(connection, approval_id, number, text, kept)
        )

    async def move(
        self,
        approval_id: ApprovalId,
        number: int,
        status: CommandStatus,
        output: str,
        left: LeftState | None = None,
    ) -> None:
        """Note a command's next state; raises Conflict when that is not this server's to do, and
        ObjectBusy when another command runs on the object.
        """
        step = Step(approval_id, number, status, output, left)
        await self._write(lambda connection: self._runs.move(connection, step))

    async def interrupt(
        self, words: Callable[[Approval, int], str], at_work: Collection[ApprovalId] = ()
    ) -> int:
        """Make unknown what this server was executing before, and what dead ones were."""
        spared = frozenset(at_work)
        return await self._write(lambda connection: self._runs.interrupt(connection, words, spared))

    async def take_unsettled(self) -> Sequence[Approval]:
        """Approved ones with commands that wait, oldest decision first: from now on this server's."""
        return await self._take(HAS_STEPS)

    async def take_unverified(self) -> Sequence[Approval]:
        """Executed ones without an outcome that need one, or with checks that wait: this server's."""
        return await self._take(IS_UNVERIFIED)

    async def keep_verification(self, approval_id: ApprovalId, verification: Verification) -> bool:
        """Keep the outcome; False when there is one, it is not this server's to say, or taken back."""
        return await self._write(
            lambda connection: self._runs.keep_verification(connection, approval_id, verification)
        )

    async def begin_undo(self, approval: Approval, *, is_confirmed: bool) -> bool:
        """Keep that it is to be taken back; False when somebody began that already."""
        return await self._write(
            lambda connection: deciding.begin_undo(
                connection, self._audit, approval, is_confirmed=is_confirmed
            )
        )

    async def take_undoing(self) -> Sequence[Approval]:
        """Those with undos that wait: from now on this server's."""
        return await self._take(HAS_UNDOS)

    async def move_undo(
        self,
        approval_id: ApprovalId,
        number: int,
        status: CommandStatus,
        output: str,
        left: LeftState | None = None,
    ) -> None:
        """Note the next state of a command's undo; raises as `move` does."""
        step = Step(approval_id, number, status, output, left)
        await self._write(lambda connection: self._runs.move_undo(connection, step))

    async def _write(self, work: Callable[[sa.Connection], T]) -> T:
        def alone(connection: sa.Connection) -> T:
            if connection.dialect.name == "postgresql":
                # One after the other until the commit: each sees what those before did.
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_NUMBER)))
            return work(connection)

        return await self._database.write(alone)

    async def _take(self, condition: sa.ColumnElement[bool]) -> Sequence[Approval]:
        found = await self._write(lambda connection: self._runs.take(connection, condition))
        return [approval for _, approval in found]

    async def _page(
        self, condition: sa.ColumnElement[bool], order: sa.ColumnElement[Any], limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        found = await self._fetch(condition, order, limit + 1)
        cursor = str(found[limit - 1][0]) if len(found) > limit else None
        return [approval for _, approval in found[:limit]], cursor

    async def _fetch(
        self,
        condition: sa.ColumnElement[bool],
        order: sa.ColumnElement[Any],
        limit: int | None = None,
    ) -> list[tuple[int, Approval]]:
        return await self._database.read(
            lambda connection: fetch_approvals(connection, condition, order, limit)
        )


def _position(cursor: str, name: str) -> int:
    if not cursor.isascii() or not cursor.isdigit() or len(cursor) > 18:
        raise BadInput(f"`{name}` is not a cursor of an earlier page.")
    return int(cursor)
