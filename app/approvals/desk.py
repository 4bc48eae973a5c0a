"""The desk: proposals come in, people decide each of them once."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from app.approvals.changes import Changes, wait_for
from app.approvals.judging import CommandJudge
from app.approvals.looking import Looking
from app.approvals.ports import ApprovalStore
from app.approvals.proposing import IncomingProposal, to_approval
from app.approvals.ruling import (
    IncomingDecision,
    discreet,
    reason_of,
    reject_each,
    rejects_all,
    rule,
)
from app.approvals.undo_look import refuse_without_undo
from app.domain.approval import Decision
from app.domain.errors import Conflict, NotFound
from app.domain.ids import ApprovalId
from app.domain.ports import Clock
from app.domain.review import Approval
from app.domain.review_moves import ApprovalStatus
from app.security.words import name_without_secrets

PENDING_LIMIT = 25_000
ATTEMPTS = 3

CARDS_WITHIN = timedelta(seconds=20)
NOT_SEEN = (
    "Nothing was decided: the cluster does not say what the commands would change. Try again."
)
OUTDATED = "Nothing was decided: the request has changed since it was looked at. Look again."
CHANGED = "Nothing was decided: the cluster has changed since it was looked at. Look again."

log = logging.getLogger(__name__)


class AlreadyDecided(Conflict):
    """Somebody else was first, or it was too late."""

    def __init__(self, approval: Approval) -> None:
        """Carry what was decided, by whom and when."""
        super().__init__("Approval request not found")
        self.approval = approval


class DecisionVoid(Conflict):
    """The decision was about something else than what is there now."""

    def __init__(self, sentence: str, approval: Approval) -> None:
        """Carry the request as it is now."""
        super().__init__(sentence)
        self.approval = approval


class ApprovalDesk:
    """Takes proposals and decisions; what it answers is stored."""

    def __init__(
        self,
        store: ApprovalStore,
        judge: CommandJudge,
        clock: Clock,
        changes: Changes,
        looking: Looking,
        expiry: timedelta,
    ) -> None:
        """Share `changes` with the execution and the reports, which go on after a decision."""
        self._store = store
        self._judge = judge
        self._clock = clock
        self._changes = changes
        self._looking = looking
        self._is_closing = False
        self.has_cluster = looking.has_cluster
        self.expiry = expiry

    async def propose(self, proposal: IncomingProposal, idempotency_key: str | None) -> ApprovalId:
        """Keep a proposal once per key; raises TooBusy, KeyReused."""
        now = self._clock.now()
        approval = to_approval(proposal, self._judge, now, now + self.expiry)
        approval_id = await self._store.create(approval, idempotency_key, PENDING_LIMIT)
        if approval_id == approval.approval_id:
            log.info("approval proposed", extra={"approval_id": approval_id})
            self._changes.announce()
        return approval_id

    async def decide(self, approval_id: ApprovalId, incoming: IncomingDecision) -> Approval:
        """Decide once; raises NotFound, AlreadyDecided, DecisionVoid, InvalidField, ClusterFailed."""
        incoming = await asyncio.to_thread(discreet, incoming)
        for _ in range(ATTEMPTS):
            approval = await self._ready(approval_id, incoming)
            decided = self._decided(approval, incoming)
            await self._refuse_outdated(approval, incoming)
            if await self._store.decide(decided):
                facts = {"approval_id": approval_id, "decision": decided.status.value}
                log.info("approval decided", extra=facts)
                self._changes.announce()
                return decided
        raise DecisionVoid(OUTDATED, await self._undecided(approval_id))

    async def refresh(self, approval_id: ApprovalId) -> Approval:
        """The request after another look at the cluster; raises NotFound, Conflict, ClusterFailed."""
        approval = await self.get(approval_id)
        if approval.status is ApprovalStatus.PENDING:
            await self._looking.look(approval)
            self._changes.announce()
        return await self.get(approval_id)

    async def undo(
        self, approval_id: ApprovalId, reviewer: str | None, *, is_confirmed: bool = False
    ) -> Approval:
        """Have taken back once what can be; raises NotFound, Conflict, UndoUnsure, ClusterFailed.

        Confirmed, what others did to the objects until now is overwritten.
        """
        approval = await self.get(approval_id)
        refuse_without_undo(approval)
        begun = approval.begin_undo(name_without_secrets(reviewer), self._clock.now())
        begun = await self._looking.before_undo.as_seen(begun, is_confirmed=is_confirmed)
        if not await self._store.begin_undo(begun, is_confirmed=is_confirmed):
            raise Conflict("The undo of this request was begun already.")
        log.info("undo begun", extra={"approval_id": approval_id})
        self._changes.announce()
        return begun

    async def what_follows(self, approval: Approval) -> str:
        """What becomes of what was approved, to be said after "Approved"."""
        return await self._looking.what_follows(approval)

    async def get(self, approval_id: ApprovalId) -> Approval:
        """One approval; raises NotFound."""
        approval = await self._store.get(approval_id)
        if approval is None:
            raise NotFound("Approval request not found")
        return approval

    async def pending(self) -> Sequence[Approval]:
        """All that wait for a decision, oldest first."""
        return await self._store.pending()

    async def pending_page(
        self, after: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Some that wait for a decision, oldest first, and the cursor of the next page."""
        return await self._store.pending_page(after, limit)

    async def pending_count(self) -> int:
        """How many wait for a decision."""
        return await self._store.pending_count()

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

    async def _undecided(self, approval_id: ApprovalId) -> Approval:
        """The request, when it can still be decided."""
        approval = await self.get(approval_id)
        if approval.is_overdue(self._clock.now()):
            await self._store.expire(self._clock.now())
            self._changes.announce()
            approval = await self.get(approval_id)
        if approval.status is not ApprovalStatus.PENDING:
            raise AlreadyDecided(approval)
        return approval

    async def _ready(self, approval_id: ApprovalId, incoming: IncomingDecision) -> Approval:
        """The request with its cards: an approval is bound to what the cluster is now."""
        until = self._clock.now() + CARDS_WITHIN
        while True:
            changed = self._changes.next
            approval = await self._undecided(approval_id)
            if incoming.decision is Decision.REJECTED or not self._looking.lacks(approval):
                return approval
            left = until - self._clock.now()
            if self._looking.is_at(approval) and left.total_seconds() > 0:
                await wait_for(changed, left)
                continue
            await self._looking.look(approval)
            approval = await self._undecided(approval_id)
            await self._looking.refuse_unseen(approval)
            return approval

    def _decided(self, approval: Approval, incoming: IncomingDecision) -> Approval:
        now = self._clock.now()
        if rejects_all(approval, incoming):
            commands, reason = reject_each(approval, incoming), reason_of(incoming)
            return approval.decide(Decision.REJECTED, incoming.reviewer, reason, now, commands)
        commands = rule(approval, incoming, self._judge)
        decided = approval.decide(Decision.APPROVED, incoming.reviewer, None, now, commands)
        return decided if self.has_cluster else decided.without_cluster()

    async def _refuse_outdated(self, approval: Approval, incoming: IncomingDecision) -> None:
        approval_id = approval.approval_id
        if incoming.seen is not None and incoming.seen != approval.version:
            await self._store.note_void(approval_id, incoming.reviewer, OUTDATED)
            raise DecisionVoid(OUTDATED, approval)
        if incoming.decision is Decision.REJECTED or not await self._looking.differs(approval):
            return
        await self._looking.look(approval)
        await self._store.note_void(approval_id, incoming.reviewer, CHANGED)
        self._changes.announce()
        raise DecisionVoid(CHANGED, await self._undecided(approval_id))
