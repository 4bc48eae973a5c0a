"""The plans of one workflow do not pull at one object in two directions: the first plan wins (pure)."""

from collections.abc import Sequence

from app.domain.plan import Phase, Plan, RollbackCommand, Step
from app.kubectl.contradiction import contradicts


def consistent(plans: Sequence[Plan]) -> tuple[Plan, ...]:
    """The plans without what contradicts an earlier one, and a sentence in its place."""
    changes: list[str] = []
    kept: list[Plan] = []
    for plan in plans:
        kept.append(_without_contradictions(plan, changes))
        changes += [command.command for step in kept[-1].steps for command in step.commands]
    return tuple(kept)


def _without_contradictions(plan: Plan, changes: Sequence[str]) -> Plan:
    steps = tuple(_step(step, changes) for step in plan.steps)
    if steps == plan.steps:
        return plan
    is_left = any(step.phase is Phase.REMEDIATE and step.commands for step in steps)
    by_hand = plan.requires_manual_intervention or not is_left
    return plan.model_copy(update={"steps": steps, "requires_manual_intervention": by_hand})


def _step(step: Step, changes: Sequence[str]) -> Step:
    left_out = [one.command for one in step.commands if contradicts(one.command, changes)]
    if not left_out:
        return step
    commands = tuple(one for one in step.commands if one.command not in left_out)
    said = f"Left out: {'; '.join(left_out)}, which contradicts an earlier plan of this workflow."
    rollback: tuple[RollbackCommand, ...] = step.rollback_commands if commands else ()
    return step.model_copy(
        update={
            "description": f"{step.description} {said}".strip(),
            "commands": commands,
            "rollback_commands": rollback,
        }
    )
