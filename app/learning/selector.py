"""Chooses what a new plan should know of earlier ones, and says why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain.answer import Entities
from app.domain.approval import CommandDecision
from app.domain.feedback import FeedbackRecord, Signature
from app.domain.guidance import ActionScore, Example, ExampleRole, Guidance, JustRejected
from app.domain.incident import Analysis, Findings
from app.learning.again import again_if_rewritten
from app.learning.case import Neighbour
from app.learning.cases import CaseIndex
from app.learning.details import (
    clip,
    demonstration,
    edits_of,
    facets_of,
    just_rejected,
    put_instead,
)
from app.learning.environments import OUR_OWN, Environments
from app.learning.estimate import OPTIMISM, estimates, put_down, said_here, scoreboard
from app.learning.judgement import ACCEPTANCE, Claim, actions_of, is_accepted, is_rejected
from app.learning.ledger import FeedbackLedger
from app.learning.lessons import LessonBook, active, lessons_for
from app.learning.signature import fill, signatures_of

ACCEPTED_LIMIT = 3
REJECTED_LIMIT = 2
SCOREBOARD_LIMIT = 40
"""Generous: an action that is left out would look like one that nobody tried."""
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
    note: str = ""
    just_rejected: tuple[tuple[str, Neighbour], ...] = ()

    @property
    def plans(self) -> list[int]:
        """Those to look up, each once."""
        shown = [found.case.plan for found, _ in self.shown]
        return [*dict.fromkeys([*shown, *(found.case.plan for _, found in self.just_rejected)])]


def everywhere(_: str | None) -> bool:
    """Explores in any namespace."""
    return True


class ExampleSelector:
    """Reads decided plans only: what is pending teaches nothing, whatever its stars."""

    def __init__(
        self,
        ledger: FeedbackLedger,
        explores_in: Callable[[str | None], bool] = everywhere,
        *,
        book: LessonBook | None = None,
        environments: Environments = OUR_OWN,
    ) -> None:
        """Follows the ledger from here on; a book that is given follows it already.

        New actions are tried in some namespaces only.
        """
        self._ledger = ledger
        self._explores_in = explores_in
        self._environments = environments
        self._index = CaseIndex()
        ledger.watch(self._index)
        self._book = book or LessonBook()
        if book is None:
            ledger.watch(self._book)

    @again_if_rewritten
    async def guide(self, analysis: Analysis, findings: Findings, entities: Entities) -> Guidance:
        """What earlier decisions say about the incident at hand."""
        signatures = signatures_of(analysis, findings, entities, self._environments)
        optimism = OPTIMISM if self._explores(analysis, entities) else 0.0
        async with self._ledger.reading() as turn:
            choice = choose(signatures, self._index, optimism)
            rules = active(self._book.rules(), turn.switches)
            records = dict(zip(choice.plans, await turn.records(choice.plans), strict=True))
        examples = (
            _example(records[found.case.plan], found, role, signatures[0])
            for found, role in choice.shown
        )
        refused = ((action, records[found.case.plan]) for action, found in choice.just_rejected)
        rejected = (
            JustRejected(action, record.feedback_id, _note(record), put_instead(record, action))
            for action, record in refused
        )
        lessons = lessons_for(signatures[0], choice.scoreboard, rules) if signatures else ()
        return Guidance(
            examples=tuple(examples),
            scoreboard=choice.scoreboard,
            lessons=lessons,
            note=choice.note,
            just_rejected=tuple(rejected),
        )

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
    ours, refused = signatures[0], just_rejected(neighbours, signatures[0])
    found = estimates(ours, neighbours, index)
    scores = put_down(scoreboard(found), refused)
    best = max((line.score for line in scores), default=1.0)
    explores = optimism > 0 and best < ACCEPTANCE
    if explores:
        scores = put_down(scoreboard(found, optimism), refused)
    accepted = _accepted(neighbours, scores, ours)
    also = demonstration(neighbours, [found for found, _ in accepted])
    edited = ((found, ExampleRole.ACCEPTED) for found in also)
    return Choice(
        shown=(*accepted, *edited, *_rejected(neighbours)),
        scoreboard=scores[:SCOREBOARD_LIMIT],
        note=NOTHING_GOOD if explores else "",
        just_rejected=tuple(refused.items()),
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
    neighbours: Sequence[Neighbour], scores: Sequence[ActionScore], ours: Signature
) -> list[tuple[Neighbour, ExampleRole]]:
    """The best action's best plan first; then others that convince, each with other actions."""
    score_of = {line.action: line.score for line in scores if not line.is_put_down}
    chosen: dict[tuple[str, ...], Neighbour] = {}
    able = [
        one for one in neighbours if one.case.reward >= ACCEPTANCE and _accepted_here(one, ours)
    ]
    for neighbour in sorted(able, key=lambda found: -_conviction(found, score_of, ours)):
        chosen.setdefault(neighbour.case.judgement.accepted, neighbour)
    return [(found, ExampleRole.ACCEPTED) for found in [*chosen.values()][:ACCEPTED_LIMIT]]


def _conviction(neighbour: Neighbour, score_of: dict[str, float], ours: Signature) -> float:
    """The best accepted action's score here, then similarity and reward."""
    accepted = _accepted_here(neighbour, ours)
    best = max((score_of.get(action, 0.0) for action in accepted), default=0.0)
    return best * neighbour.here * neighbour.case.reward


def _accepted_here(neighbour: Neighbour, ours: Signature) -> list[str]:
    """What people accepted there that makes sense here."""
    return [one.action for one in said_here(neighbour, ours) if one.credit >= ACCEPTANCE]


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


def _example(
    record: FeedbackRecord, neighbour: Neighbour, role: ExampleRole, ours: Signature
) -> Example:
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
        edits=edits_of(record),
        facets=facets_of(neighbour.case.facets, ours),
    )


def _commands(record: FeedbackRecord, is_meant: Claim) -> tuple[str, ...]:
    """As they were proposed; those that were accepted as the reviewer changed them."""
    edits = {
        verdict.command: verdict.edited_to
        for verdict in record.verdicts
        if verdict.decision is CommandDecision.EDITED and verdict.edited_to
    }
    texts = [credit.command.command for credit in record.credits if is_meant(credit)]
    final = edits if is_meant is is_accepted else {}
    return tuple(final.get(text, text) for text in texts[:COMMANDS_LIMIT])


def _reason(record: FeedbackRecord, neighbour: Neighbour, role: ExampleRole) -> str:
    stars = f", rated {record.rating.rating} of 5" if record.rating.rating else ""
    reward = "unknown" if record.reward is None else f"{record.reward:.2f}"
    return (
        f"Similarity {neighbour.here:.2f} to this incident; reviewers {_decision(record, role)}"
        f"{stars}; reward {reward}."
    )


def _decision(record: FeedbackRecord, role: ExampleRole) -> str:
    decided = record.approved_count + record.rejected_count
    changed = sum(one.decision is CommandDecision.EDITED for one in record.verdicts)
    if role is ExampleRole.ACCEPTED:
        edits = f", changed {changed} of them" if changed else ""
        return f"approved {record.approved_count} of {decided} commands{edits}"
    if changed and not record.rejected_count:
        return f"changed {changed} of {decided} commands"
    edits = f" and changed {changed}" if changed else ""
    return f"rejected {record.rejected_count}{edits} of {decided} commands"


def _note(record: FeedbackRecord) -> str:
    said = (record.rejection_reason, record.rating.comments, record.rating.improvements)
    return clip("; ".join(text for text in said if text))
