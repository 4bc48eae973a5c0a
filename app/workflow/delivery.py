"""Getting proposals to the approval server: stored first, sent until it has them, each once."""

import asyncio
import logging
from dataclasses import dataclass, field

from app.domain.approval import OutgoingProposal
from app.domain.errors import ApprovalGateFailed, StorageFailed
from app.domain.ids import ApprovalId
from app.domain.ports import ApprovalGate, ProposalOutbox
from app.learning.recorder import FeedbackRecorder
from app.observability.metrics import Metrics

log = logging.getLogger(__name__)

FIRST_TRIES_SECONDS = (0.0, 0.5, 1.0, 2.0, 4.0)
"""An approval server that is starting beside us answers within these."""
RETRY_SECONDS = (5.0, 15.0, 60.0, 300.0)
BATCH = 100


@dataclass(slots=True)
class ProposalDelivery:
    """Sends what the outbox holds, and links the answer to its feedback."""

    gate: ApprovalGate
    outbox: ProposalOutbox
    feedback: FeedbackRecorder
    metrics: Metrics
    _sending: set[str] = field(default_factory=set)

    async def submit(self, proposal: OutgoingProposal) -> ApprovalId:
        """Store and send; raises ApprovalGateFailed, and then `run` goes on trying."""
        self._sending.add(proposal.key)
        try:
            await self.outbox.put(proposal)
            return await self._send_patiently(proposal)
        finally:
            self._sending.discard(proposal.key)

    async def run(self) -> None:
        """Send what could not be sent before, for as long as the process lives."""
        failures = 0
        while True:
            await asyncio.sleep(RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)])
            failures = 0 if await self._send_waiting() else failures + 1

    async def _send_waiting(self) -> bool:
        try:
            for proposal in await self.outbox.undelivered(BATCH):
                if proposal.key not in self._sending:
                    await self._send(proposal)
        except (ApprovalGateFailed, StorageFailed) as error:
            log.warning("proposals wait for the approval server", extra={"reason": str(error)})
            return False
        return True

    async def _send_patiently(self, proposal: OutgoingProposal) -> ApprovalId:
        for pause in FIRST_TRIES_SECONDS[1:]:
            try:
                return await self._send(proposal)
            except ApprovalGateFailed:
                await asyncio.sleep(pause)
        return await self._send(proposal)

    async def _send(self, proposal: OutgoingProposal) -> ApprovalId:
        try:
            approval_id = await self.gate.propose(proposal.proposal, proposal.key)
        except ApprovalGateFailed:
            self.metrics.proposal_failed()
            raise
        self.metrics.proposal_submitted()
        texts = [command.command for command in proposal.proposal.commands]
        await self.feedback.link(proposal.feedback_id, approval_id, texts)
        await self.outbox.delivered(proposal.key, approval_id)
        return approval_id
