"""KubectlCommandAgent's work in a run: guard the plans, record them, submit them, say so."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from app.agents.kubectl_command import GuardedPlan, PlannedWork, guard_plans
from app.domain.answer import AgentName
from app.domain.approval import (
    JudgedCommand,
    Judgement,
    OutgoingProposal,
    RefusedCommand,
    Submission,
    SubmissionReport,
    SubmissionStatus,
)
from app.domain.errors import ApprovalGateFailed, ProposalDeclined
from app.domain.events import Event, EventStatus, EventType
from app.domain.guidance import Guidance
from app.domain.ids import FeedbackId
from app.domain.ports import Clock, Reasoner
from app.domain.questions import Teller
from app.domain.words import counted
from app.kubectl.policy import Policy
from app.learning.recorder import FeedbackRecorder
from app.observability.metrics import Metrics
from app.workflow.delivery import ProposalDelivery
from app.workflow.state import Run, State

AGENT = AgentName.KUBECTL_COMMAND


@dataclass(frozen=True, slots=True)
class CommandReview:
    """Judges the plans and says so; alone it serves a diagnosis without an approval server."""

    reasoner: Reasoner
    policy: Policy
    metrics: Metrics
    clock: Clock

    async def submit(self, run: Run, state: State, teller: Teller) -> SubmissionReport:
        """A report without submissions; what the policy refuses is in it."""
        return _report(await self.judge(run, state, teller))

    async def judge(self, run: Run, state: State, teller: Teller) -> list[GuardedPlan]:
        """The guarded plans; each command's verdict is an event."""
        work = PlannedWork(
            run.voice.workflow_id,
            state["remediation"].remediation_plans,
            state["findings"],
            run.batch,
            self.clock.now(),
            run.read_input,
        )
        guarded = await guard_plans(work, self.policy, self.reasoner, teller)
        judged = _all_judged(guarded)
        for one in judged:
            self.metrics.command_judged(one.verdict)
        if judged:
            await teller.progress(_summary(judged))
            await run.voice.append([_told(one) for one in judged])
        for refused in _all_refused(guarded):
            await teller.progress(f"Refused: {refused.command} ({'; '.join(refused.reasons)})")
        return guarded


@dataclass(frozen=True, slots=True)
class ProposalSubmission:
    """One proposal per plan, each stored before it is sent."""

    review: CommandReview
    feedback: FeedbackRecorder
    delivery: ProposalDelivery

    async def submit(self, run: Run, state: State, teller: Teller) -> SubmissionReport:
        """Submit what the policy lets through; what it refuses is shown."""
        guarded = await self.review.judge(run, state, teller)
        plans = state["remediation"].remediation_plans
        submissions: list[Submission] = []
        for plan in guarded:
            feedback_id = await self.feedback.propose(
                run.voice.workflow_id,
                plan.number,
                state["analysis"],
                plans[plan.number - 1],
                state.get("guidance", Guidance()),
            )
            if plan.proposal is not None:
                submissions.append(await self._submit(run, plan, feedback_id))
        return _report(guarded, submissions, self.delivery.gate.lacks)

    async def _submit(self, run: Run, plan: GuardedPlan, feedback_id: FeedbackId) -> Submission:
        assert plan.proposal is not None
        outgoing = OutgoingProposal(feedback_id, run.voice.workflow_id, feedback_id, plan.proposal)
        try:
            approval_id = await self.delivery.submit(outgoing)
        except ApprovalGateFailed as error:
            is_for_good = isinstance(error, ProposalDeclined)
            rest = "It is not sent again." if is_for_good else "Will retry."
            sentence = f"MCP server error: {error} {rest}"
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
                    "lacks": self.delivery.gate.lacks,
                },
            )
        return Submission(
            service=plan.service, status=SubmissionStatus.SUBMITTED, approval_id=approval_id
        )


def _report(
    guarded: list[GuardedPlan],
    submissions: Sequence[Submission] = (),
    lacks: tuple[str, ...] = (),
) -> SubmissionReport:
    successes = sum(item.status is SubmissionStatus.SUBMITTED for item in submissions)
    return SubmissionReport(
        submissions=tuple(submissions),
        total_submissions=len(submissions),
        success_count=successes,
        error_count=len(submissions) - successes,
        accepted=_all_accepted(guarded),
        refused=_all_refused(guarded),
        judged=_all_judged(guarded),
        lacks=lacks,
    )


def _summary(judged: Sequence[JudgedCommand]) -> str:
    verdicts = [one.verdict for one in judged]
    counts = ((verdict, verdicts.count(verdict)) for verdict in Judgement)
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts if count)
    return f"Judged {counted(len(judged), 'command')}: {told}"


def _told(one: JudgedCommand) -> Event:
    data = orjson.dumps({"agent": AGENT, **one.model_dump(mode="json")}).decode()
    return Event(AGENT, EventStatus.INFO, data, EventType.PROGRESS)


def _all_refused(guarded: list[GuardedPlan]) -> tuple[RefusedCommand, ...]:
    return tuple(refused for plan in guarded for refused in plan.refused)


def _all_judged(guarded: list[GuardedPlan]) -> tuple[JudgedCommand, ...]:
    return tuple(one for plan in guarded for one in plan.judged)


def _all_accepted(guarded: list[GuardedPlan]) -> tuple[str, ...]:
    proposals = [plan.proposal for plan in guarded if plan.proposal]
    return tuple(command.command for proposal in proposals for command in proposal.commands)
