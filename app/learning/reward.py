"""How much people liked a plan, from 0 to 1 (pure): `(4·M + 1·U) / weights present`."""

from collections.abc import Iterable, Mapping, Sequence

from app.domain.approval import CommandDecision, CommandVerdict
from app.domain.feedback import CommandCredit, Outcome, PlannedCommand, Rating
from app.learning.actions import action_of, verb_of

DECISION_WEIGHT = 4.0
RATING_WEIGHT = 1.0
EDIT_WITHIN_VERB = 0.75
EDIT_OTHERWISE = 0.25
READS_ALONE_LIMIT = 0.5
OUTCOME_FACTOR: Mapping[Outcome, float] = {
    Outcome.RESOLVED: 1.0,
    Outcome.UNKNOWN: 0.9,
    Outcome.UNRESOLVED: 0.6,
    Outcome.EXECUTION_FAILED: 0.4,
    Outcome.MADE_WORSE: 0.1,
}


def reward(
    decided: Sequence[CommandCredit], outcome: Outcome | None, rating: Rating
) -> float | None:
    """The reward; None while neither a decision nor a rating is known."""
    decision = decision_signal(decided)
    if decision is not None and outcome is not None:
        decision *= OUTCOME_FACTOR[outcome]
    opinion = rating_signal(rating)
    present = [
        (weight, signal)
        for weight, signal in ((DECISION_WEIGHT, decision), (RATING_WEIGHT, opinion))
        if signal is not None
    ]
    if not present:
        return None
    return sum(weight * signal for weight, signal in present) / sum(weight for weight, _ in present)


def decision_signal(decided: Sequence[CommandCredit]) -> float | None:
    """M: the accepted share of the changing commands; rejected reads count half against it."""
    changes = [credit for credit in decided if credit.command.is_change]
    reads = [credit for credit in decided if not credit.command.is_change]
    if not changes and reads:
        return min(READS_ALONE_LIMIT, _mean([read.credit for read in reads]))
    weight = len(changes) + 0.5 * sum(read.rejected for read in reads)
    return sum(change.credit for change in changes) / weight if weight else None


def rating_signal(rating: Rating) -> float | None:
    """U: the mean of stars and helpfulness, of what is there."""
    signals = []
    if rating.rating is not None:
        signals.append((min(max(rating.rating, 1), 5) - 1) / 4)
    if rating.was_helpful is not None:
        signals.append(1.0 if rating.was_helpful else 0.0)
    return _mean(signals) if signals else None


def credits_of(
    commands: Iterable[PlannedCommand],
    verdicts: Mapping[str, CommandVerdict],
    approved_share: float | None,
) -> tuple[CommandCredit, ...]:
    """The decided commands: by their own verdict, else by the share that counts alone tell."""
    found: list[CommandCredit] = []
    for command in commands:
        verdict = verdicts.get(command.command)
        if verdict is not None:
            found.append(_judge(command, verdict))
        elif approved_share is not None:
            found.append(CommandCredit(command, approved_share, 1 - approved_share))
    return tuple(found)


def _judge(command: PlannedCommand, verdict: CommandVerdict) -> CommandCredit:
    match verdict.decision:
        case CommandDecision.APPROVED:
            return CommandCredit(command, 1.0, 0.0)
        case CommandDecision.REJECTED:
            return CommandCredit(command, 0.0, 1.0)
        case CommandDecision.EDITED:
            is_near = verb_of(action_of(verdict.edited_to or "")) == verb_of(command.action)
            return CommandCredit(command, EDIT_WITHIN_VERB if is_near else EDIT_OTHERWISE, 0.0)
        case CommandDecision.UNDECIDED:
            return CommandCredit(command, 0.0, 0.0)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
