"""The transactions in which commands, their undos and their checks go on: each by one server."""

import sqlalchemy as sa

from app.adapters.storage import audit_facts
from app.adapters.storage.approval_conditions import has_change, has_check, has_step, has_undo
from app.adapters.storage.approval_rows import BATCH, fetch_approvals
from app.adapters.storage.approval_tables import ME, approvals, commands, is_free
from app.adapters.storage.audit import AuditTrail
from app.domain.errors import Conflict, ObjectBusy
from app.domain.ids import ApprovalId, ProcessId
from app.domain.proof import Verification
from app.domain.review import Approval
from app.domain.review_moves import COMMAND_MOVES, ApprovalStatus, CommandStatus

EXECUTING = CommandStatus.EXECUTING.value
IS_APPROVED = approvals.c.status == ApprovalStatus.APPROVED.value
# Constants, because an index of these alone is not used for a value that comes later.
IS_UNSETTLED = sa.text("commands.status IN ('waiting', 'executing')")
IS_UNDOING = sa.text("commands.undo_status IN ('waiting', 'executing')")
IS_UNSETTLED_ONE = approvals.c.approval_id.in_(
    sa.select(commands.c.approval_id).where(IS_UNSETTLED)
)
IS_UNDOING_ONE = approvals.c.approval_id.in_(sa.select(commands.c.approval_id).where(IS_UNDOING))
HAS_ENDED = ~has_step(CommandStatus.WAITING, CommandStatus.EXECUTING)
HAS_STEPS = sa.and_(IS_UNSETTLED_ONE, IS_APPROVED, has_step(CommandStatus.WAITING))
IS_UNVERIFIED = sa.and_(
    IS_APPROVED,
    approvals.c.verification.is_(None),
    HAS_ENDED,
    sa.or_(
        has_change(CommandStatus.SUCCEEDED, CommandStatus.UNKNOWN),
        has_check(CommandStatus.WAITING, CommandStatus.EXECUTING),
    ),
)
HAS_UNDOS = sa.and_(IS_UNDOING_ONE, IS_APPROVED, HAS_ENDED, has_undo(CommandStatus.WAITING))

# It changes nothing, but nobody else can take the approval until the transaction ends.
HOLD = (
    sa.update(approvals)
    .where(approvals.c.approval_id == sa.bindparam("id"), approvals.c.executor == ME)
    .values(executor=ME)
)
OF_NOBODY_ELSE = sa.exists().where(
    approvals.c.approval_id == commands.c.approval_id, is_free(approvals.c.executor)
)
INTERRUPT = (
    sa.update(commands)
    .where(IS_UNSETTLED, commands.c.status == EXECUTING, OF_NOBODY_ELSE)
    .values(status=CommandStatus.UNKNOWN.value)
    .returning(commands.c.approval_id, commands.c.number)
)
INTERRUPT_UNDO = (
    sa.update(commands)
    .where(IS_UNDOING, commands.c.undo_status == EXECUTING, OF_NOBODY_ELSE)
    .values(undo_status=CommandStatus.UNKNOWN.value)
    .returning(commands.c.approval_id, commands.c.number)
)


class Runs:
    """What one server may do with commands; all of it in somebody's transaction."""

    def __init__(self, me: ProcessId, audit: AuditTrail) -> None:
        """Take this server's own name."""
        self._me = me
        self._audit = audit

    def take(
        self, connection: sa.Connection, condition: sa.ColumnElement[bool]
    ) -> list[tuple[int, Approval]]:
        """Make this server's what no other living one has; all that are its now."""
        change = (
            sa.update(approvals).where(condition, is_free(approvals.c.executor)).values(executor=ME)
        )
        connection.execute(change, {"me": self._me})
        is_mine = sa.and_(condition, approvals.c.executor == self._me)
        return fetch_approvals(connection, is_mine, approvals.c.decided_at.asc(), BATCH)

    def move(
        self,
        connection: sa.Connection,
        approval_id: ApprovalId,
        number: int,
        status: CommandStatus,
        output: str,
    ) -> None:
        """Note a command's next state; raises Conflict or ObjectBusy."""
        self._hold(connection, approval_id)
        if status is CommandStatus.EXECUTING:
            _refuse_busy(connection, approval_id, number)
        change = _command(approval_id, number).where(commands.c.status.in_(_sources(status)))
        if not connection.execute(change.values(status=status, output=output)).rowcount:
            raise Conflict(f"Command {number} of {approval_id} cannot become {status}.")
        fact = audit_facts.moved(approval_id, self._me, number, status, output)
        self._audit.enter(connection, fact)

    def move_undo(
        self,
        connection: sa.Connection,
        approval_id: ApprovalId,
        number: int,
        status: CommandStatus,
        output: str,
    ) -> None:
        """Note the next state of a command's undo; raises Conflict or ObjectBusy."""
        self._hold(connection, approval_id)
        if status is CommandStatus.EXECUTING:
            _refuse_busy(connection, approval_id, number)
        change = _command(approval_id, number).where(commands.c.undo_status.in_(_sources(status)))
        if not connection.execute(change.values(undo_status=status, undo_output=output)).rowcount:
            raise Conflict(f"The undo of command {number} of {approval_id} cannot become {status}.")
        fact = audit_facts.undo_moved(approval_id, self._me, number, status, output)
        self._audit.enter(connection, fact)

    def interrupt(self, connection: sa.Connection, output: str) -> int:
        """Make unknown what this server was executing before, and what dead ones were."""
        me = {"me": self._me}
        ended = connection.execute(INTERRUPT.values(output=output), me).all()
        undone = connection.execute(INTERRUPT_UNDO.values(undo_output=output), me).all()
        unknown = CommandStatus.UNKNOWN
        self._audit.enter(
            connection,
            *(audit_facts.moved(one, self._me, number, unknown, output) for one, number in ended),
            *(
                audit_facts.undo_moved(one, self._me, number, unknown, output)
                for one, number in undone
            ),
        )
        return len(ended) + len(undone)

    def keep_verification(
        self, connection: sa.Connection, approval_id: ApprovalId, verification: Verification
    ) -> bool:
        """Keep the outcome once."""
        change = (
            sa.update(approvals)
            .where(
                approvals.c.approval_id == approval_id,
                approvals.c.executor == self._me,
                approvals.c.verification.is_(None),
                IS_APPROVED,
            )
            .values(verification=verification.model_dump_json())
        )
        if not connection.execute(change).rowcount:
            return False
        self._audit.enter(connection, audit_facts.verified(approval_id, self._me, verification))
        return True

    def _hold(self, connection: sa.Connection, approval_id: ApprovalId) -> None:
        if not connection.execute(HOLD, {"id": approval_id, "me": self._me}).rowcount:
            raise Conflict(f"Approval {approval_id} is another server's to run.")


def _refuse_busy(connection: sa.Connection, approval_id: ApprovalId, number: int) -> None:
    """One command at a time on an object, whichever server runs it."""
    other = commands.alias("other")
    reference = sa.select(commands.c.object_reference).where(
        commands.c.approval_id == approval_id, commands.c.number == number
    )
    busy = sa.select(other.c.object_reference).where(
        sa.or_(other.c.approval_id != approval_id, other.c.number != number),
        sa.or_(other.c.status == EXECUTING, other.c.undo_status == EXECUTING),
        other.c.object_reference == reference.scalar_subquery(),
    )
    if found := connection.execute(busy.limit(1)).scalar():
        raise ObjectBusy(f"Another command runs on {found} now.")


def _sources(status: CommandStatus) -> list[str]:
    return [source.value for source, targets in COMMAND_MOVES.items() if status in targets]


def _command(approval_id: ApprovalId, number: int) -> sa.Update:
    return sa.update(commands).where(
        commands.c.approval_id == approval_id, commands.c.number == number
    )
