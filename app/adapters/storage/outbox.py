"""Proposals on their way to the approval server."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from app.adapters.storage.database import Database
from app.adapters.storage.processes import is_living
from app.adapters.storage.tables import proposals, stamp, workflows
from app.domain.approval import OutgoingProposal, Proposal
from app.domain.ids import ApprovalId, FeedbackId, ProcessId, WorkflowId
from app.domain.ports import Clock
from app.domain.workflow import WorkflowState

PUT = sa.text(
    "INSERT INTO proposals (idempotency_key, workflow_id, feedback_id, payload, created_at)"
    " VALUES (:key, :workflow_id, :feedback_id, :payload, :at) ON CONFLICT DO NOTHING"
)
THIS = proposals.c.idempotency_key == sa.bindparam("key")
APPROVAL = sa.select(proposals.c.approval_id).where(THIS)
IS_FREE = sa.and_(
    proposals.c.approval_id.is_(None),
    proposals.c.declined.is_(None),
    sa.or_(
        sa.func.coalesce(proposals.c.leased_until, "") <= sa.bindparam("at"),
        ~is_living(proposals.c.leased_by),
    ),
)
# Nobody wants the commands of a workflow that a person has cancelled.
IS_WANTED = ~sa.exists().where(
    workflows.c.workflow_id == proposals.c.workflow_id,
    workflows.c.state == WorkflowState.CANCELLED.value,
)
LEASE = (
    sa.update(proposals)
    .where(THIS, IS_FREE)
    .values(leased_by=sa.bindparam("me"), leased_until=sa.bindparam("until"))
)
RELEASE = (
    sa.update(proposals)
    .where(THIS, proposals.c.leased_by == sa.bindparam("me"))
    .values(leased_by=None, leased_until=None)
)
DELIVERED = sa.update(proposals).where(THIS).values(approval_id=sa.bindparam("approval"))
DECLINED = sa.update(proposals).where(THIS).values(declined=sa.bindparam("reason"))
UNDECIDED = (
    sa.select(workflows.c.workflow_id)
    .where(
        workflows.c.terminal_seq > 0,
        workflows.c.outcome_seq == 0,
        sa.exists().where(
            proposals.c.workflow_id == workflows.c.workflow_id,
            sa.or_(proposals.c.approval_id.is_not(None), proposals.c.declined.is_not(None)),
        ),
    )
    .order_by(workflows.c.position.desc())
    .limit(sa.bindparam("most"))
)
UNDELIVERED = (
    sa.select(
        proposals.c.idempotency_key,
        proposals.c.workflow_id,
        proposals.c.feedback_id,
        proposals.c.payload,
    )
    .where(IS_FREE, IS_WANTED)
    .order_by(proposals.c.created_at, proposals.c.idempotency_key)
    .limit(sa.bindparam("most"))
)


class SqlProposalOutbox:
    """ProposalOutbox of one of the processes that share a database."""

    def __init__(self, database: Database, clock: Clock, process_id: ProcessId) -> None:
        """Take an open database; leases end by this clock."""
        self._database = database
        self._clock = clock
        self._me = process_id

    async def put(self, proposal: OutgoingProposal) -> ApprovalId | None:
        """Keep a proposal; one with the same key stays as it was, with the approval it has got."""
        values = {
            "key": proposal.key,
            "workflow_id": proposal.workflow_id,
            "feedback_id": proposal.feedback_id,
            "payload": proposal.proposal.model_dump_json(),
            "at": stamp(self._clock.now()),
        }

        def store(connection: sa.Connection) -> ApprovalId | None:
            connection.execute(PUT, values)
            found: str | None = connection.execute(APPROVAL, {"key": proposal.key}).scalar_one()
            return None if found is None else ApprovalId(found)

        return await self._database.write(store)

    async def lease(self, key: str, seconds: float) -> bool:
        """Whether this process may send it now; no other process may for so long."""
        now = self._clock.now()
        until = now + timedelta(seconds=seconds)
        times = {"at": stamp(now), "until": stamp(until)}
        return await self._execute(LEASE, key=key, me=self._me, **times) > 0

    async def release(self, key: str) -> None:
        """Give a lease back before its time, so that others may try."""
        await self._execute(RELEASE, key=key, me=self._me)

    async def delivered(self, key: str, approval_id: ApprovalId) -> None:
        """Note that the approval server has it."""
        await self._execute(DELIVERED, key=key, approval=approval_id)

    async def declined(self, key: str, reason: str) -> None:
        """Note that the approval server will never take it; it is not sent again."""
        await self._execute(DECLINED, key=key, reason=reason)

    async def undecided(self, limit: int) -> Sequence[WorkflowId]:
        """Workflows whose proposals the approval server has, and whose outcome is open."""
        rows = await self._database.read(
            lambda connection: connection.execute(UNDECIDED, {"most": limit}).scalars().all()
        )
        return [WorkflowId(row) for row in rows]

    async def undelivered(self, limit: int) -> Sequence[OutgoingProposal]:
        """What still has to be sent and nobody is sending, oldest first."""
        values = {"at": stamp(self._clock.now()), "most": limit}
        rows = await self._database.read(
            lambda connection: connection.execute(UNDELIVERED, values).all()
        )
        return [
            OutgoingProposal(
                key,
                WorkflowId(workflow_id),
                FeedbackId(feedback_id),
                Proposal.model_validate_json(payload),
            )
            for key, workflow_id, feedback_id, payload in rows
        ]

    async def _execute(self, statement: sa.Update, **values: object) -> int:
        return await self._database.write(
            lambda connection: connection.execute(statement, values).rowcount
        )
