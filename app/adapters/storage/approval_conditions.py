"""What may be asked of an approval's commands in a statement about approvals."""

import sqlalchemy as sa

from app.adapters.storage.approval_tables import approvals, commands
from app.domain.plan import Phase
from app.domain.review_moves import CommandStatus

its = commands.alias("its")
IS_CHECK = its.c.phase == Phase.VERIFY.value
IS_CHANGE = its.c.policy_risk.not_in(["", "SAFE"])


def has_any(*statuses: CommandStatus) -> sa.ColumnElement[bool]:
    """Whether it has a command in one of the states, later checks included."""
    return _has(its.c.status.in_(_values(*statuses)))


def has_step(*statuses: CommandStatus) -> sa.ColumnElement[bool]:
    """Whether it has a command in one of the states that is no later check."""
    return _has(its.c.status.in_(_values(*statuses)), ~IS_CHECK)


def has_check(*statuses: CommandStatus) -> sa.ColumnElement[bool]:
    """Whether it has a later check in one of the states."""
    return _has(its.c.status.in_(_values(*statuses)), IS_CHECK)


def has_change(*statuses: CommandStatus) -> sa.ColumnElement[bool]:
    """Whether it has a command in one of the states that can change the cluster."""
    return _has(its.c.status.in_(_values(*statuses)), ~IS_CHECK, IS_CHANGE)


def has_undo(*statuses: CommandStatus) -> sa.ColumnElement[bool]:
    """Whether the undo of one of its commands is in one of the states."""
    return _has(its.c.undo_status.in_(_values(*statuses)))


def lacks_proof() -> sa.ColumnElement[bool]:
    """Whether the cluster was not asked about one of its commands yet."""
    return _has(its.c.proof.is_(None), its.c.is_refused == 0)


def _has(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(its.c.approval_id == approvals.c.approval_id, *conditions)


def _values(*statuses: CommandStatus) -> list[str]:
    return [status.value for status in statuses]
