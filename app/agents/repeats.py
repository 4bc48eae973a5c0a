"""A plan that repeats what was just rejected says so: to its reader, and to whoever decides (pure)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.domain.guidance import JustRejected
from app.domain.plan import Plan, Remediation, Step
from app.kubectl.parser import parse
from app.kubectl.words import UnparseableCommand

SAYS_SO = "reject"
"""A description with this in it speaks of the rejection itself."""


@dataclass(frozen=True, slots=True)
class Repeats:
    """An answer whose repetitions are explained, and the one sentence about them."""

    answer: Remediation
    note: str
    """Empty when nothing is repeated."""


def explained(answer: Remediation, just_rejected: Sequence[JustRejected]) -> Repeats:
    """Whatever the engine was told, no rejected action comes again without a word about it."""
    by_action = {one.action: one for one in just_rejected}
    plans = tuple(_with_words(plan, by_action) for plan in answer.remediation_plans)
    repeated = {
        one.action: one
        for plan in plans
        for step in plan.steps
        for one in _repeated(step, by_action)
    }
    note = "; ".join(f"planned again: {one.sentence}" for one in repeated.values())
    return Repeats(answer.model_copy(update={"remediation_plans": plans}), note)


def _with_words(plan: Plan, by_action: Mapping[str, JustRejected]) -> Plan:
    steps = tuple(_explained_step(step, by_action) for step in plan.steps)
    return plan.model_copy(update={"steps": steps})


def _explained_step(step: Step, by_action: Mapping[str, JustRejected]) -> Step:
    repeated = [*_repeated(step, by_action)]
    told = step.description
    if SAYS_SO in told.lower() or all(one.sentence in told for one in repeated):
        return step
    said = ". ".join(
        f"The plan does not say why it repeats this: {one.sentence}" for one in repeated
    )
    return step.model_copy(update={"description": f"{step.description} {said}.".strip()})


def _repeated(step: Step, by_action: Mapping[str, JustRejected]) -> Iterator[JustRejected]:
    actions = dict.fromkeys(_action(command.command) for command in step.commands)
    return (by_action[action] for action in actions if action in by_action)


def _action(text: str) -> str:
    try:
        return parse(text).action
    except UnparseableCommand:
        return ""
