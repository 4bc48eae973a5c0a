"""Compares what a reviewer saw of the cluster with what is there now."""

from collections.abc import Mapping

from app.approvals.judging import CommandJudge
from app.approvals.ports import ApprovalStore, Proving
from app.approvals.proposing import namespace_of
from app.approvals.running import Running
from app.approvals.undo_look import UndoLook
from app.domain.errors import ClusterFailed, Conflict, ExternalFailed
from app.domain.ids import ApprovalId
from app.domain.proof import ProofState
from app.domain.review import Approval

NOT_SEEN = (
    "Nothing was decided: the cluster does not say what the commands would change. Try again."
)


class Looking:
    """Without a cluster nothing is looked at, and nothing ever differs."""

    def __init__(
        self,
        store: ApprovalStore,
        judge: CommandJudge,
        proving: Proving | None,
        running: Running,
        *,
        has_cluster: bool,
    ) -> None:
        """Keep what is seen in the store; `has_cluster` says whether commands can run."""
        self._store = store
        self._judge = judge
        self._proving = proving
        self._running = running
        self.has_cluster = has_cluster
        self.before_undo = UndoLook(proving, running)
        self._looked_at: set[ApprovalId] = set()

    async def differs(self, approval: Approval) -> bool:
        """Whether an object is another one than was shown; raises ClusterFailed."""
        shown = versions_shown(approval)
        if self._proving is None or not shown:
            return False
        try:
            now = await self._proving.versions(shown)
        except ExternalFailed as error:
            raise ClusterFailed(
                f"Nothing was decided, for the cluster cannot be asked: {error}"
            ) from error
        return any(now.get(reference) != version for reference, version in shown.items())

    def lacks(self, approval: Approval) -> bool:
        """Whether somebody would decide about what nobody has looked at in the cluster."""
        if self._proving is None:
            return False
        proofs = (command.proof for command in approval.commands if not command.is_refused)
        return any(proof is None or proof.state is ProofState.UNREACHABLE for proof in proofs)

    async def refuse_unseen(self, approval: Approval) -> None:
        """Raise ClusterFailed where commands would run on what the cluster did not show."""
        if self.lacks(approval) and not await self._running.obstacle():
            raise ClusterFailed(NOT_SEEN)

    async def what_follows(self, approval: Approval) -> str:
        """What becomes of what was approved, to be said after "Approved"."""
        return await self._running.what_follows(approval)

    def is_at(self, approval: Approval) -> bool:
        """Whether it is being looked at now."""
        return approval.approval_id in self._looked_at

    async def look(self, approval: Approval) -> None:
        """Ask the cluster about each command and keep its answers; raises Conflict, ClusterFailed."""
        if approval.approval_id in self._looked_at:
            raise Conflict("The cluster is being looked at already; ask again in a few seconds.")
        self._looked_at.add(approval.approval_id)
        try:
            await self._look(approval)
        except ExternalFailed as error:
            raise ClusterFailed(str(error)) from error
        finally:
            self._looked_at.discard(approval.approval_id)

    async def _look(self, approval: Approval) -> None:
        if self._proving is None:
            return
        namespace = namespace_of(approval.metadata)
        for number, command in enumerate(approval.commands):
            if command.is_refused:
                continue
            parsed = self._judge.runnable(command.effective_text, namespace)
            proof = await self._proving.prove(parsed)
            await self._store.keep_proof(
                approval.approval_id, number, command.effective_text, proof
            )


def versions_shown(approval: Approval) -> Mapping[str, str]:
    """By object the resourceVersion that reviewers were shown."""
    proofs = (command.proof for command in approval.commands if not command.is_refused)
    return {
        reference: version
        for proof in proofs
        if proof is not None
        for reference, version in proof.versions.items()
    }
