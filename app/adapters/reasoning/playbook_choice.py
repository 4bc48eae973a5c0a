"""Which remedy comes first: the playbook's order, changed by what people decided before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from app.adapters.reasoning.playbook_edits import swapped, swaps_for
from app.adapters.reasoning.playbook_model import Remedy
from app.adapters.reasoning.playbook_text import Parameters, render, render_all, render_command
from app.domain.guidance import (
    ActionScore,
    Example,
    ExampleRole,
    Guidance,
    Lesson,
)
from app.domain.plan import Command

FIRST_CHOICE = 0.65
STEP_BETWEEN_CHOICES = 0.1
AFTER_A_CHANGE = 0.2
"""By how much a remedy that takes a change back looks better where one came shortly before."""

UNTRIED = 0.5
"""What is expected of an action that nobody decided on yet, where others were decided."""

RETRIED_ONCE_IN = 5
"""Of so many incidents for which every remedy was rejected, one gets the best of them again."""

WEIGHT_OF_PEOPLE = 0.7
"""How much decisions count against the playbook's own order, once there are any."""

REFUSED_BELOW = 0.35
"""An action that people refuse is not proposed again, however good it looks here."""

HOPELESS_BELOW = 0.01
"""Nobody wants to refuse the same for the twentieth time: then a person is asked."""

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
    default: float
    """How good it looks by habit alone."""
    expected: float | None
    """How likely people accept it; None where they decided nothing that tells."""
    worth: float
    """Both together."""
    is_refused: bool
    is_doubtful: bool
    """Whether it was just rejected, and is not welcome all the same: anything else goes first."""
    again: str
    """Why it is proposed although it was just rejected; empty when it was not."""
    despite: str
    """Why it is proposed although it was rejected before; empty when it was not."""
    reason: str

    @property
    def is_against(self) -> bool:
        """Whether people speak against it."""
        is_expected = self.expected is None or self.expected >= WELCOME_ABOVE
        return self.is_doubtful or not is_expected


@dataclass(frozen=True, slots=True)
class Choice:
    """What is proposed, and every remedy that can be carried out, best first."""

    chosen: Offer | None
    """None where nothing is to be proposed."""
    offers: tuple[Offer, ...]


def choose(remedies: Sequence[Remedy], known: Parameters, guidance: Guidance, seed: str) -> Choice:
    """The best remedy that people do not refuse; `seed` tells incidents apart for what is retried."""
    possible = sorted(_offers(remedies, known, guidance), key=lambda offer: -offer.default)
    ranked = sorted(possible, key=_place)
    if not ranked:
        return Choice(None, ())
    if ranked[0].is_refused and not _is_retried(ranked[0], seed):
        return Choice(None, tuple(ranked))
    chosen = _explained(ranked[0], possible[0])
    return Choice(chosen, (chosen, *ranked[1:]))


def _place(offer: Offer) -> tuple[bool, bool, float]:
    """What is refused is left with what people say of it, however good it looks by habit."""
    merit = (offer.expected or 0.0) if offer.is_refused else offer.worth
    return offer.is_refused, offer.is_doubtful, -merit


def _offers(remedies: Sequence[Remedy], known: Parameters, guidance: Guidance) -> Iterator[Offer]:
    """Those whose commands are complete."""
    for place, remedy in enumerate(remedies):
        default = FIRST_CHOICE - STEP_BETWEEN_CHOICES * place
        if remedy.reverts and known.first("change"):
            default += AFTER_A_CHANGE
        offer = _offer(remedy, default, known, guidance)
        if offer:
            yield offer


def _is_retried(refused: Offer, seed: str) -> bool:
    """What somebody may accept; the rest now and then, as people change their minds."""
    is_open = not refused.is_doubtful and (refused.expected or 0.0) >= HOPELESS_BELOW
    return is_open or crc32(seed.encode()) % RETRIED_ONCE_IN == 0


def _offer(remedy: Remedy, default: float, known: Parameters, guidance: Guidance) -> Offer | None:
    commands = [render_command(template, known) for template in remedy.commands]
    complete = tuple(command for command in commands if command)
    action, does = render(remedy.action, known), _does(remedy, known)
    if len(complete) < len(commands) or not action or not does:
        return None
    action = action[:1].lower() + action[1:]
    score = guidance.score_of(action)
    lessons = guidance.lessons_on(action)
    last = guidance.last_rejection_of(action)
    is_refused = _is_refused(score)
    expected = _expected(action, score, lessons, guidance)
    swaps = swaps_for(complete, guidance.edits_of(action))
    return Offer(
        remedy=remedy,
        action=action,
        does=does,
        commands=tuple(swapped(command, swaps) for command in complete),
        pros=render_all(remedy.pros, known),
        cons=render_all(remedy.cons, known),
        default=default,
        expected=expected,
        worth=_worth(default, expected),
        is_refused=is_refused,
        is_doubtful=last is not None and not _is_welcome(score),
        again=_again(score) if last or is_refused else "",
        despite=_despite(score),
        reason=" ".join([*_reasons(action, score, guidance), *_changes(swaps)]),
    )


def _does(remedy: Remedy, known: Parameters) -> str | None:
    does, change = render(remedy.does, known), known.first("change")
    if does and change and remedy.reverts and change not in does:
        return f"{does} There was a change shortly before ({change})."
    return does


def _worth(default: float, expected: float | None) -> float:
    if expected is None:
        return default
    return (1 - WEIGHT_OF_PEOPLE) * default + WEIGHT_OF_PEOPLE * expected


def _expected(
    action: str, score: ActionScore | None, lessons: Sequence[Lesson], guidance: Guidance
) -> float | None:
    """How likely people accept it; None where they decided nothing that tells.

    A score knows the lessons' decisions already; they stand in where nothing alike was decided.
    What fared so or so on another kind of workload says half as much.
    """
    if score:
        return score.score
    if lessons:
        return min(lesson.acceptance for lesson in lessons)
    verb = action.partition("/")[0]
    kin = [line.score for line in guidance.scoreboard if line.action.partition("/")[0] == verb]
    if kin:
        return (UNTRIED + sum(kin) / len(kin)) / 2
    return UNTRIED if guidance.scoreboard else None


def _is_welcome(score: ActionScore | None) -> bool:
    return score is not None and bool(score.approved) and score.score >= WELCOME_ABOVE


def _again(score: ActionScore | None) -> str:
    if score is None or not _is_welcome(score):
        return "It is proposed again because no better remedy is known for this case."
    decided = score.approved + score.rejected
    return f"It is proposed again because it was approved {score.approved} of {decided} times."


def _despite(score: ActionScore | None) -> str:
    if score is None or not score.rejected:
        return ""
    return (
        f"People rejected it {score.rejected} of {score.approved + score.rejected} times on "
        f"incidents like this; the expected acceptance is {score.score:.0%}."
    )


def _reasons(action: str, score: ActionScore | None, guidance: Guidance) -> Iterator[str]:
    rejected = _examples(guidance, action, ExampleRole.REJECTED)
    said = _reason(action, score, rejected, guidance)
    last = guidance.last_rejection_of(action)
    if said and not (last and _is_welcome(score)):
        yield said
    if last and not (score and score.score < REFUSED_BELOW):
        yield f"{last.sentence}."
    yield from (lesson.sentence for lesson in guidance.lessons_on(action))
    for edit in guidance.edits_of(action):
        yield f"People changed “{edit.proposed}” to “{edit.changed_to}” on an incident like this."


def _changes(swaps: Mapping[str, str]) -> Iterator[str]:
    for before, after in swaps.items():
        yield f"It is proposed as they changed it: “{after}” instead of “{before}”."


def _is_refused(score: ActionScore | None) -> bool:
    return score is not None and bool(score.rejected) and score.score < REFUSED_BELOW


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
        said = f"{name} was rejected on an incident like this{f': “{note}”' if note else ''}"
        return f"{said}{_elsewhere(rejected)}."
    if score and score.approved and score.score >= WELCOME_ABOVE:
        decided = score.approved + score.rejected
        return f"{name} was approved {score.approved} of {decided} times on incidents like this."
    accepted = _examples(guidance, action, ExampleRole.ACCEPTED)
    if accepted and (score is None or score.score >= UNTRIED):
        return f"{name} was approved on an incident like this{_elsewhere(accepted)}."
    return ""


def _elsewhere(examples: Sequence[Example]) -> str:
    """What was different then, as far as it differed every time."""
    differing = [[facet for facet in one.facets if ", here " in facet] for one in examples]
    always = [facet for facet in differing[0] if all(facet in facets for facets in differing)]
    return f", in other circumstances ({'; '.join(always)})" if always else ""


def _explained(first: Offer, habit: Offer) -> Offer:
    """Where decisions changed the order, what is proposed says so."""
    parts = [first.reason, first.again or first.despite]
    if first.action != habit.action and habit.reason and habit.is_against:
        parts += [habit.reason, f"Proposing {first.action} instead of it."]
    return replace(first, reason=" ".join(part for part in parts if part))
