"""How much people liked a plan, from 0 to 1 (pure): `(4·M + 1·U) / weights present`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from app.domain.approval import CommandDecision, CommandVerdict
from app.domain.course import Outcome
from app.domain.feedback import CommandCredit, PlannedCommand, Rating
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
    """The decided commands: by their own verdict, else by the share that counts alone tell.

    Counts do not say which commands were rejected. People seldom reject a look, so what they
    rejected is taken to be changes first: one change refused among five reads is a refused change.
    """
    ordered = [*commands]
    unnamed = [command for command in ordered if command.command not in verdicts]
    shares = {} if approved_share is None else _rejections(unnamed, 1 - approved_share)
    found: list[CommandCredit] = []
    for command in ordered:
        verdict = verdicts.get(command.command)
        if verdict is not None:
            found += _judge(command, verdict)
        elif shares:
            rejected = shares[command.is_change]
            found.append(CommandCredit(command, 1 - rejected, rejected))
    return tuple(found)


def _rejections(commands: Sequence[PlannedCommand], share: float) -> Mapping[bool, float]:
    """The rejected share of the changes and of the rest, the changes being rejected first."""
    changes = sum(command.is_change for command in commands)
    reads = len(commands) - changes
    rejected = share * len(commands)
    of_changes = min(rejected / changes, 1.0) if changes else 0.0
    of_reads = min((rejected - of_changes * changes) / reads, 1.0) if reads else 0.0
    return {True: of_changes, False: of_reads}


def _judge(command: PlannedCommand, verdict: CommandVerdict) -> Iterator[CommandCredit]:
    match verdict.decision:
        case CommandDecision.APPROVED:
            yield CommandCredit(command, 1.0, 0.0)
        case CommandDecision.REJECTED:
            yield CommandCredit(command, 0.0, 1.0)
        case CommandDecision.EDITED:
            is_near = verb_of(action_of(verdict.edited_to or "")) == verb_of(command.action)
            yield CommandCredit(command, EDIT_WITHIN_VERB if is_near else EDIT_OTHERWISE, 0.0)
        case CommandDecision.UNDECIDED:
            return


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
