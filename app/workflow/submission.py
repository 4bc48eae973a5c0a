"""KubectlCommandAgent's work in a run: guard the plans, record them, submit them, say so."""

from dataclasses import dataclass

from app.agents.kubectl_command import CommandGuard, GuardedPlan, guard_plans
from app.domain.answer import AgentName
from app.domain.approval import (
    OutgoingProposal,
    RefusedCommand,
    Submission,
    SubmissionReport,
    SubmissionStatus,
)
from app.domain.errors import ApprovalGateFailed
from app.domain.events import EventStatus
from app.domain.guidance import Guidance
from app.domain.ids import FeedbackId
from app.domain.ports import Clock, Reasoner
from app.domain.questions import Teller
from app.kubectl.policy import Policy
from app.learning.recorder import FeedbackRecorder
from app.workflow.delivery import ProposalDelivery
from app.workflow.state import Run, State

AGENT = AgentName.KUBECTL_COMMAND


@dataclass(frozen=True, slots=True)
class CommandReview:
    """Judges the plans and stops there: for a diagnosis without an approval server."""

    reasoner: Reasoner
    policy: Policy
    clock: Clock

    async def submit(self, run: Run, state: State, teller: Teller) -> SubmissionReport:
        """A report without submissions; what the policy refuses is in it."""
        guarded = await guard_plans(
            state["remediation"].remediation_plans,
            run.batch,
            CommandGuard.of_batch(self.policy, run.batch, self.clock.now()),
            self.reasoner,
            teller,
            run.voice.workflow_id,
        )
        return SubmissionReport(accepted=_all_accepted(guarded), refused=_all_refused(guarded))


@dataclass(frozen=True, slots=True)
class ProposalSubmission:
    """One proposal per plan, each stored before it is sent."""

    reasoner: Reasoner
    policy: Policy
    feedback: FeedbackRecorder
    delivery: ProposalDelivery
    clock: Clock

    async def submit(self, run: Run, state: State, teller: Teller) -> SubmissionReport:
        """Submit what the policy lets through; what it refuses is shown."""
        plans = state["remediation"].remediation_plans
        guard = CommandGuard.of_batch(self.policy, run.batch, self.clock.now())
        guarded = await guard_plans(
            plans, run.batch, guard, self.reasoner, teller, run.voice.workflow_id
        )
        submissions: list[Submission] = []
        for plan in guarded:
            feedback_id = await self.feedback.propose(
                run.voice.workflow_id,
                plan.number,
                state["analysis"],
                plans[plan.number - 1],
                state.get("guidance", Guidance()),
            )
            for refused in plan.refused:
                await teller.progress(f"Refused: {refused.command} ({'; '.join(refused.reasons)})")
            if plan.proposal is not None:
                submissions.append(await self._submit(run, plan, feedback_id))
        successes = sum(item.status is SubmissionStatus.SUBMITTED for item in submissions)
        return SubmissionReport(
            submissions=tuple(submissions),
            total_submissions=len(submissions),
            success_count=successes,
            error_count=len(submissions) - successes,
            accepted=_all_accepted(guarded),
            refused=_all_refused(guarded),
        )

    async def _submit(self, run: Run, plan: GuardedPlan, feedback_id: FeedbackId) -> Submission:
        assert plan.proposal is not None
        outgoing = OutgoingProposal(feedback_id, run.voice.workflow_id, feedback_id, plan.proposal)
        try:
            approval_id = await self.delivery.submit(outgoing)
        except ApprovalGateFailed as error:
            sentence = f"MCP server error: {error} Will retry."
            await run.voice.say(AGENT, EventStatus.ERROR, sentence)
            return Submission(service=plan.service, status=SubmissionStatus.ERROR, error=str(error))
        if approval_id not in run.announced:
            await run.voice.announce(
                AGENT,
                f"Proposal for {plan.service} submitted. Approval ID: {approval_id}",
                {
                    "approval_id": approval_id,
                    "feedback_id": feedback_id,
                    "service": plan.service,
                    "approval_url": self.delivery.gate.page_url,
                },
            )
        return Submission(
            service=plan.service, status=SubmissionStatus.SUBMITTED, approval_id=approval_id
        )


def _all_refused(guarded: list[GuardedPlan]) -> tuple[RefusedCommand, ...]:
    return tuple(refused for plan in guarded for refused in plan.refused)


def _all_accepted(guarded: list[GuardedPlan]) -> tuple[str, ...]:
    proposals = [plan.proposal for plan in guarded if plan.proposal]
    return tuple(command.command for proposal in proposals for command in proposal.commands)
