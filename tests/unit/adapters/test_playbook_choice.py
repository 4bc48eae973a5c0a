"""Which remedy the playbooks propose, by what stands around the failure and what people decided."""

import pytest

from app.adapters.reasoning.playbook import PlaybookReasoner
from app.domain.guidance import (
    ActionScore,
    Edit,
    Example,
    ExampleRole,
    Guidance,
    JustRejected,
)
from app.domain.plan import Plan
from app.intake.batch import read_batch
from app.kubectl.parser import parse
from tests.unit.adapters.playbook_session import investigate

THROTTLED = """$ kubectl get deployment,pods -n shop
deployment.apps/cart   3/3   3   3   41d
pod/cart-6f7d8c9b5-x2x4z   1/1   Running   0   40m
cart: CPUThrottlingHigh: 78% throttling of CPU in namespace shop for container web in pod cart-6f7d8c9b5-x2x4z, cpu limit 500m
"""
CHANGED = "Normal   ScalingReplicaSet  4m  deployment-controller  Scaled up replica set cart-6f7d8c9b5 to 3\n"
LIMIT, SCALE, UNDO, RESTART = (
    "set resources/deployment",
    "scale/deployment",
    "rollout undo/deployment",
    "rollout restart/deployment",
)
EVERY = (LIMIT, SCALE, UNDO, RESTART)


@pytest.fixture(scope="module")
def reasoner() -> PlaybookReasoner:
    return PlaybookReasoner()


async def planned(reasoner: PlaybookReasoner, text: str, guidance: Guidance | None = None) -> Plan:
    session = await investigate(reasoner, read_batch(text), guidance or Guidance())
    (plan,) = session.remediation.remediation_plans
    return plan


def action(plan: Plan) -> str:
    """The one action of the step that changes something; nothing where it is left to a person."""
    return " ".join(parse(command.command).action for command in plan.steps[1].commands)


def words(plan: Plan) -> str:
    return plan.steps[1].description


def scored(**scores: tuple[float, int, int]) -> tuple[ActionScore, ...]:
    names = {"limit": LIMIT, "scale": SCALE, "undo": UNDO, "restart": RESTART}
    return tuple(ActionScore(names[name], *said) for name, said in scores.items())


def changed(edit: Edit) -> Guidance:
    """One approved plan, with what people changed in it."""
    example = Example(
        feedback_id="w_remediation_1",
        role=ExampleRole.ACCEPTED,
        reason="",
        similarity=1.0,
        reward=0.75,
        issue="",
        actions=(LIMIT,),
        commands=(edit.changed_to,),
        note="",
        edits=(edit,),
    )
    return Guidance(examples=(example,))


def refused(*actions: str) -> Guidance:
    """Everybody said no, the last time as well."""
    return Guidance(
        scoreboard=tuple(ActionScore(one, 0.1, 0, 3) for one in actions),
        just_rejected=tuple(JustRejected(one, "w_remediation_1", "not here") for one in actions),
    )


async def test_a_rejected_remedy_gives_way_to_the_next_untried_one(reasoner: PlaybookReasoner):
    by_habit = await planned(reasoner, THROTTLED)
    next_one = await planned(reasoner, THROTTLED, refused(LIMIT))
    last_one = await planned(reasoner, THROTTLED, refused(LIMIT, UNDO, RESTART))

    assert action(by_habit) == LIMIT
    assert action(next_one) in EVERY
    assert action(next_one) != LIMIT
    assert action(last_one) == SCALE
    assert "set resources was rejected 3 of 3 times on incidents like this" in words(last_one)


async def test_more_replicas_are_those_of_the_text_and_only_if_it_is_right(
    reasoner: PlaybookReasoner,
):
    plan = await planned(reasoner, THROTTLED, refused(LIMIT, UNDO, RESTART))

    assert [command.command for command in plan.steps[1].commands] == [
        "kubectl scale deployment/cart --current-replicas=3 --replicas=4 -n shop"
    ]
    assert plan.steps[1].rollback_commands[0].command == (
        "kubectl scale deployment/cart --replicas=3 -n shop"
    )


async def test_after_a_change_the_first_choice_is_to_take_it_back(reasoner: PlaybookReasoner):
    plan = await planned(reasoner, CHANGED + THROTTLED)

    assert action(plan) == UNDO
    assert "There was a change shortly before (line 1: Normal   ScalingReplicaSet" in words(plan)


@pytest.mark.parametrize(
    "line",
    [
        "deployment/cart was rolled out to a new revision 4 minutes ago",
        "cart: release deployed v2.4 by the pipeline",
        "errors since the last deployment",
        "$ helm upgrade cart ./chart -n shop",
        "config map cart-settings was updated",
    ],
)
async def test_a_change_is_known_however_it_is_told(reasoner: PlaybookReasoner, line: str):
    session = await investigate(reasoner, read_batch(f"{line}\n{THROTTLED}"))

    (cause,) = session.analysis.root_cause_analysis
    assert cause.contributing_factors[-1].startswith(f"Changed shortly before: line 1: {line[:40]}")


@pytest.mark.parametrize(
    "line",
    [
        "deployed version 2.3 41 days ago",
        "no recent deployment of cart",
        "Normal  ScalingReplicaSet  4m  deployment-controller  Scaled up replica set mail-7c9b44d6f8 to 1",
        "kubectl get deployment -n shop",
    ],
)
async def test_what_is_long_ago_or_of_another_is_no_change(reasoner: PlaybookReasoner, line: str):
    session = await investigate(reasoner, read_batch(f"{line}\n{THROTTLED}"))

    (cause,) = session.analysis.root_cause_analysis
    assert not [factor for factor in cause.contributing_factors if "Changed" in factor]


async def test_where_everything_was_just_rejected_a_person_is_asked_and_told_why(
    reasoner: PlaybookReasoner,
):
    plans = [
        await planned(reasoner, THROTTLED.replace("78%", f"{share}%"), refused(*EVERY))
        for share in range(60, 90)
    ]

    by_hand = [plan for plan in plans if plan.requires_manual_intervention]
    again = [plan for plan in plans if not plan.requires_manual_intervention]
    assert len(by_hand) > len(again) > 0
    assert all("were rejected on incidents like it" in words(plan) for plan in by_hand)
    for plan in again:
        assert "was rejected 3 of 3 times on incidents like this: “not here”." in words(plan) or (
            "was rejected 3 of 3 times on incidents like this." in words(plan)
        )
        assert "It is proposed again because no better remedy is known for this case." in words(
            plan
        )


async def test_what_some_rejected_is_proposed_with_a_word_about_it(reasoner: PlaybookReasoner):
    guidance = Guidance(scoreboard=scored(limit=(0.7, 4, 2), scale=(0.2, 0, 2)))

    plan = await planned(reasoner, THROTTLED, guidance)

    assert action(plan) == LIMIT
    assert "People rejected it 2 of 6 times on incidents like this" in words(plan)


async def test_of_what_is_refused_the_likeliest_to_be_accepted_is_proposed(
    reasoner: PlaybookReasoner,
):
    said = scored(limit=(0.06, 0, 28), scale=(0.3, 0, 1), undo=(0.1, 0, 3), restart=(0.2, 0, 2))

    plan = await planned(reasoner, THROTTLED, Guidance(scoreboard=said))

    assert action(plan) == SCALE


async def test_what_nobody_accepts_any_more_is_left_to_a_person(reasoner: PlaybookReasoner):
    said = tuple(ActionScore(one, 0.001, 0, 28) for one in EVERY)
    plans = [
        await planned(reasoner, THROTTLED.replace("78%", f"{share}%"), Guidance(scoreboard=said))
        for share in range(60, 90)
    ]

    by_hand = [plan for plan in plans if plan.requires_manual_intervention]
    assert len(by_hand) > len(plans) - len(by_hand) > 0


async def test_a_value_that_people_changed_is_proposed_as_they_changed_it(
    reasoner: PlaybookReasoner,
):
    proposed = (
        "kubectl set resources deployment/mailer --containers=app --limits=cpu=1000m -n crm-dev"
    )
    by_habit = await planned(reasoner, THROTTLED)
    (command,) = by_habit.steps[1].commands
    assert "--limits=cpu=1000m" in command.command

    after = await planned(
        reasoner,
        THROTTLED,
        changed(Edit(LIMIT, proposed, proposed.replace("1000m", "750m").replace("app", "main"))),
    )
    other = await planned(
        reasoner, THROTTLED, changed(Edit(LIMIT, proposed, "kubectl scale deployment/mailer"))
    )

    (adapted,) = after.steps[1].commands
    assert adapted.command == command.command.replace("1000m", "750m")
    assert "“--limits=cpu=750m” instead of “--limits=cpu=1000m”" in words(after)
    assert other.steps[1].commands == by_habit.steps[1].commands


async def test_what_fared_well_is_no_reason_against_itself(reasoner: PlaybookReasoner):
    said = scored(limit=(0.75, 7, 2), restart=(0.95, 9, 0))

    plan = await planned(reasoner, THROTTLED, Guidance(scoreboard=said))

    assert action(plan) == RESTART
    assert "rollout restart was approved 9 of 9 times" in words(plan)
    assert "set resources" not in words(plan)


async def test_the_same_verb_on_another_kind_of_workload_says_something(
    reasoner: PlaybookReasoner,
):
    liked = ActionScore("scale/statefulset", 0.95, 9, 0)

    without = await planned(reasoner, THROTTLED, Guidance(scoreboard=scored(limit=(0.45, 1, 1))))
    with_kin = await planned(
        reasoner, THROTTLED, Guidance(scoreboard=(*scored(limit=(0.45, 1, 1)), liked))
    )

    assert action(without) != SCALE
    assert action(with_kin) == SCALE


async def test_a_probe_is_given_longer_than_it_had(reasoner: PlaybookReasoner):
    text = """$ kubectl describe pod cart-6f7d8c9b5-x2x4z -n shop
Name:           cart-6f7d8c9b5-x2x4z
Namespace:      shop
Controlled By:  ReplicaSet/cart-6f7d8c9b5
Containers:
  web:
    Liveness:  http-get http://:8080/healthz delay=5s timeout=4s period=10s
Events:
  Warning  Unhealthy  1m (x9 over 9m)  kubelet  Liveness probe failed: context deadline exceeded
  Normal   Killing    1m (x3 over 9m)  kubelet  Container web failed liveness probe, will be restarted
"""

    plan = await planned(reasoner, text, refused(UNDO, RESTART, SCALE))

    assert [command.command for command in plan.steps[1].commands] == [
        "kubectl patch deployment/cart --type=strategic -p "
        '\'{"spec":{"template":{"spec":{"containers":[{"name":"web","livenessProbe":'
        '{"timeoutSeconds":12}}]}}}}\' -n shop'
    ]
