"""The transactions in which commands, their undos and their checks go on: each by one server."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import sqlalchemy as sa

from app.adapters.storage import audit_facts
from app.adapters.storage.approval_conditions import (
    has_any,
    has_change,
    has_check,
    has_step,
    has_undo,
)
from app.adapters.storage.approval_rows import BATCH, fetch_approvals
from app.adapters.storage.approval_tables import ME, approvals, commands, is_free
from app.adapters.storage.audit import AuditTrail
from app.domain.errors import Conflict, ObjectBusy
from app.domain.ids import ApprovalId, ProcessId
from app.domain.proof import LeftState, Proof, Recovery, Verification
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
IS_CUT_OFF = sa.and_(
    sa.or_(
        sa.and_(IS_UNSETTLED_ONE, has_any(CommandStatus.EXECUTING)),
        sa.and_(IS_UNDOING_ONE, has_undo(CommandStatus.EXECUTING)),
    ),
    is_free(approvals.c.executor),
)


@dataclass(frozen=True, slots=True)
class Step:
    """A command's next state, or its undo's."""

    approval_id: ApprovalId
    number: int
    status: CommandStatus
    output: str
    left: LeftState | None = None

    @property
    def command(self) -> sa.Update:
        """The change of its row."""
        return _command(self.approval_id, self.number)

    @property
    def words(self) -> str:
        """What it would do."""
        return f"become {self.status}"


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

    def move(self, connection: sa.Connection, step: Step) -> None:
        """Note a command's next state; raises Conflict or ObjectBusy."""
        self._begin(connection, step)
        change = step.command.where(commands.c.status.in_(_sources(step.status)))
        values = {"status": step.status, "output": step.output}
        if not connection.execute(change.values(values)).rowcount:
            raise Conflict(f"Command {step.number} of {step.approval_id} cannot {step.words}.")
        _keep_left(connection, step)
        fact = audit_facts.moved(step.approval_id, self._me, step.number, step.status, step.output)
        self._audit.enter(connection, fact)

    def move_undo(self, connection: sa.Connection, step: Step) -> None:
        """Note the next state of a command's undo; raises Conflict or ObjectBusy."""
        self._begin(connection, step)
        change = step.command.where(commands.c.undo_status.in_(_sources(step.status)))
        values = {"undo_status": step.status, "undo_output": step.output}
        if not connection.execute(change.values(values)).rowcount:
            raise Conflict(
                f"The undo of command {step.number} of {step.approval_id} cannot {step.words}."
            )
        _keep_left(connection, step)
        fact = audit_facts.undo_moved(
            step.approval_id, self._me, step.number, step.status, step.output
        )
        self._audit.enter(connection, fact)

    def interrupt(
        self,
        connection: sa.Connection,
        words: Callable[[Approval, int], str],
        spared: Collection[ApprovalId],
    ) -> int:
        """Make unknown what this server was executing before, and what dead ones were."""
        found = fetch_approvals(connection, IS_CUT_OFF, approvals.c.position.asc(), me=self._me)
        unknown, count = CommandStatus.UNKNOWN, 0
        for approval in (each for _, each in found if each.approval_id not in spared):
            one = approval.approval_id
            for number, command in enumerate(approval.commands):
                if CommandStatus.EXECUTING not in {command.status, command.undo_status}:
                    continue
                output = words(approval, number)
                if command.status is CommandStatus.EXECUTING:
                    values: dict[str, str] = {"status": unknown, "output": output}
                    fact = audit_facts.moved(one, self._me, number, unknown, output)
                else:
                    values = {"undo_status": unknown, "undo_output": output}
                    fact = audit_facts.undo_moved(one, self._me, number, unknown, output)
                connection.execute(_command(one, number).values(values))
                self._audit.enter(connection, fact)
                count += 1
        return count

    def keep_verification(
        self, connection: sa.Connection, approval_id: ApprovalId, verification: Verification
    ) -> bool:
        """Keep the outcome once; not that it helped when it is being taken back."""
        is_good = verification.recovery is Recovery.RECOVERED
        change = (
            sa.update(approvals)
            .where(
                approvals.c.approval_id == approval_id,
                approvals.c.executor == self._me,
                approvals.c.verification.is_(None),
                IS_APPROVED,
                approvals.c.undone_at.is_(None) if is_good else sa.true(),
            )
            .values(verification=verification.model_dump_json())
        )
        if not connection.execute(change).rowcount:
            return False
        self._audit.enter(connection, audit_facts.verified(approval_id, self._me, verification))
        return True

    def _begin(self, connection: sa.Connection, step: Step) -> None:
        self._hold(connection, step.approval_id)
        if step.status is CommandStatus.EXECUTING:
            _refuse_busy(connection, step.approval_id, step.number)

    def _hold(self, connection: sa.Connection, approval_id: ApprovalId) -> None:
        if not connection.execute(HOLD, {"id": approval_id, "me": self._me}).rowcount:
            raise Conflict(f"Approval {approval_id} is another server's to run.")


def _keep_left(connection: sa.Connection, step: Step) -> None:
    """How the object was left stands on the card of its command."""
    if step.left is None:
        return
    its = sa.select(commands.c.proof).where(
        commands.c.approval_id == step.approval_id, commands.c.number == step.number
    )
    if text := connection.execute(its).scalar():
        proof = Proof.model_validate_json(text).model_copy(update={"left": step.left})
        connection.execute(step.command.values(proof=proof.model_dump_json()))


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
