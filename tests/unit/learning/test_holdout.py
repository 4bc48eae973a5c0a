"""The control group: who is in it, what is recorded of it, and that it gets nothing."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from app.domain.answer import Entities
from app.domain.approval import Decision
from app.domain.feedback import Proposed
from app.domain.guidance import ActionScore, Guidance
from app.domain.ids import WorkflowId
from app.domain.incident import Findings
from app.kubectl.policy import load_policy
from app.learning.holdout import Holdout, HoldoutSelector, assign, draw, sentence_of
from tests.fakes.feedback import WORKFLOW, Learning, analysis_of, open_learning, plan_of, report_of

KNOWN = Guidance(scoreboard=(ActionScore("scale/deployment", 0.8, 4, 1),))
IDS = [WorkflowId(str(UUID(int=number))) for number in range(4000)]


@pytest.fixture
async def learning(tmp_path: Path) -> AsyncIterator[Learning]:
    async with open_learning(tmp_path / "remediation_feedback.jsonl") as opened:
        _, approval_id = await opened.plan(1)
        await opened.recorder.hear(report_of(approval_id, Decision.APPROVED))
        yield opened


def with_share(learning: Learning, share: float) -> HoldoutSelector:
    policy = load_policy()
    holdout = Holdout(share, lambda namespace: bool(policy.why_protected(namespace)))
    return HoldoutSelector(learning.selector, holdout)


async def guide(
    selector: HoldoutSelector, workflow_id: WorkflowId, namespace: str = "shop-prod"
) -> Guidance:
    analysis = analysis_of(namespace=namespace)
    return await selector.guide(workflow_id, analysis, Findings(), Entities())


def test_the_share_of_ids_held_out_is_the_setting_and_never_changes():
    held_out = {workflow_id for workflow_id in IDS if draw(workflow_id) < 0.1}

    # Three standard errors of a share of 4,000 draws.
    assert abs(len(held_out) / len(IDS) - 0.1) < 3 * (0.1 * 0.9 / len(IDS)) ** 0.5
    assert held_out == {workflow_id for workflow_id in IDS if draw(workflow_id) < 0.1}
    assert held_out <= {workflow_id for workflow_id in IDS if draw(workflow_id) < 0.2}
    # Were this another number, every workflow on disk would change sides.
    assert draw(WORKFLOW) == pytest.approx(0.65787, abs=1e-5)


async def test_a_workflow_in_the_holdout_gets_nothing(learning: Learning):
    selector = with_share(learning, 0.1)
    inside = next(one for one in IDS if draw(one) < 0.1)
    outside = next(one for one in IDS if draw(one) >= 0.1)

    held_out, guided = await guide(selector, inside), await guide(selector, outside)

    assert guided.examples
    assert held_out == Guidance(is_held_out=True, holdout_share=0.1, propensity=0.1, withheld=1)
    assert (guided.is_held_out, guided.holdout_share, guided.propensity) == (False, 0.1, 0.9)


async def test_nobody_is_held_out_in_a_protected_namespace(learning: Learning):
    selector = with_share(learning, 0.5)
    inside = next(one for one in IDS if draw(one) < 0.5)

    found = await guide(selector, inside, "kube-system")

    assert found.examples
    assert (found.is_held_out, found.holdout_share, found.propensity) == (False, 0.0, 1.0)


def test_what_both_arms_would_see_was_certain():
    found = assign(Guidance(), 0.1, is_held_out=True)

    assert (found.is_held_out, found.propensity) == (True, 1.0)
    assert "nothing that people decided earlier would have been used anyway" in sentence_of(found)


def test_a_selection_that_was_drawn_itself_multiplies():
    drawn = Guidance(scoreboard=KNOWN.scoreboard, propensity=0.5)

    assert assign(drawn, 0.2, is_held_out=False).propensity == pytest.approx(0.4)


def test_the_sentence_says_that_examples_were_kept_back_and_how_often_that_happens():
    sentence = sentence_of(assign(KNOWN, 0.1, is_held_out=True))

    assert sentence.startswith("This workflow is in the holdout: what people decided on earlier")
    assert "10 % of the workflows" in sentence


async def test_the_proposal_says_how_likely_it_was(learning: Learning):
    guidance = assign(KNOWN, 0.1, is_held_out=True)

    await learning.recorder.propose(WorkflowId("w"), 1, analysis_of(), plan_of(), guidance)

    tail = await learning.ledger.store.read(0)
    last = [event for event in tail.events if isinstance(event, Proposed)][-1]
    assert (last.is_held_out, last.holdout_share, last.propensity) == (True, 0.1, 0.1)
    assert last.shown == ()


async def test_what_nobody_knows_any_more_has_no_propensity(learning: Learning):
    await learning.recorder.propose(WorkflowId("w"), 1, analysis_of(), plan_of(), Guidance())

    tail = await learning.ledger.store.read(0)
    last = [event for event in tail.events if isinstance(event, Proposed)][-1]
    assert last.propensity is None
