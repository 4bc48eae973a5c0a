"""The last look before something runs: is the cluster as it was when it was approved?"""

from collections.abc import Collection, Mapping

from app.approvals.judging import CommandJudge
from app.approvals.ports import ApprovalStore, Proving
from app.approvals.undo_look import undo_target
from app.approvals.voiding import Voiding
from app.domain.approval import CommandDecision
from app.domain.errors import ClusterFailed
from app.domain.proof import LeftState, ProofState
from app.domain.review import RUNS, Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus
from app.kubectl.cluster_object import Target
from app.kubectl.command import ParsedCommand
from app.kubectl.left_state import left_state
from app.kubectl.targets import targets


class Readiness:
    """Voids a decision about what is there no more, and knows the undo of what is to run."""

    def __init__(
        self, store: ApprovalStore, judge: CommandJudge, proving: Proving, voiding: Voiding
    ) -> None:
        """What the cluster says is kept in the store."""
        self._store = store
        self._judge = judge
        self._proving = proving
        self._voiding = voiding

    async def holds(self, approval: Approval) -> bool:
        """Whether it may begin, or has begun; else the decision is void. Raises ClusterFailed."""
        if any(command.has_begun for command in approval.commands):
            return True
        shown = _versions_decided(approval)
        now = await self._proving.versions(shown)
        differing = [reference for reference in shown if now.get(reference) != shown[reference]]
        if not differing:
            return True
        names = ", ".join(Target.of_reference(reference).short for reference in differing)
        is_gone = all(now.get(reference) is None for reference in differing)
        words = "is gone" if is_gone else "changed"
        await self._voiding.void(approval, f"{names} {words} after the decision; decide again.")
        return False

    async def refusal(self, command: ParsedCommand) -> str | None:
        """Why the labels of what it would change forbid it; raises ClusterFailed."""
        return await self._proving.refusal(command)

    async def prove(
        self,
        approval: Approval,
        number: int,
        parsed: ParsedCommand,
        touched: Collection[str | None],
    ) -> None:
        """Keep how it is taken back, as the cluster is now; raises ClusterFailed.

        What was kept when it was proposed holds for its own text alone, and as long as no command
        before it touched the same object.
        """
        command = approval.commands[number]
        is_edited = command.decision is CommandDecision.EDITED
        is_touched = command.object_reference in touched
        is_known = command.proof is not None and command.proof.state is not ProofState.UNREACHABLE
        if is_known and not is_edited and not is_touched:
            return
        proof = await self._proving.prove(parsed)
        if proof.state is ProofState.UNREACHABLE:
            raise ClusterFailed(proof.sentence)
        await self._store.keep_proof(approval.approval_id, number, command.effective_text, proof)

    async def left(self, command: ReviewedCommand, parsed: ParsedCommand) -> LeftState | None:
        """How a command has left its one object; None when nobody can look."""
        named = targets(parsed)
        target = undo_target(command) or (named[0] if len(named) == 1 else None)
        if target is None or not command.is_change:
            return None
        try:
            return left_state(target, await self._proving.look_at(target))
        except ClusterFailed:
            return None


def _versions_decided(approval: Approval) -> Mapping[str, str]:
    """By object the version that the decision is about."""
    return {
        reference: version
        for command in approval.commands
        if command.status is CommandStatus.WAITING and command.decision in RUNS
        if command.proof is not None
        for reference, version in command.proof.versions.items()
    }
