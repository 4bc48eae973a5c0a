"""Plans do not pull at one object in two directions, whatever an engine answers."""

import pytest

from app.agents.remediation import plan_remedies
from app.domain.answer import Entities
from app.domain.guidance import Guidance
from app.domain.incident import Analysis
from app.domain.logbatch import LogBatch
from app.domain.plan import Command, Phase, Plan, Remediation, RollbackCommand, Step
from tests.unit.agents.test_repeats import Heard, Scripted

UP = "kubectl scale deployment/cart --current-replicas=3 --replicas=4 -n shop"
DOWN = "kubectl scale deployment/cart --replicas=2 -n shop"
UNDO = "kubectl rollout undo deployment/cart -n shop"


def plan_of(*commands: str) -> Plan:
    step = Step(
        phase=Phase.REMEDIATE,
        description="Change it.",
        commands=tuple(Command(command=command) for command in commands),
        rollback_commands=(RollbackCommand(command=UNDO),),
    )
    return Plan(issue="load", service="cart", steps=(step,))


async def agreed(*plans: Plan) -> Remediation:
    batch = LogBatch(0, 0, (), 0, (), is_complete=True, entities=Entities(), redactions=())
    scripted = Scripted(Remediation(remediation_plans=plans))
    return await plan_remedies(batch, Analysis(), Guidance(), scripted, Heard())


async def test_the_first_plan_wins_and_the_other_says_what_it_leaves_out():
    answer = await agreed(plan_of(UP), plan_of(DOWN, UNDO))

    first, second = (plan.steps[0] for plan in answer.remediation_plans)
    assert [one.command for one in first.commands] == [UP]
    assert [one.command for one in second.commands] == [UNDO]
    assert second.description == (
        f"Change it. Left out: {DOWN}, which contradicts an earlier plan of this workflow."
    )
    assert answer.remediation_summary.automated_fixes == 2


async def test_a_plan_of_which_nothing_is_left_is_left_to_a_person():
    answer = await agreed(plan_of(UP), plan_of(DOWN))

    second = answer.remediation_plans[1]
    assert not second.steps[0].commands
    assert not second.steps[0].rollback_commands
    assert second.requires_manual_intervention
    assert answer.remediation_summary.automated_fixes == 1
    assert answer.remediation_summary.manual_interventions == 1


@pytest.mark.parametrize("plans", [(plan_of(UP), plan_of(UP)), (plan_of(DOWN, UP),)])
async def test_a_repetition_and_one_plan_in_itself_are_no_contradiction(plans: tuple[Plan, ...]):
    answer = await agreed(*plans)

    assert [plan.steps[0].commands for plan in answer.remediation_plans] == [
        plan.steps[0].commands for plan in plans
    ]
