"""What people said to the actions of a plan: the estimator's evidence (pure)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from app.domain.approval import CommandDecision
from app.domain.feedback import CommandCredit, FeedbackRecord
from app.learning.actions import action_of, change_of, verb_of

ACCEPTANCE = 0.5

Claim = Callable[[CommandCredit], bool]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What people said to one action in one case."""

    action: str
    credit: float
    """Mean over its commands."""
    approved: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Judgement:
    """What people said to a plan; many plans have the same one. Changing commands only."""

    evidence: tuple[Evidence, ...]
    accepted: tuple[str, ...]
    """Actions of which a command was accepted, in the plan's order."""
    rejected: tuple[str, ...]
    has_reason: bool
    """Whether a rejection was explained."""
    has_edit: bool
    """Whether people changed a command."""


@dataclass(slots=True)
class Tally:
    """Evidence on one action, added up."""

    cases: int = 0
    credit: float = 0.0
    approved: int = 0
    rejected: int = 0

    def add(self, evidence: Evidence, times: int) -> None:
        """Count it; with -1, take it back."""
        self.cases += times
        self.credit += times * evidence.credit
        self.approved += times * evidence.approved
        self.rejected += times * evidence.rejected

    def merge(self, other: "Tally") -> None:
        """Count everything that another one counted."""
        self.cases += other.cases
        self.credit += other.credit
        self.approved += other.approved
        self.rejected += other.rejected


def judgement_of(record: FeedbackRecord) -> Judgement:
    """A record's part in what is learned."""
    by_action: defaultdict[str, list[float]] = defaultdict(list)
    for credit in record.credits:
        if credit.command.is_change:
            by_action[credit.command.action].append(credit.credit)
    for action in _put_instead(record):
        by_action[action].append(1.0)
    return Judgement(
        evidence=tuple(_evidence(action, credits_) for action, credits_ in by_action.items()),
        accepted=actions_of(record.credits, is_accepted),
        rejected=actions_of(record.credits, is_rejected),
        has_reason=bool(record.rejection_reason),
        has_edit=any(one.decision is CommandDecision.EDITED for one in record.verdicts),
    )


def carried_over(said: tuple[Evidence, ...], theirs: str, ours: str) -> tuple[Evidence, ...]:
    """What was said on a workload of one kind, for another one: its own actions are on that kind."""
    if not theirs or not ours or theirs == ours:
        return said
    return tuple(
        replace(one, action=f"{verb_of(one.action)}/{ours}")
        if one.action == f"{verb_of(one.action)}/{theirs}"
        else one
        for one in said
    )


def reviewer_of(record: FeedbackRecord) -> str:
    """Who decided last on a plan; empty where the approval server does not say."""
    decided = (course.decided for course in record.courses if course.decided)
    last = max(decided, key=lambda event: (event.ts, event.id), default=None)
    return (last.reviewer if last else None) or ""


def is_accepted(credit: CommandCredit) -> bool:
    """Whether a command was taken, perhaps with an edit."""
    return credit.credit >= ACCEPTANCE


def is_rejected(credit: CommandCredit) -> bool:
    """Whether a command was turned down, also by changing it into another action."""
    return credit.credit < ACCEPTANCE


def actions_of(credits_: Iterable[CommandCredit], is_meant: Claim) -> tuple[str, ...]:
    """The changing actions of which a claim holds, each once."""
    changing = (credit for credit in credits_ if credit.command.is_change and is_meant(credit))
    return tuple(dict.fromkeys(credit.command.action for credit in changing))


def _put_instead(record: FeedbackRecord) -> Iterator[str]:
    """Actions that people put in the place of others: nobody has to approve them as well."""
    for verdict in record.verdicts:
        if verdict.decision is CommandDecision.EDITED and verdict.edited_to:
            action = change_of(verdict.edited_to)
            if action and action != action_of(verdict.command):
                yield action


def _evidence(action: str, credits_: list[float]) -> Evidence:
    return Evidence(
        action=action,
        credit=sum(credits_) / len(credits_),
        approved=sum(credit >= ACCEPTANCE for credit in credits_),
        rejected=sum(credit < ACCEPTANCE for credit in credits_),
    )
