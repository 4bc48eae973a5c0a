"""Writes down what was proposed and what people made of it, each fact once, without secrets."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from app.domain.approval import ApprovalReport
from app.domain.course import Report
from app.domain.errors import ReportKept, Unauthorized
from app.domain.feedback import Declined, Linked, Proposed, Rated, Rating, ShownExample, event_id
from app.domain.guidance import Guidance
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId
from app.domain.incident import Analysis
from app.domain.plan import Plan
from app.domain.ports import Clock
from app.learning.actions import namespace_in, planned_command, planned_commands
from app.learning.again import again_if_rewritten
from app.learning.discretion import discreet_rating, discreet_report, discreet_words
from app.learning.environments import OUR_OWN, Environments
from app.learning.ledger import FeedbackLedger, Writing
from app.learning.reported import events_of
from app.learning.signature import signature_of_plan
from app.security.redaction import redact


def feedback_id_of(workflow_id: WorkflowId, number: int) -> FeedbackId:
    """The visible form of a feedback id; plans count from 1."""
    return FeedbackId(f"{workflow_id}_remediation_{number}")


class FeedbackRecorder:
    """Every method may be called again with the same facts and changes nothing then."""

    def __init__(
        self, ledger: FeedbackLedger, clock: Clock, environments: Environments = OUR_OWN
    ) -> None:
        """Nothing is read or written yet."""
        self._ledger = ledger
        self._clock = clock
        self._environments = environments

    @again_if_rewritten
    async def propose(
        self,
        workflow_id: WorkflowId,
        number: int,
        analysis: Analysis,
        plan: Plan,
        guidance: Guidance,
    ) -> FeedbackId:
        """Keep a plan with the incident it is for and the examples it was made from."""
        feedback_id = feedback_id_of(workflow_id, number)
        output = plan.model_dump_json()
        identity = event_id("proposed", feedback_id, output)
        async with self._ledger.writing() as turn:
            known = await turn.find(feedback_id)
            # A plan that is with people already stays as they see it.
            if known and (known.status is not None or known.proposed_as == identity):
                return feedback_id
            proposed = Proposed(
                id=identity,
                ts=self._now(turn),
                feedback_id=feedback_id,
                workflow_id=workflow_id,
                issue=plan.issue,
                signature=signature_of_plan(plan, analysis, namespace_of(plan), self._environments),
                commands=planned_commands(plan),
                input_data=analysis.model_dump_json(),
                output_data=output,
                shown=_shown(guidance),
                is_held_out=guidance.is_held_out,
                holdout_share=guidance.holdout_share,
                propensity=guidance.propensity,
            )
            await turn.append(proposed)
        return feedback_id

    @again_if_rewritten
    async def link(
        self, feedback_id: FeedbackId, approval_id: ApprovalId, commands: Sequence[str] = ()
    ) -> None:
        """Note the approval's id and what was submitted; reports that came early count now."""
        async with self._ledger.writing() as turn:
            if approval_id not in (await turn.record(feedback_id)).approval_ids:
                linked = Linked(
                    id=event_id("linked", feedback_id, approval_id),
                    ts=self._now(turn),
                    feedback_id=feedback_id,
                    approval_id=approval_id,
                    commands=tuple(planned_command(text) for text in commands),
                )
                await turn.append(linked)
            await self._take_up(turn, feedback_id, approval_id)

    @again_if_rewritten
    async def decline(self, feedback_id: FeedbackId, reason: str) -> None:
        """Note that nobody will be asked about a plan. Raises NotFound."""
        async with self._ledger.writing() as turn:
            if (await turn.record(feedback_id)).status is not None:
                return
            said = redact(reason).text
            declined = Declined(
                id=event_id("declined", feedback_id, said),
                ts=self._now(turn),
                feedback_id=feedback_id,
                reason=said,
            )
            await turn.append(declined)

    @again_if_rewritten
    async def hear(self, report: ApprovalReport) -> Sequence[Report]:
        """Note what an approval server says; returns what of it is new.

        Raises ReportKept when it came early or is on what somebody else proposed; Unauthorized for
        a delivery that is played back.
        """
        report = await asyncio.to_thread(discreet_report, report)
        async with self._ledger.writing() as turn:
            feedback_id = await turn.feedback_of(report.approval_id)
            if feedback_id is not None:
                return await self._hear(turn, report, feedback_id)
            for early in events_of(report, self._now(turn), None):
                await self._ledger.store.park(early)
        return await self._look_again(report)

    @again_if_rewritten
    async def rate(self, feedback_id: FeedbackId, rating: Rating) -> None:
        """Note a person's opinion; what it leaves out stays as it was. Raises NotFound."""
        rating = await asyncio.to_thread(discreet_rating, rating)
        async with self._ledger.writing() as turn:
            if not _adds(rating, (await turn.record(feedback_id)).rating):
                return
            now = self._now(turn)
            rated = Rated(
                id=event_id("rated", feedback_id, now.isoformat(), rating),
                ts=now,
                feedback_id=feedback_id,
                rating=rating.rating,
                was_helpful=rating.was_helpful,
                feedback_comments=rating.comments,
                improvements_suggested=rating.improvements,
            )
            await turn.append(rated)

    async def _look_again(self, report: ApprovalReport) -> Sequence[Report]:
        """Another process may have linked the approval between our look and the parking."""
        async with self._ledger.writing() as turn:
            feedback_id = await turn.feedback_of(report.approval_id)
            if feedback_id is None:
                raise ReportKept(f"No feedback found for approval_id: {report.approval_id}")
            return await self._hear(turn, report, feedback_id)

    async def _take_up(
        self, turn: Writing, feedback_id: FeedbackId, approval_id: ApprovalId
    ) -> None:
        early = [
            discreet_words(report).model_copy(update={"feedback_id": feedback_id})
            for report in await self._ledger.store.parked()
            if report.approval_id == approval_id
        ]
        await self._note(turn, early, await turn.reports(approval_id))

    async def _hear(
        self, turn: Writing, report: ApprovalReport, feedback_id: FeedbackId
    ) -> Sequence[Report]:
        heard = await turn.reports(report.approval_id)
        if _is_played_back(report, heard):
            raise Unauthorized("The webhook was delivered before")
        return await self._note(turn, events_of(report, self._now(turn), feedback_id), heard)

    async def _note(
        self, turn: Writing, reports: Sequence[Report], heard: Sequence[Report]
    ) -> Sequence[Report]:
        """Append what is not there yet, by its content and by its message's id."""
        ids = {known.id for known in heard}
        messages = {(known.message_id, known.type) for known in heard if known.message_id}
        new = [
            report
            for report in reports
            if report.id not in ids and (report.message_id, report.type) not in messages
        ]
        if new:
            await turn.append(*new)
        return new

    def _now(self, turn: Writing) -> datetime:
        return turn.stamp(self._clock.now())


def _is_played_back(report: ApprovalReport, heard: Sequence[Report]) -> bool:
    """Whether this very delivery was taken before, and too long ago to be a retry of its sender."""
    delivery = report.delivery
    if delivery is None or delivery.signed_at is None or delivery.is_recent:
        return False
    return any(
        known.message_id == delivery.message_id
        and known.signed_at is not None
        and delivery.signed_at <= known.signed_at
        for known in heard
    )


def namespace_of(plan: Plan) -> str | None:
    """The namespace that the plan's commands work in."""
    texts = (command.command for step in plan.steps for command in step.commands)
    return namespace_in(" ".join(texts))


def _shown(guidance: Guidance) -> tuple[ShownExample, ...]:
    return tuple(
        ShownExample(feedback_id=example.feedback_id, role=example.role, reason=example.reason)
        for example in guidance.examples
    )


def _adds(rating: Rating, known: Rating) -> bool:
    pairs = (
        (rating.rating, known.rating),
        (rating.was_helpful, known.was_helpful),
        (rating.comments, known.comments),
        (rating.improvements, known.improvements),
    )
    return any(said is not None and said != before for said, before in pairs)
