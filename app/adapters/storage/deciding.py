"""The transactions in which proposals come in and decisions are made."""

from datetime import datetime, timedelta

import sqlalchemy as sa

from app.adapters.storage import audit_facts
from app.adapters.storage.approval_rows import (
    BATCH,
    fetch_approvals,
    fetch_one,
    is_as_proposed,
    to_command_decision,
    to_command_rows,
    to_decision,
    to_row,
)
from app.adapters.storage.approval_tables import approvals, commands
from app.adapters.storage.audit import AuditTrail
from app.adapters.storage.tables import stamp
from app.domain.errors import KeyReused, TooBusy
from app.domain.ids import ApprovalId, ProcessId
from app.domain.review import Approval
from app.domain.review_moves import ApprovalStatus, CommandStatus

IS_PENDING = approvals.c.status == ApprovalStatus.PENDING.value


def create(
    connection: sa.Connection,
    audit: AuditTrail,
    approval: Approval,
    key: str | None,
    limit: int,
) -> ApprovalId:
    """Keep a proposal; the id of the first one when the key is known. Raises KeyReused."""
    if key is not None:
        same = approvals.c.idempotency_key == key
        for _, known in fetch_approvals(connection, same, approvals.c.position.asc()):
            if is_as_proposed(known, approval):
                return known.approval_id
            raise KeyReused(known.approval_id)
    count = sa.select(sa.func.count()).select_from(approvals).where(IS_PENDING)
    if connection.execute(count).scalar_one() >= limit:
        raise TooBusy(f"{limit} requests wait for a decision already; decide some of them first.")
    connection.execute(sa.insert(approvals), to_row(approval, key))
    connection.execute(sa.insert(commands), to_command_rows(approval))
    audit.enter(connection, audit_facts.proposed(approval, key))
    return approval.approval_id


def decide(connection: sa.Connection, audit: AuditTrail, approval: Approval, me: ProcessId) -> bool:
    """Keep a decision about what is still there as it was seen."""
    found = fetch_one(connection, approval.approval_id)
    if found is None or found.status is not ApprovalStatus.PENDING:
        return False
    if found.version != approval.version:
        return False
    _keep(connection, approval, executor=me)
    audit.enter(connection, audit_facts.decided(approval))
    return True


def void(connection: sa.Connection, audit: AuditTrail, approval: Approval, me: ProcessId) -> bool:
    """Ask again what this server was to run, as long as nothing of it has begun."""
    found = fetch_one(connection, approval.approval_id)
    its = approvals.c.approval_id == approval.approval_id
    executor = connection.execute(sa.select(approvals.c.executor).where(its)).scalar()
    if found is None or executor != me or found.status is not ApprovalStatus.APPROVED:
        return False
    if found.round != approval.round - 1 or any(one.has_begun for one in found.commands):
        return False
    _keep(connection, approval, executor=None)
    connection.execute(
        sa.update(commands).where(commands.c.approval_id == approval.approval_id).values(proof=None)
    )
    reason = approval.void_reason or ""
    audit.enter(connection, audit_facts.void(approval.approval_id, found.reviewer, reason))
    return True


def expire(connection: sa.Connection, audit: AuditTrail, at: datetime) -> int:
    """End what nobody decided in time."""
    overdue = fetch_approvals(connection, _is_over(at), approvals.c.position.asc(), BATCH)
    for _, approval in overdue:
        _keep(connection, approval.expire(at), executor=None)
    audit.enter(connection, *(audit_facts.expired(one.approval_id) for _, one in overdue))
    return len(overdue)


def is_overdue(at: datetime) -> sa.ColumnElement[bool]:
    """Whether there is something to end."""
    return sa.exists().where(_is_over(at))


def limit(connection: sa.Connection, expiry: timedelta) -> None:
    """Give those an end that were proposed before requests had one."""
    endless = sa.select(approvals.c.position, approvals.c.proposed_at).where(
        IS_PENDING, approvals.c.expires_at.is_(None)
    )
    for position, proposed_at in connection.execute(endless).all():
        end = stamp(datetime.fromisoformat(proposed_at) + expiry)
        change = sa.update(approvals).where(approvals.c.position == position)
        connection.execute(change.values(expires_at=end))


def begin_undo(
    connection: sa.Connection, audit: AuditTrail, approval: Approval, *, is_confirmed: bool
) -> bool:
    """Note once that it is to be taken back."""
    assert approval.undone_at is not None
    begin = (
        sa.update(approvals)
        .where(approvals.c.approval_id == approval.approval_id, approvals.c.undone_at.is_(None))
        .values(undone_at=stamp(approval.undone_at), undone_by=approval.undone_by, is_closed=0)
    )
    if not connection.execute(begin).rowcount:
        return False
    for number, command in enumerate(approval.commands):
        proof = command.proof
        if command.undo_status is CommandStatus.WAITING or (proof and proof.left):
            values = {
                "undo_status": command.undo_status,
                "proof": proof.model_dump_json() if proof else None,
            }
            connection.execute(_command(approval.approval_id, number).values(values))
    audit.enter(connection, audit_facts.undo_begun(approval, is_confirmed=is_confirmed))
    return True


def keep_proof(
    connection: sa.Connection, approval_id: ApprovalId, number: int, text: str, proof: str
) -> bool:
    """Keep what the cluster says of a command that has not begun and still has that text."""
    change = (
        _command(approval_id, number)
        .where(
            sa.func.coalesce(commands.c.edited_to, commands.c.text)
            == sa.bindparam("now", text, commands.c.text.type),
            commands.c.status == CommandStatus.WAITING.value,
        )
        .values(proof=proof)
    )
    return connection.execute(change).rowcount > 0


def _is_over(at: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(IS_PENDING, approvals.c.expires_at <= stamp(at))


def _keep(connection: sa.Connection, approval: Approval, executor: ProcessId | None) -> None:
    its = approvals.c.approval_id == approval.approval_id
    values = {**to_decision(approval), "executor": executor}
    connection.execute(sa.update(approvals).where(its).values(values))
    for number, command in enumerate(approval.commands):
        change = _command(approval.approval_id, number).values(to_command_decision(command))
        connection.execute(change)


def _command(approval_id: ApprovalId, number: int) -> sa.Update:
    return sa.update(commands).where(
        commands.c.approval_id == approval_id, commands.c.number == number
    )
