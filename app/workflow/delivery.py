"""Getting proposals to the approval server: stored first, sent until it has them, each once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from app.domain.approval import OutgoingProposal
from app.domain.errors import (
    AppError,
    ApprovalGateFailed,
    NotFound,
    ProposalDeclined,
    ProposalRefused,
    StorageFailed,
)
from app.domain.ids import ApprovalId
from app.domain.ports import ApprovalGate, ProposalOutbox
from app.learning.recorder import FeedbackRecorder
from app.observability.metrics import Metrics
from app.workflow.reactions import Reactions

log = logging.getLogger(__name__)

FIRST_TRIES_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""An approval server that is starting beside us answers within these."""
RETRY_SECONDS = (5.0, 15.0, 60.0, 300.0)
LEASE_SECONDS = 60.0
"""Longer than one attempt may take, so that two processes never send at once."""
BATCH = 1000
CATCH_UP = 200
"""The newest workflows that are looked at when a process starts."""

Pause = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class ProposalDelivery:
    """Sends what the outbox holds, and links the answer to its feedback."""

    gate: ApprovalGate
    outbox: ProposalOutbox
    feedback: FeedbackRecorder
    reactions: Reactions
    metrics: Metrics
    patience_seconds: float = 15.0
    """For one submission, every try included: a workflow's other plans wait meanwhile."""
    pause: Pause = asyncio.sleep
    """How `run` waits between its rounds, in seconds."""
    _sending: set[str] = field(default_factory=set)
    _attended: set[str] = field(default_factory=set)
    """Somebody waits for these and is to hear the server's own reason."""

    async def submit(self, proposal: OutgoingProposal) -> ApprovalId:
        """Store and send, unless it was sent; raises ApprovalGateFailed, and `run` goes on trying."""
        try:
            async with asyncio.timeout(self.patience_seconds):
                return await self._deliver_patiently(proposal)
        except TimeoutError as error:
            raise ApprovalGateFailed(
                f"The approval server did not answer within {self.patience_seconds:.0f} s;"
                " the proposal is kept and will be tried again."
            ) from error

    async def run(self) -> None:
        """Send what could not be sent before, for as long as the process lives."""
        await self._catch_up()
        failures = 0
        while True:
            failures = 0 if await self._deliver_waiting() else failures + 1
            await self.pause(RETRY_SECONDS[min(max(failures - 1, 0), len(RETRY_SECONDS) - 1)])

    async def _deliver_patiently(self, proposal: OutgoingProposal) -> ApprovalId:
        self._attended.add(proposal.key)
        try:
            for pause in FIRST_TRIES_SECONDS[1:]:
                try:
                    return await self._deliver(proposal)
                except ProposalDeclined:
                    raise
                except ApprovalGateFailed:
                    await asyncio.sleep(pause)
            return await self._deliver(proposal)
        finally:
            self._attended.discard(proposal.key)

    async def _deliver_waiting(self) -> bool:
        try:
            delivered = [await self._is_delivered(one) for one in await self._waiting()]
        except AppError as error:
            log.warning("proposals wait for the approval server", extra={"reason": str(error)})
            return False
        return all(delivered)

    async def _waiting(self) -> list[OutgoingProposal]:
        waiting = await self.outbox.undelivered(BATCH)
        busy = self._sending | self._attended
        return [proposal for proposal in waiting if proposal.key not in busy]

    async def _is_delivered(self, proposal: OutgoingProposal) -> bool:
        """One that is not taken must not hold up those behind it."""
        try:
            await self._deliver(proposal)
        except ProposalRefused as error:
            log.warning("a proposal waits", extra={"key": proposal.key, "reason": str(error)})
            return False
        return True

    async def _deliver(self, proposal: OutgoingProposal) -> ApprovalId:
        """Its approval, asked for once: not every server knows a proposal that comes again."""
        if proposal.key in self._sending:
            raise ApprovalGateFailed("The proposal is on its way already.")
        self._sending.add(proposal.key)
        try:
            known = await self.outbox.put(proposal)
            return known or await self._send_alone(proposal)
        finally:
            self._sending.discard(proposal.key)

    async def _send_alone(self, proposal: OutgoingProposal) -> ApprovalId:
        if not await self.outbox.lease(proposal.key, LEASE_SECONDS):
            raise ApprovalGateFailed("Another process is sending the proposal.")
        try:
            return await self._send(proposal)
        finally:
            await self.outbox.release(proposal.key)

    async def _send(self, proposal: OutgoingProposal) -> ApprovalId:
        try:
            approval_id = await self.gate.propose(proposal.proposal, proposal.key)
        except ProposalDeclined as error:
            await self._give_up(proposal, error)
            raise
        except ApprovalGateFailed:
            self.metrics.proposal_failed()
            raise
        self.metrics.proposal_submitted()
        texts = [command.command for command in proposal.proposal.commands]
        try:
            await self.feedback.link(proposal.feedback_id, approval_id, texts)
        except NotFound:
            # Somebody took the feedback file away: asking again would only queue it again.
            log.exception("a proposal has no feedback record", extra={"key": proposal.key})
        await self.outbox.delivered(proposal.key, approval_id)
        await self.reactions.note(proposal.workflow_id)
        return approval_id

    async def _give_up(self, proposal: OutgoingProposal, error: ProposalDeclined) -> None:
        """Say so where people and later plans see it, and never ask again."""
        self.metrics.proposal_failed()
        log.error("a proposal is declined", extra={"key": proposal.key, "reason": str(error)})
        with suppress(NotFound):  # somebody took the feedback file away
            await self.feedback.decline(proposal.feedback_id, str(error))
        await self.outbox.declined(proposal.key, str(error))
        await self.reactions.note(proposal.workflow_id)

    async def _catch_up(self) -> None:
        """A process that died may have noted what was reported, and not told the workflow."""
        try:
            for workflow_id in await self.outbox.undecided(CATCH_UP):
                await self.reactions.note(workflow_id)
        except StorageFailed as error:
            log.warning("workflows wait for their reactions", extra={"reason": str(error)})
