"""Selection: what is like the incident, liked or refused, with the reason; never what is pending."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.answer import Entities
from app.domain.approval import CommandDecision, CommandVerdict, Decision
from app.domain.feedback import Rating
from app.domain.guidance import Edit, ExampleRole, Guidance
from app.domain.incident import Analysis, Findings
from app.learning.judgement import ACCEPTANCE
from app.learning.selector import ExampleSelector
from tests.fakes.feedback import (
    OUT_OF_MEMORY,
    READ,
    RESTART,
    UNDO,
    Learning,
    analysis_of,
    open_learning,
    plan_of,
    report_of,
)

SCALE = "kubectl scale deployment/checkout --replicas=4 -n shop-prod"
IMAGE = "failed to pull image: manifest unknown"
VOLUME = "unbound immediate PersistentVolumeClaims, no storage class"


@pytest.fixture
async def learning(tmp_path: Path) -> AsyncIterator[Learning]:
    async with open_learning(tmp_path / "remediation_feedback.jsonl") as opened:
        yield opened


async def guide(learning: Learning, analysis: Analysis | None = None) -> Guidance:
    return await learning.selector.guide(analysis or analysis_of(), Findings(), Entities())


async def decide(
    learning: Learning,
    number: int,
    command: str,
    decision: Decision,
    *,
    analysis: Analysis | None = None,
    reason: str | None = None,
) -> None:
    """A plan of one read and one change, decided."""
    _, approval_id = await learning.plan(number, plan_of(READ, command), analysis)
    await learning.recorder.hear(report_of(approval_id, decision, reason=reason))


async def test_without_decisions_there_is_no_guidance(learning: Learning):
    assert await guide(learning) == Guidance()


async def test_an_approved_plan_is_shown_for_the_same_failure_of_another_service(
    learning: Learning,
):
    await decide(learning, 1, RESTART, Decision.APPROVED)

    other = analysis_of(
        "container api was OOMKilled: exit code 137, memory limit reached", service="api"
    )
    guidance = await guide(learning, other)

    (example,) = guidance.examples
    assert example.role is ExampleRole.ACCEPTED
    assert example.actions == ("rollout restart/deployment",)
    assert example.commands == (READ, RESTART)
    assert example.reason == (
        "Similarity 1.00 to this incident; reviewers approved 2 of 2 commands; reward 1.00."
    )


async def test_an_unlike_failure_gets_nothing(learning: Learning):
    await decide(learning, 1, RESTART, Decision.APPROVED)

    guidance = await guide(learning, analysis_of(VOLUME, mode="unbound_volume"))

    assert guidance == Guidance()


async def test_the_more_similar_plan_comes_first(learning: Learning):
    await decide(learning, 1, RESTART, Decision.APPROVED)
    image = analysis_of(IMAGE, mode="image_pull")
    await decide(learning, 2, UNDO, Decision.APPROVED, analysis=image)

    assert (await guide(learning)).examples[0].actions == ("rollout restart/deployment",)
    assert (await guide(learning, image)).examples[0].actions == ("rollout undo/deployment",)


async def test_a_rejected_plan_is_shown_with_its_reason(learning: Learning):
    await decide(learning, 1, RESTART, Decision.REJECTED, reason="It drops open carts")

    guidance = await guide(learning)

    (example,) = guidance.examples
    assert example.role is ExampleRole.REJECTED
    assert example.note == "It drops open carts"
    assert example.actions == ("rollout restart/deployment",)


async def test_after_a_rejection_the_other_action_scores_higher(learning: Learning):
    await decide(learning, 1, RESTART, Decision.REJECTED, reason="No")
    await decide(learning, 2, UNDO, Decision.APPROVED)

    guidance = await guide(learning)

    assert [line.action for line in guidance.scoreboard] == [
        "rollout undo/deployment",
        "rollout restart/deployment",
    ]
    restart = guidance.score_of("rollout restart/deployment")
    assert restart is not None
    assert (restart.approved, restart.rejected) == (0, 1)
    assert restart.score < 0.5 < guidance.scoreboard[0].score


async def test_where_everything_was_rejected_the_note_asks_for_something_else(learning: Learning):
    await decide(learning, 1, RESTART, Decision.REJECTED, reason="No")

    assert "something else" in (await guide(learning)).note


async def test_a_pending_plan_with_five_stars_teaches_nothing(learning: Learning):
    feedback_id, _ = await learning.plan(1)
    await learning.recorder.rate(feedback_id, Rating(rating=5, was_helpful=True))

    assert await guide(learning) == Guidance()


async def test_the_last_word_on_a_plan_counts(learning: Learning):
    await decide(learning, 1, RESTART, Decision.APPROVED)
    await guide(learning)
    await learning.recorder.hear(report_of("approval-1", Decision.REJECTED, reason="Reverted"))

    guidance = await guide(learning)

    assert [example.role for example in guidance.examples] == [ExampleRole.REJECTED]
    assert (guidance.scoreboard[0].approved, guidance.scoreboard[0].rejected) == (0, 1)


async def test_the_own_environments_word_weighs_more(learning: Learning):
    development = analysis_of(namespace="shop-dev")
    for number in range(1, 4):
        await decide(learning, number, RESTART, Decision.APPROVED, analysis=development)
        await decide(learning, number + 10, RESTART, Decision.REJECTED, reason="Not in production")

    production_score = (await guide(learning)).scoreboard[0].score
    development_score = (await guide(learning, development)).scoreboard[0].score

    assert production_score < 0.5 < development_score


async def test_a_reviewers_edit_is_what_is_shown(learning: Learning):
    _, approval_id = await learning.plan(1, plan_of(RESTART))
    edit = CommandVerdict(
        command=RESTART, decision=CommandDecision.EDITED, edited_to=f"{RESTART} --field-manager=ops"
    )
    await learning.recorder.hear(report_of(approval_id, commands=[edit]))

    (example,) = (await guide(learning)).examples

    assert example.commands == (f"{RESTART} --field-manager=ops",)
    assert example.edits == (
        Edit("rollout restart/deployment", RESTART, f"{RESTART} --field-manager=ops"),
    )
    assert "changed 1 of them" in example.reason


async def test_an_edit_is_shown_beside_plans_that_were_approved_as_they_were(learning: Learning):
    await decide(learning, 1, RESTART, Decision.APPROVED)
    _, approval_id = await learning.plan(2, plan_of(RESTART))
    edit = CommandVerdict(
        command=RESTART, decision=CommandDecision.EDITED, edited_to=f"{RESTART} --field-manager=ops"
    )
    await learning.recorder.hear(report_of(approval_id, commands=[edit]))

    plain, edited = (await guide(learning)).examples

    assert (plain.edits, plain.role) == ((), ExampleRole.ACCEPTED)
    assert [one.proposed for one in edited.edits] == [RESTART]


async def test_what_was_changed_into_another_action_is_shown_as_turned_down(learning: Learning):
    _, approval_id = await learning.plan(1, plan_of(RESTART))
    edit = CommandVerdict(command=RESTART, decision=CommandDecision.EDITED, edited_to=UNDO)
    await learning.recorder.hear(report_of(approval_id, commands=[edit]))

    (example,) = (await guide(learning)).examples

    assert (example.role, example.commands) == (ExampleRole.REJECTED, (RESTART,))
    assert "reviewers changed 1 of 1 commands" in example.reason
    assert [(one.proposed, one.changed_to) for one in example.edits] == [(RESTART, UNDO)]


async def test_what_people_put_instead_counts_as_approved_and_the_rest_as_changed(
    learning: Learning,
):
    _, approval_id = await learning.plan(1, plan_of(RESTART))
    edit = CommandVerdict(
        command=RESTART, decision=CommandDecision.EDITED, edited_to=SCALE, reason="one more"
    )
    await learning.recorder.hear(report_of(approval_id, commands=[edit]))

    known = await guide(learning)

    best, other = known.scoreboard
    assert (best.action, best.approved, best.rejected) == ("scale/deployment", 1, 0)
    assert other.action == "rollout restart/deployment"
    assert best.score > ACCEPTANCE > other.score
    (last,) = known.just_rejected
    assert last.changed_to == SCALE
    assert last.sentence == (
        f"rollout restart/deployment was changed to “{SCALE}” the last time on an incident "
        "like this (“one more”)"
    )
    assert await learning.report.improvements() == []


async def test_a_decision_on_taking_back_a_change_tells_nothing_where_there_was_none(
    learning: Learning,
):
    after_a_change = analysis_of(f"{OUT_OF_MEMORY} since the upgrade")
    await decide(learning, 1, UNDO, Decision.REJECTED, reason="nothing to undo")
    await decide(learning, 2, UNDO, Decision.APPROVED, analysis=after_a_change)

    here, there = await guide(learning), await guide(learning, after_a_change)

    assert [one.note for one in here.just_rejected] == ["nothing to undo"]
    assert [example.role for example in here.examples] == [ExampleRole.REJECTED]
    assert there.just_rejected == ()
    assert ExampleRole.ACCEPTED in {example.role for example in there.examples}


async def test_an_example_tells_where_its_circumstances_differ(learning: Learning):
    await decide(
        learning, 1, RESTART, Decision.APPROVED, analysis=analysis_of(namespace="shop-dev")
    )

    (example,) = (await guide(learning)).examples

    assert example.facets[:3] == (
        "failure oom_killed",
        "environment development, here production",
        "workload deployment",
    )
    assert "recent change no" in example.facets


async def test_the_last_decision_on_a_like_incident_makes_an_action_just_rejected(
    learning: Learning,
):
    await decide(learning, 1, RESTART, Decision.APPROVED)
    await decide(learning, 2, RESTART, Decision.REJECTED, reason="Not during the sale")
    (rejection,) = (await guide(learning)).just_rejected
    elsewhere = await guide(learning, analysis_of(VOLUME, mode="unbound_volume"))

    await decide(learning, 3, RESTART, Decision.APPROVED)

    assert (rejection.action, rejection.note) == (
        "rollout restart/deployment",
        "Not during the sale",
    )
    assert elsewhere.just_rejected == ()
    assert (await guide(learning)).just_rejected == ()


async def test_what_others_decide_in_another_process_is_used(tmp_path: Path, learning: Learning):
    async with open_learning(tmp_path / "remediation_feedback.jsonl") as other:
        await decide(other, 1, RESTART, Decision.APPROVED)

    assert (await guide(learning)).examples


async def test_a_selector_that_comes_late_knows_what_was_decided(learning: Learning):
    await decide(learning, 1, RESTART, Decision.APPROVED)
    await learning.report.statistics()

    late = ExampleSelector(learning.ledger)

    assert (await late.guide(analysis_of(), Findings(), Entities())).examples


async def test_an_action_that_was_refused_stays_on_the_scoreboard(learning: Learning):
    kinds = ("deployment", "statefulset", "daemonset")
    verbs = ("rollout restart", "rollout undo", "delete", "label", "annotate")
    actions = [f"kubectl {verb} {kind}/checkout" for verb in verbs for kind in kinds]
    for number, action in enumerate(actions):
        await decide(learning, number, action, Decision.APPROVED)
    await decide(learning, 99, "kubectl drain node-1", Decision.REJECTED, reason="Never")

    guidance = await guide(learning)

    assert guidance.scoreboard[-1].action.startswith("drain")
    assert guidance.scoreboard[-1].rejected == 1


async def test_in_a_namespace_that_forbids_it_nothing_is_tried_out(learning: Learning):
    await decide(learning, 1, RESTART, Decision.REJECTED, reason="No")
    careful = ExampleSelector(learning.ledger, lambda namespace: namespace != "shop-prod")

    here = await careful.guide(analysis_of(), Findings(), Entities())
    elsewhere = await careful.guide(analysis_of(namespace="shop-dev"), Findings(), Entities())

    # The bare score: (2 x .5 + 0) / 3 in production, then 2/9 on such failures, 2/27 here.
    assert here.scoreboard[0].score == pytest.approx(2 / 27)
    assert (here.note, bool(elsewhere.note)) == ("", True)
