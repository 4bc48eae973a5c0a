"""Writes down what was proposed and what people made of it, each fact once."""

from collections.abc import Sequence
from datetime import datetime

from app.domain.approval import DecisionReport
from app.domain.errors import NotFound
from app.domain.feedback import (
    Decided,
    Linked,
    Outcome,
    Proposed,
    Rated,
    Rating,
    ShownExample,
    Verified,
    event_id,
)
from app.domain.guidance import Guidance
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId
from app.domain.incident import Analysis
from app.domain.plan import Plan
from app.domain.ports import Clock
from app.learning.actions import namespace_in, planned_command, planned_commands
from app.learning.ledger import FeedbackLedger, Writing
from app.learning.signature import signature_of_plan


def feedback_id_of(workflow_id: WorkflowId, number: int) -> FeedbackId:
    """The visible form of a feedback id; plans count from 1."""
    return FeedbackId(f"{workflow_id}_remediation_{number}")


class FeedbackRecorder:
    """Every method may be called again with the same facts and changes nothing then."""

    def __init__(self, ledger: FeedbackLedger, clock: Clock) -> None:
        """Nothing is read or written yet."""
        self._ledger = ledger
        self._clock = clock

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
                signature=signature_of_plan(plan, analysis, namespace_of(plan)),
                commands=planned_commands(plan),
                input_data=analysis.model_dump_json(),
                output_data=output,
                shown=_shown(guidance),
                propensity=1.0,
            )
            await turn.append(proposed)
        return feedback_id

    async def link(
        self, feedback_id: FeedbackId, approval_id: ApprovalId, commands: Sequence[str] = ()
    ) -> None:
        """Note the approval's id and what was submitted; a decision that came early counts now."""
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

    async def decide(self, report: DecisionReport) -> bool:
        """Note a decision; False when it is known. Raises NotFound, and keeps it, when it came early."""
        async with self._ledger.writing() as turn:
            decided = self._decided(report, turn, await turn.feedback_of(report.approval_id))
            if decided.feedback_id is not None:
                return await self._note(turn, decided)
            await self._ledger.store.park(decided)
        return await self._look_again(report)

    async def rate(self, feedback_id: FeedbackId, rating: Rating) -> None:
        """Note a person's opinion; what it leaves out stays as it was. Raises NotFound."""
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

    async def verify(self, feedback_id: FeedbackId, outcome: Outcome) -> None:
        """Note what the cluster looked like afterwards. Raises NotFound."""
        async with self._ledger.writing() as turn:
            if (await turn.record(feedback_id)).outcome is outcome:
                return
            now = self._now(turn)
            verified = Verified(
                id=event_id("verified", feedback_id, outcome, now.isoformat()),
                ts=now,
                feedback_id=feedback_id,
                outcome=outcome,
            )
            await turn.append(verified)

    async def _look_again(self, report: DecisionReport) -> bool:
        """Another process may have linked the approval between our look and the parking."""
        async with self._ledger.writing() as turn:
            feedback_id = await turn.feedback_of(report.approval_id)
            if feedback_id is None:
                raise NotFound(f"No feedback found for approval_id: {report.approval_id}")
            return await self._note(turn, self._decided(report, turn, feedback_id))

    async def _take_up(
        self, turn: Writing, feedback_id: FeedbackId, approval_id: ApprovalId
    ) -> None:
        for early in await self._ledger.store.parked():
            if early.approval_id == approval_id:
                await self._note(turn, early.model_copy(update={"feedback_id": feedback_id}))

    async def _note(self, turn: Writing, decided: Decided) -> bool:
        if await turn.has_decision(decided):
            return False
        await turn.append(decided)
        return True

    def _now(self, turn: Writing) -> datetime:
        return turn.stamp(self._clock.now())

    def _decided(
        self, report: DecisionReport, turn: Writing, feedback_id: FeedbackId | None
    ) -> Decided:
        return Decided(
            id=event_id(
                "decided",
                report.approval_id,
                report.decision,
                report.rejection_reason or "",
                report.approved_count,
                report.rejected_count,
                *report.commands,
            ),
            ts=self._now(turn),
            approval_id=report.approval_id,
            feedback_id=feedback_id,
            decision=report.decision,
            rejection_reason=report.rejection_reason,
            approved_count=report.approved_count,
            rejected_count=report.rejected_count,
            commands=report.commands,
            reviewer=report.reviewer,
            is_signed=report.is_signed,
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
