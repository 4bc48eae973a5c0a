"""Chooses what a new plan should know of earlier ones, and says why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from app.domain.answer import Entities
from app.domain.approval import CommandDecision
from app.domain.feedback import Environment, FeedbackRecord, Signature
from app.domain.guidance import ActionScore, Example, ExampleRole, Guidance
from app.domain.incident import Analysis, Findings
from app.learning.cases import CaseIndex, Neighbour
from app.learning.estimate import OPTIMISM, scoreboard
from app.learning.judgement import ACCEPTANCE, Claim, actions_of, is_accepted, is_rejected
from app.learning.ledger import FeedbackLedger
from app.learning.signature import fill, signatures_of

ACCEPTED_LIMIT = 3
REJECTED_LIMIT = 2
SCOREBOARD_LIMIT = 40
"""Generous: an action that is left out would look like one that nobody tried."""
LESSONS_LIMIT = 8
LESSON_COUNT = 3
LESSON_SHARE = 2 / 3
NOTE_LIMIT = 300
COMMANDS_LIMIT = 12
NOTHING_GOOD = (
    "Nothing that was tried on incidents like this one was accepted often enough; "
    "propose something else."
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be shown: guidance whose examples are not looked up yet."""

    shown: tuple[tuple[Neighbour, ExampleRole], ...] = ()
    scoreboard: tuple[ActionScore, ...] = ()
    lessons: tuple[str, ...] = ()
    note: str = ""


def everywhere(_: str | None) -> bool:
    """Explores in any namespace."""
    return True


class ExampleSelector:
    """Reads decided plans only: what is pending teaches nothing, whatever its stars."""

    def __init__(
        self, ledger: FeedbackLedger, explores_in: Callable[[str | None], bool] = everywhere
    ) -> None:
        """Follows the ledger from here on; tries new actions in some namespaces only."""
        self._ledger = ledger
        self._explores_in = explores_in
        self._index = CaseIndex()
        ledger.watch(self._index)

    async def guide(self, analysis: Analysis, findings: Findings, entities: Entities) -> Guidance:
        """What earlier decisions say about the incident at hand."""
        signatures = signatures_of(analysis, findings, entities)
        optimism = OPTIMISM if self._explores(analysis, entities) else 0.0
        async with self._ledger.reading() as turn:
            choice = choose(signatures, self._index, optimism)
            records = await turn.records([found.case.plan for found, _ in choice.shown])
        examples = (
            _example(record, found, role)
            for record, (found, role) in zip(records, choice.shown, strict=True)
        )
        return Guidance(tuple(examples), choice.scoreboard, choice.lessons, choice.note)

    def _explores(self, analysis: Analysis, entities: Entities) -> bool:
        """Not where any of the causes is in a namespace that forbids it."""
        causes = analysis.root_cause_analysis
        spaces = {fill(cause.entities, entities).namespace for cause in causes}
        return all(map(self._explores_in, spaces or {entities.namespace}))


def choose(signatures: Sequence[Signature], index: CaseIndex, optimism: float = OPTIMISM) -> Choice:
    """The choice for an incident that has one signature per root cause, the first one leading.

    Where something good is known, curiosity would cost approvals (.01 in the simulation), so it
    explores elsewhere only; without optimism nowhere: no bonus, no call for something else.
    """
    neighbours = _nearest(signatures, index)
    if not neighbours:
        return Choice()
    scores = scoreboard(signatures[0], neighbours, index)
    explores = bool(scores) and optimism > 0 and scores[0].score < ACCEPTANCE
    if explores:
        scores = scoreboard(signatures[0], neighbours, index, optimism)
    return Choice(
        shown=(*_accepted(neighbours, scores), *_rejected(neighbours)),
        scoreboard=scores[:SCOREBOARD_LIMIT],
        lessons=tuple(islice(_lessons(signatures[0], scores, index), LESSONS_LIMIT)),
        note=NOTHING_GOOD if explores else "",
    )


def _nearest(signatures: Sequence[Signature], index: CaseIndex) -> list[Neighbour]:
    """Each case once, as near as it is to any of the root causes; nearest first."""
    nearest: dict[int, Neighbour] = {}
    for signature in signatures:
        for found in index.nearest(signature):
            known = nearest.get(found.case.plan)
            if known is None or known.here < found.here:
                nearest[found.case.plan] = found
    return sorted(nearest.values(), key=lambda neighbour: -neighbour.here)


def _accepted(
    neighbours: Sequence[Neighbour], scores: Sequence[ActionScore]
) -> list[tuple[Neighbour, ExampleRole]]:
    """The best action's best plan first; then others that convince, each with other actions."""
    score_of = {line.action: line.score for line in scores}
    chosen: dict[tuple[str, ...], Neighbour] = {}
    for neighbour in sorted(neighbours, key=lambda found: -_conviction(found, score_of)):
        actions = neighbour.case.judgement.accepted
        if neighbour.case.reward >= ACCEPTANCE and actions:
            chosen.setdefault(actions, neighbour)
    return [(found, ExampleRole.ACCEPTED) for found in [*chosen.values()][:ACCEPTED_LIMIT]]


def _conviction(neighbour: Neighbour, score_of: dict[str, float]) -> float:
    """The best accepted action's score, then similarity and reward."""
    actions = neighbour.case.judgement.accepted
    best = max((score_of.get(action, 0.0) for action in actions), default=0.0)
    return best * neighbour.here * neighbour.case.reward


def _rejected(neighbours: Sequence[Neighbour]) -> list[tuple[Neighbour, ExampleRole]]:
    """What was refused on the most similar incidents, with a reason where there is one."""
    chosen: dict[tuple[str, ...], Neighbour] = {}
    said = sorted(neighbours, key=lambda found: not found.case.judgement.has_reason)
    for neighbour in said:
        actions = neighbour.case.judgement.rejected
        if actions:
            chosen.setdefault(actions, neighbour)
    nearest = sorted(chosen.values(), key=lambda found: -found.here)[:REJECTED_LIMIT]
    return [(found, ExampleRole.REJECTED) for found in nearest]


def _example(record: FeedbackRecord, neighbour: Neighbour, role: ExampleRole) -> Example:
    is_meant = is_accepted if role is ExampleRole.ACCEPTED else is_rejected
    return Example(
        feedback_id=record.feedback_id,
        role=role,
        reason=_reason(record, neighbour, role),
        similarity=round(neighbour.here, 4),
        reward=record.reward,
        issue=clip(record.issue),
        actions=actions_of(record.credits, is_meant),
        commands=_commands(record, is_meant),
        note=_note(record),
    )


def _commands(record: FeedbackRecord, is_meant: Claim) -> tuple[str, ...]:
    """As they were proposed, or as the reviewer changed them."""
    edits = {
        verdict.command: verdict.edited_to
        for verdict in record.verdicts
        if verdict.decision is CommandDecision.EDITED and verdict.edited_to
    }
    texts = [credit.command.command for credit in record.credits if is_meant(credit)]
    return tuple(edits.get(text, text) for text in texts[:COMMANDS_LIMIT])


def _reason(record: FeedbackRecord, neighbour: Neighbour, role: ExampleRole) -> str:
    decided = record.approved_count + record.rejected_count
    count = record.approved_count if role is ExampleRole.ACCEPTED else record.rejected_count
    verb = "approved" if role is ExampleRole.ACCEPTED else "rejected"
    stars = f", rated {record.rating.rating} of 5" if record.rating.rating else ""
    reward = "unknown" if record.reward is None else f"{record.reward:.2f}"
    return (
        f"Similarity {neighbour.here:.2f} to this incident; reviewers {verb} {count} of {decided} "
        f"commands{stars}; reward {reward}."
    )


def _note(record: FeedbackRecord) -> str:
    said = (record.rejection_reason, record.rating.comments, record.rating.improvements)
    return clip("; ".join(text for text in said if text))


def _lessons(
    signature: Signature, scores: Sequence[ActionScore], index: CaseIndex
) -> Iterator[str]:
    """What this team always or never allows in such an environment, where it said so often enough."""
    environment = signature.environment
    place = "" if environment is Environment.UNKNOWN else f" in {environment}"
    for line in scores:
        known = index.tolerance(environment, line.action)
        total = known.approved + known.rejected
        if total < LESSON_COUNT:
            continue
        if known.rejected >= LESSON_SHARE * total:
            yield f"{line.action}{place} was rejected {known.rejected} of {total} times."
        elif known.approved >= LESSON_SHARE * total:
            yield f"{line.action}{place} was approved {known.approved} of {total} times."


def clip(text: str) -> str:
    """One line of bounded length: what people wrote goes into prompts and pages."""
    line = " ".join(text.split())
    return line if len(line) <= NOTE_LIMIT else f"{line[: NOTE_LIMIT - 3]}..."
