"""Makes one plan's record of the events that count for it (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite

from app.domain.approval import CommandDecision, CommandVerdict, Decision
from app.domain.course import Course, Decided, Outcome
from app.domain.feedback import (
    CommandCredit,
    Declined,
    FeedbackRecord,
    Imported,
    Linked,
    PlannedCommand,
    PlanStatus,
    Proposed,
    Rated,
    Rating,
    Retracted,
    event_id,
)
from app.domain.ids import ApprovalId
from app.learning.legacy import IMPORTED_PREFIX
from app.learning.matching import matched
from app.learning.reward import credits_of, reward
from app.learning.tally import Ballot, Tally, counted

FAILED = "failed"


class RatingField(StrEnum):
    """The fields of a rating; each keeps its own latest word."""

    RATING = "rating"
    WAS_HELPFUL = "was_helpful"
    COMMENTS = "feedback_comments"
    IMPROVEMENTS = "improvements_suggested"


@dataclass(frozen=True, slots=True)
class Facts:
    """The events of one plan that no later one has replaced."""

    proposed: Proposed
    imported: Imported | None
    links: Mapping[ApprovalId, Linked]
    courses: Sequence[Course]
    declined: Declined | None
    ratings: Mapping[RatingField, Rated]
    retracted: Retracted | None

    @property
    def decisions(self) -> list[Decided]:
        """What people said, per approval the one that counts."""
        return [course.decided for course in self.courses if course.decided]

    @property
    def expired(self) -> set[ApprovalId]:
        """Approvals that nobody decided in time."""
        return {course.approval_id for course in self.courses if course.expired}


def record_of(facts: Facts) -> FeedbackRecord:
    """The record; what is missing is None, never a guess."""
    proposed, decisions = facts.proposed, facts.decisions
    last = max(decisions, key=lambda event: (event.ts, event.id), default=None)
    rating = _rating(facts.ratings)
    commands = _commands(facts)
    ballots = _ballots(facts, commands)
    tally = counted(ballots, {command.command for command in commands})
    credits_ = _credits(commands, ballots)
    outcome = _outcome(facts)
    return FeedbackRecord(
        feedback_id=proposed.feedback_id,
        workflow_id=proposed.workflow_id,
        proposed_as=proposed.id,
        proposed_at=proposed.ts,
        decided_at=last.ts if last else None,
        signature=proposed.signature,
        issue=proposed.issue,
        commands=commands,
        input_data=proposed.input_data,
        output_data=proposed.output_data,
        approval_ids=_approval_ids(facts),
        status=_status(facts),
        approved_count=tally.approved,
        rejected_count=tally.rejected,
        rejection_reason=_reason(decisions),
        verdicts=tuple(verdict for ballot in ballots for verdict in ballot.event.commands),
        courses=tuple(facts.courses),
        rating=rating,
        outcome=outcome,
        is_retracted=facts.retracted is not None,
        is_signed=all(event.is_signed for event in decisions),
        credits=credits_,
        reward=_stored_reward(facts, reward(credits_, outcome, rating)),
        shown=proposed.shown,
        is_held_out=proposed.is_held_out,
        holdout_share=_holdout_share(proposed),
        propensity=proposed.propensity,
    )


def _holdout_share(proposed: Proposed) -> float | None:
    """As recorded; where only the propensity is, by the side that the workflow is on."""
    if proposed.holdout_share is not None or proposed.propensity is None:
        return proposed.holdout_share
    match proposed.is_held_out:
        case True:
            return proposed.propensity
        case False:
            return 1 - proposed.propensity
        case None:
            return None


def _outcome(facts: Facts) -> Outcome | None:
    """What was measured; where that tells nothing, that a command failed when it ran.

    That it helped does not count when somebody took it back.
    """
    verified = [(course.verified, course) for course in facts.courses if course.verified]
    last, course = max(verified, key=lambda found: (found[0].ts, found[0].id), default=(None, None))
    measured = last.outcome if last else None
    if measured is Outcome.RESOLVED and course is not None and course.is_taken_back:
        measured = Outcome.UNKNOWN
    if measured not in {None, Outcome.UNKNOWN}:
        return measured
    verdicts = (verdict for course in facts.courses for verdict in course.ended)
    has_failed = any(verdict.status == FAILED for verdict in verdicts)
    return Outcome.EXECUTION_FAILED if has_failed else measured


def _approval_ids(facts: Facts) -> tuple[ApprovalId, ...]:
    decided = (event.approval_id for event in facts.decisions)
    known = dict.fromkeys([*facts.links, *decided])
    return tuple(found for found in known if not found.startswith(IMPORTED_PREFIX))


def _status(facts: Facts) -> PlanStatus | None:
    """One approved command makes it an approved plan, whatever else was rejected."""
    if facts.decisions:
        said = {event.decision for event in facts.decisions}
        return PlanStatus.APPROVED if Decision.APPROVED in said else PlanStatus.REJECTED
    if not facts.links:
        return PlanStatus.DECLINED if facts.declined else None
    return PlanStatus.EXPIRED if facts.expired >= set(facts.links) else PlanStatus.PENDING


def _reason(decisions: Sequence[Decided]) -> str | None:
    """The latest reason, of the whole or of one command."""
    ordered = sorted(decisions, key=lambda event: (event.ts, event.id), reverse=True)
    for event in ordered:
        reasons = [event.rejection_reason, *(verdict.reason for verdict in event.commands)]
        said = next((reason for reason in reasons if reason), None)
        if said:
            return said
    return None


def _ballots(facts: Facts, commands: Sequence[PlannedCommand]) -> list[Ballot]:
    """The decisions in their order, with their verdicts under the texts of the commands."""
    ordered = sorted(facts.decisions, key=lambda event: (event.ts, event.id))
    return [Ballot(_understood(facts, event, commands), _limit(facts, event)) for event in ordered]


def _understood(facts: Facts, event: Decided, commands: Sequence[PlannedCommand]) -> Decided:
    link = facts.links.get(event.approval_id)
    submitted = link.commands if link and link.commands else commands
    said = matched(submitted, event.commands)
    return event if said == event.commands else event.model_copy(update={"commands": said})


def _limit(facts: Facts, event: Decided) -> int | None:
    """How many commands were submitted; what an earlier system counted stands as it is."""
    imported = facts.imported
    if imported is not None and event.id == event_id(imported.id, "decided"):
        return None
    link = facts.links.get(event.approval_id)
    return len(link.commands if link and link.commands else facts.proposed.commands) or None


def _credits(
    commands: Sequence[PlannedCommand], ballots: Sequence[Ballot]
) -> tuple[CommandCredit, ...]:
    texts = {command.command for command in commands}
    verdicts: dict[str, CommandVerdict] = {}
    unnamed = Tally()
    for ballot in ballots:
        # A command may stand there twice: what somebody said of one of them counts for both.
        by_weight = sorted(ballot.event.commands, key=_is_decided)
        verdicts |= {verdict.command: verdict for verdict in by_weight}
        if not ballot.names(texts):
            unnamed = unnamed.plus(ballot.of(1) if ballot.is_bare(texts) else ballot.tally())
    return credits_of(commands, verdicts, unnamed.share)


def _is_decided(verdict: CommandVerdict) -> bool:
    return verdict.decision is not CommandDecision.UNDECIDED


def _commands(facts: Facts) -> tuple[PlannedCommand, ...]:
    """What people saw: the submitted commands, which may be repaired ones; else the plan's."""
    submitted = {
        command.command: command for link in facts.links.values() for command in link.commands
    }
    return tuple(submitted.values()) or facts.proposed.commands


def _rating(ratings: Mapping[RatingField, Rated]) -> Rating:
    stars = ratings.get(RatingField.RATING)
    helpful = ratings.get(RatingField.WAS_HELPFUL)
    comments = ratings.get(RatingField.COMMENTS)
    improvements = ratings.get(RatingField.IMPROVEMENTS)
    return Rating(
        rating=stars.rating if stars else None,
        was_helpful=helpful.was_helpful if helpful else None,
        comments=comments.feedback_comments if comments else None,
        improvements=improvements.improvements_suggested if improvements else None,
    )


def _stored_reward(facts: Facts, computed: float | None) -> float | None:
    """The earlier system's own reward stands until somebody says something new."""
    imported = facts.imported
    if imported is None or imported.reward_score is None or not isfinite(imported.reward_score):
        return computed
    reports = (
        event
        for course in facts.courses
        for event in (course.decided, course.executed, course.verified)
    )
    said = (*reports, *facts.ratings.values())
    is_old = all(event is None or event.ts <= imported.ts for event in said)
    return min(max(imported.reward_score, 0.0), 1.0) if is_old else computed
