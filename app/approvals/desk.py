"""The desk: proposals come in, people decide each of them once."""

import logging
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from app.approvals.changes import Changes, wait_for
from app.approvals.judging import CommandJudge
from app.approvals.ports import ApprovalStore
from app.domain.approval import Decision
from app.domain.errors import Conflict, NotFound
from app.domain.ids import ApprovalId
from app.domain.ports import Clock
from app.domain.review import Approval, ApprovalStatus

PENDING_LIMIT = 25_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IncomingCommand:
    """A command as its proposer words it."""

    text: str
    explanation: str
    safety_level: str


@dataclass(frozen=True, slots=True)
class IncomingProposal:
    """A proposal, parsed and within the limits."""

    action: str
    commands: Sequence[IncomingCommand]
    metadata: Mapping[str, JsonValue]


class AlreadyDecided(Conflict):
    """Somebody else was first."""

    def __init__(self, approval: Approval) -> None:
        """Carry what was decided, by whom and when."""
        super().__init__("Approval request not found")
        self.approval = approval


class ApprovalDesk:
    """Takes proposals and decisions; what it answers is stored."""

    def __init__(
        self,
        store: ApprovalStore,
        judge: CommandJudge,
        clock: Clock,
        changes: Changes,
        *,
        has_cluster: bool,
    ) -> None:
        """Share `changes` with the execution and the reports, which go on after a decision."""
        self._store = store
        self._judge = judge
        self._clock = clock
        self._changes = changes
        self._is_closing = False
        self.has_cluster = has_cluster

    async def propose(self, proposal: IncomingProposal, idempotency_key: str | None) -> ApprovalId:
        """Keep a proposal once per key; raises TooBusy."""
        namespace = namespace_of(proposal.metadata)
        approval = Approval(
            approval_id=ApprovalId(secrets.token_hex(16)),
            action=proposal.action,
            commands=tuple(
                self._judge.review(
                    command.text, command.explanation, command.safety_level, namespace
                )
                for command in proposal.commands
            ),
            metadata=proposal.metadata,
            proposed_at=self._clock.now(),
        )
        approval_id = await self._store.create(approval, idempotency_key, PENDING_LIMIT)
        if approval_id == approval.approval_id:
            log.info("approval proposed", extra={"approval_id": approval_id})
            self._changes.announce()
        return approval_id

    async def decide(
        self,
        approval_id: ApprovalId,
        decision: Decision,
        *,
        reviewer: str | None = None,
        reason: str | None = None,
    ) -> Approval:
        """Decide once; raises NotFound or AlreadyDecided."""
        approval = await self.get(approval_id)
        if approval.status is not ApprovalStatus.PENDING:
            raise AlreadyDecided(approval)
        decided = approval.decide(decision, reviewer, reason, self._clock.now())
        if not self.has_cluster:
            decided = decided.without_cluster()
        if not await self._store.decide(decided):
            raise AlreadyDecided(await self.get(approval_id))
        log.info("approval decided", extra={"approval_id": approval_id, "decision": decision.value})
        self._changes.announce()
        return decided

    async def get(self, approval_id: ApprovalId) -> Approval:
        """One approval; raises NotFound."""
        approval = await self._store.get(approval_id)
        if approval is None:
            raise NotFound("Approval request not found")
        return approval

    async def pending(self) -> Sequence[Approval]:
        """All that wait for a decision, oldest first."""
        return await self._store.pending()

    async def page(
        self, statuses: Collection[ApprovalStatus], before: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Those in one of the statuses, newest first, and the cursor of the next page, None at the end."""
        return await self._store.page(statuses, before, limit)

    async def wait_until_settled(self, approval_id: ApprovalId, deadline: datetime) -> Approval:
        """The approval once it is settled, or as it is at the deadline or when the server stops."""
        while True:
            changed = self._changes.next
            approval = await self.get(approval_id)
            left = deadline - self._clock.now()
            if approval.is_settled or self._is_closing or left.total_seconds() <= 0:
                return approval
            await wait_for(changed, left)

    def close(self) -> None:
        """End everybody's wait, because the process stops; proposals stay."""
        self._is_closing = True
        self._changes.announce()


def namespace_of(metadata: Mapping[str, JsonValue]) -> str | None:
    """The namespace a proposal is about, for commands that name none."""
    namespace = metadata.get("namespace")
    return namespace if isinstance(namespace, str) and namespace else None
