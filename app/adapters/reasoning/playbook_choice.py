"""Which remedy comes first: the playbook's order, changed by what people decided before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.adapters.reasoning.playbook_model import Playbook, Remedy
from app.adapters.reasoning.playbook_text import Parameters, render, render_all, render_command
from app.domain.guidance import (
    ActionScore,
    Example,
    ExampleRole,
    Guidance,
    JustRejected,
    Lesson,
)
from app.domain.plan import Command

FIRST_CHOICE = 0.65
STEP_BETWEEN_CHOICES = 0.1
WEIGHT_OF_PEOPLE = 0.7
"""How much decisions count against the playbook's own order, once there are any."""

REFUSED_BELOW = 0.35
"""An action that people refuse is not proposed again, however good it looks here."""

WELCOME_ABOVE = 0.6


@dataclass(frozen=True, slots=True)
class Offer:
    """A remedy whose commands are complete, and how it stands."""

    remedy: Remedy
    action: str
    does: str
    commands: tuple[Command, ...]
    pros: tuple[str, ...]
    cons: tuple[str, ...]
    worth: float
    is_refused: bool
    is_doubtful: bool
    """Whether it was just rejected, and is not welcome all the same: anything else goes first."""
    again: str
    """Why it is proposed although it was just rejected; empty when it was not."""
    reason: str


def offers(book: Playbook, known: Parameters, guidance: Guidance) -> tuple[Offer, ...]:
    """The remedies that can be carried out, best first."""
    possible = [
        offer
        for place, remedy in enumerate(book.remedies)
        if (offer := _offer(remedy, place, known, guidance))
    ]
    ranked = sorted(possible, key=lambda offer: (offer.is_refused, offer.is_doubtful, -offer.worth))
    return _explained(ranked, possible)


def _offer(remedy: Remedy, place: int, known: Parameters, guidance: Guidance) -> Offer | None:
    commands = [render_command(template, known) for template in remedy.commands]
    complete = tuple(command for command in commands if command)
    action, does = render(remedy.action, known), render(remedy.does, known)
    if len(complete) < len(commands) or not action or not does:
        return None
    action = action[:1].lower() + action[1:]
    score = guidance.score_of(action)
    rejected = _examples(guidance, action, ExampleRole.REJECTED)
    lessons = guidance.lessons_on(action)
    last = guidance.last_rejection_of(action)
    default = FIRST_CHOICE - STEP_BETWEEN_CHOICES * place
    return Offer(
        remedy=remedy,
        action=action,
        does=does,
        commands=complete,
        pros=render_all(remedy.pros, known),
        cons=render_all(remedy.cons, known),
        worth=_worth(default, score, lessons),
        is_refused=_is_refused(score, rejected, guidance, action),
        is_doubtful=last is not None and not _is_welcome(score),
        again=_again(score) if last else "",
        reason=" ".join(_reasons(action, score, guidance)),
    )


def _worth(default: float, score: ActionScore | None, lessons: Sequence[Lesson]) -> float:
    """A score knows the lessons' decisions already; they stand in where nothing alike was decided."""
    said = [score.score] if score else [lesson.acceptance for lesson in lessons]
    if not said:
        return default
    return (1 - WEIGHT_OF_PEOPLE) * default + WEIGHT_OF_PEOPLE * min(said)


def _is_welcome(score: ActionScore | None) -> bool:
    return score is not None and bool(score.approved) and score.score >= WELCOME_ABOVE


def _again(score: ActionScore | None) -> str:
    if score is None or not _is_welcome(score):
        return "It is proposed again because no better remedy is known for this case."
    decided = score.approved + score.rejected
    return f"It is proposed again because it was approved {score.approved} of {decided} times."


def _reasons(action: str, score: ActionScore | None, guidance: Guidance) -> Iterator[str]:
    rejected = _examples(guidance, action, ExampleRole.REJECTED)
    said = _reason(action, score, rejected, guidance)
    last = guidance.last_rejection_of(action)
    if said and not (last and _is_welcome(score)):
        yield said
    if last and not (score and score.score < REFUSED_BELOW):
        yield _last_time(last)
    yield from (lesson.sentence for lesson in guidance.lessons_on(action))
    for edit in guidance.edits_of(action):
        yield f"People changed “{edit.proposed}” to “{edit.changed_to}” on an incident like this."


def _last_time(last: JustRejected) -> str:
    why = f": “{last.note}”" if last.note else ""
    return (
        f"{last.action.partition('/')[0]} was rejected the last time on an incident like this{why}."
    )


def _is_refused(
    score: ActionScore | None, rejected: Sequence[Example], guidance: Guidance, action: str
) -> bool:
    if score is not None and score.rejected:
        return score.score < REFUSED_BELOW
    return bool(rejected) and not _examples(guidance, action, ExampleRole.ACCEPTED)


def _examples(guidance: Guidance, action: str, role: ExampleRole) -> list[Example]:
    return [
        example
        for example in guidance.examples
        if example.role is role and action in example.actions
    ]


def _reason(
    action: str, score: ActionScore | None, rejected: Sequence[Example], guidance: Guidance
) -> str:
    name = action.partition("/")[0]
    note = next((example.note for example in rejected if example.note), "")
    if score and score.rejected and score.score < REFUSED_BELOW:
        decided = score.approved + score.rejected
        why = f": “{note}”" if note else ""
        return (
            f"{name} was rejected {score.rejected} of {decided} times on incidents like this{why}."
        )
    if rejected and not score:
        return f"{name} was rejected on an incident like this{f': “{note}”' if note else ''}."
    if score and score.approved and score.score >= WELCOME_ABOVE:
        decided = score.approved + score.rejected
        return f"{name} was approved {score.approved} of {decided} times on incidents like this."
    if _examples(guidance, action, ExampleRole.ACCEPTED):
        return f"{name} was approved on an incident like this."
    return ""


def _explained(ranked: Sequence[Offer], by_default: Sequence[Offer]) -> tuple[Offer, ...]:
    """Where decisions changed the order, the first offer says so."""
    if not ranked or ranked[0].is_refused:
        return tuple(ranked)
    first, passed_over = ranked[0], by_default[0]
    parts = [first.reason, first.again]
    if first is not passed_over:
        parts += [passed_over.reason, f"Proposing {first.action} instead of it."]
    reason = " ".join(part for part in parts if part)
    return (replace(first, reason=reason), *ranked[1:])
