"""The look before an undo: is each object still what the commands left?"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from app.approvals.attempt import touched_by, what_to_check
from app.approvals.ports import Proving
from app.approvals.proposing import namespace_of
from app.approvals.running import Running
from app.domain.errors import ClusterFailed, Conflict
from app.domain.proof import LeftState, UndoKind
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus
from app.kubectl.cluster_object import ClusterObject, Target
from app.kubectl.left_state import changed_since, left_state
from app.kubectl.parser import parse
from app.kubectl.targets import targets
from app.kubectl.words import UnparseableCommand

ANYWAY = (
    "Nothing was taken back. To undo it nevertheless, confirm it (`confirm: true`; in the terminal"
    " `--confirm`)."
)


class UndoUnsure(Conflict):
    """An undo could destroy what somebody else did, or take back what never was: a person decides."""


class UndoLook:
    """Knows what would be overwritten; it changes nothing."""

    def __init__(self, proving: Proving | None, running: Running) -> None:
        """Without `proving` there is no cluster."""
        self._proving = proving
        self._running = running

    async def as_seen(self, begun: Approval, *, is_confirmed: bool) -> Approval:
        """The approval whose undo begins, bound to the objects as they are now.

        Raises Conflict when nothing could run, UndoUnsure, and ClusterFailed when nobody can look.
        """
        await self._refuse_idle(begun)
        doubts = [*_unsure(begun)]
        seen = begun
        for number, target in _to_be_undone(begun):
            found = await self._look(target)
            doubts += _doubts(begun, number, target, found)
            seen = _with_left(seen, left_state(target, found))
        if doubts and not is_confirmed:
            raise UndoUnsure(f"{' '.join(dict.fromkeys(doubts))} {ANYWAY}")
        return seen

    async def obstacle(self, approval: Approval, number: int) -> str | None:
        """What was changed since the undo was asked for; raises ClusterFailed."""
        target = undo_target(approval.commands[number])
        if target is None:
            return None
        doubts = [*_doubts(approval, number, target, await self._look(target))]
        return f"Not taken back: {' '.join(doubts)}" if doubts else None

    async def left(self, command: ReviewedCommand) -> LeftState | None:
        """How an undo has left its object; None when nobody can look."""
        target = undo_target(command)
        try:
            return left_state(target, await self._look(target)) if target else None
        except ClusterFailed:
            return None

    async def _refuse_idle(self, begun: Approval) -> None:
        obstacle = await self._running.obstacle()
        commands = (begun.commands[number] for number, _ in _to_be_undone(begun))
        reasons = (self._running.why_not_run(command) for command in commands)
        if obstacle or (obstacle := next((reason for reason in reasons if reason), None)):
            raise Conflict(f"Nothing was taken back: {obstacle}")

    async def _look(self, target: Target) -> ClusterObject | None:
        if self._proving is None:
            raise ClusterFailed("Nothing was taken back: no cluster is configured.")
        try:
            return await self._proving.look_at(target)
        except ClusterFailed as error:
            raise ClusterFailed(
                f"Nothing was taken back, for the cluster does not show {target.short}: {error}"
            ) from error


def refuse_without_undo(approval: Approval) -> None:
    """Raise Conflict where no undo is kept, and a command may have run nevertheless."""
    unsure = [*_unsure(approval)]
    if unsure and approval.undone_at is None and not approval.can_undo:
        raise Conflict(f"There is nothing to undo: no way back is kept. {' '.join(unsure)}")


def undo_target(command: ReviewedCommand) -> Target | None:
    """The object that the command's undo changes; None where it has none."""
    proof = command.proof
    if proof is None or proof.undo.kind is UndoKind.NONE:
        return None
    if proof.undo.kind is UndoKind.COMMAND:
        with suppress(UnparseableCommand):
            return targets(parse(proof.undo.command))[0]
    reference = proof.object.reference if proof.object else command.object_reference
    return Target.of_reference(reference) if reference else None


def _unsure(approval: Approval) -> Iterator[str]:
    namespace = namespace_of(approval.metadata)
    for number, command in enumerate(approval.commands, start=1):
        if command.is_unsure:
            look = what_to_check(touched_by(command, namespace))
            yield f"Command {number} may have run or not, as nobody saw how it ended.{look}."


def _to_be_undone(approval: Approval) -> Iterator[tuple[int, Target]]:
    for number, command in enumerate(approval.commands):
        target = undo_target(command)
        if command.undo_status is CommandStatus.WAITING and target is not None:
            yield number, target


def _doubts(
    approval: Approval, number: int, target: Target, found: ClusterObject | None
) -> Iterator[str]:
    command = approval.commands[number]
    assert command.proof is not None
    undo = command.proof.undo
    if undo.kind is UndoKind.RECREATE:
        if found is not None:
            yield f"{target.short} is there again since command {number + 1} ran."
        return
    left = _latest_left(approval, target.reference)
    if left is None:
        if not command.is_unsure:
            yield (
                f"It is not known whether somebody changed {target.short} since command"
                f" {number + 1} ran.{what_to_check([target])}."
            )
    elif changes := changed_since(left, found, undo.fields):
        yield (
            f"{target.short} was changed since command {number + 1} ran, and the undo would"
            f" overwrite that: {', '.join(changes)}."
        )


def _latest_left(approval: Approval, reference: str) -> LeftState | None:
    """By what this approval did to the object last: undos go from the last command to the first."""
    touching = [one for one in approval.commands if _touches(one, reference)]
    undone = [one for one in touching if one.undo_status is CommandStatus.SUCCEEDED]
    last = undone[0] if undone else touching[-1] if touching else None
    return last.proof.left if last and last.proof else None


def _touches(command: ReviewedCommand, reference: str) -> bool:
    is_done = command.status is CommandStatus.SUCCEEDED or command.undo_status is not None
    if not command.is_change or not is_done:
        return False
    target = undo_target(command)
    return reference in {command.object_reference, target.reference if target else None}


def _with_left(approval: Approval, left: LeftState) -> Approval:
    """Every command that touched the object is bound to how it is now."""
    commands = tuple(
        replace(one, proof=one.proof.model_copy(update={"left": left}))
        if one.proof and _touches(one, left.reference)
        else one
        for one in approval.commands
    )
    return replace(approval, commands=commands)
