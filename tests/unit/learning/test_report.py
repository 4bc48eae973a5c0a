"""Figures: commands and plans are not mixed up, and pending plans are no examples."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.domain.approval import Decision
from app.domain.feedback import PlanStatus, Rating
from app.domain.ids import WorkflowId
from tests.fakes.feedback import READ, RESTART, UNDO, Learning, open_learning, plan_of, report_of


@pytest.fixture
async def learning(tmp_path: Path) -> AsyncIterator[Learning]:
    async with open_learning(tmp_path / "remediation_feedback.jsonl") as opened:
        yield opened


async def test_an_empty_ledger_has_honest_zeros(learning: Learning):
    statistics = await learning.report.statistics()

    assert statistics.total_outputs == 0
    assert statistics.approval_rate == 0.0
    assert statistics.average_reward == 0.0


async def test_commands_are_counted_over_all_plans(learning: Learning):
    await learning.plan(1, plan_of(*[f"kubectl get pods -n n{n}" for n in range(9)], RESTART))
    await learning.plan(2)
    await learning.plan(3)
    await learning.recorder.hear(report_of("approval-1", approved=9, rejected=1))
    await learning.recorder.hear(report_of("approval-2", Decision.REJECTED, reason="No"))

    statistics = await learning.report.statistics()

    assert (statistics.approved_count, statistics.rejected_count) == (9, 3)
    assert statistics.approval_rate == 0.75
    assert (statistics.total_outputs, statistics.pending_count) == (3, 1)
    assert statistics.learning_examples == 2
    assert statistics.unsigned_count == 2


async def test_the_average_reward_leaves_out_what_has_none(learning: Learning):
    await learning.plan(1)
    await learning.plan(2)
    await learning.plan(3)
    await learning.recorder.hear(report_of("approval-1"))
    await learning.recorder.hear(report_of("approval-2", Decision.REJECTED))

    assert (await learning.report.statistics()).average_reward == 0.5


async def test_improvements_are_said_once_newest_first(learning: Learning):
    for number in (1, 2, 3):
        await learning.plan(number)
    await learning.recorder.hear(report_of("approval-1", Decision.REJECTED, reason="Too risky"))
    await learning.recorder.hear(report_of("approval-2", Decision.REJECTED, reason="Too late"))
    await learning.recorder.hear(report_of("approval-3", Decision.REJECTED, reason="Too risky"))

    assert await learning.report.improvements() == ["Avoid: Too risky", "Avoid: Too late"]


async def test_what_raters_suggest_is_an_improvement(learning: Learning):
    feedback_id, _ = await learning.plan(1)

    await learning.recorder.rate(feedback_id, Rating(improvements="Check the limits first"))

    assert await learning.report.improvements() == ["Check the limits first"]


async def test_top_examples_are_decided_plans_best_first(learning: Learning):
    ids = [(await learning.plan(number, plan_of(READ, RESTART, UNDO)))[0] for number in (1, 2, 3)]
    await learning.recorder.hear(report_of("approval-1", approved=2, rejected=1))
    await learning.recorder.hear(report_of("approval-2", approved=3))
    await learning.recorder.rate(ids[2], Rating(rating=5))

    best, second = await learning.report.top_examples(5, 0.5)

    assert (best.feedback_id, best.reward_score) == (ids[1], 1.0)
    assert (best.approval_status, best.approved_commands) == (PlanStatus.APPROVED, 3)
    assert second.feedback_id == ids[0]
    assert len(best.output_preview) == 203
    assert best.output_preview.endswith("...")
    assert len(await learning.report.top_examples(1, 0.5)) == 1


async def test_a_workflows_plans_are_listed_in_order(learning: Learning):
    other = WorkflowId("5f5b6f6e-0000-4c5a-9d52-2f1f0d3c9a11")
    await learning.plan(1)
    await learning.plan(2)
    await learning.plan(3, workflow_id=other)

    found = await learning.report.of_workflow(other)

    assert [record.feedback_id for record in found] == [f"{other}_remediation_3"]
    assert await learning.report.of_workflow("nobody") == []


async def test_the_learning_curve_follows_the_decisions(learning: Learning):
    for number in (1, 2, 3):
        await learning.plan(number)
    await learning.recorder.hear(report_of("approval-2", Decision.REJECTED))
    await learning.recorder.hear(report_of("approval-1", Decision.APPROVED))

    points = await learning.report.learning_curve()

    assert [(point.number, point.approval_rate) for point in points] == [(1, 0.0), (2, 0.5)]
    assert points[1].average_reward == 0.5


async def test_changing_commands_are_counted_apart_from_approved_reads(learning: Learning):
    for number, approved in ((1, 2), (2, 1), (3, 1)):
        await learning.plan(number)
        await learning.recorder.hear(
            report_of(f"approval-{number}", approved=approved, rejected=2 - approved)
        )

    statistics = await learning.report.statistics()
    last = (await learning.report.learning_curve())[-1]

    assert statistics.approval_rate == last.approval_rate == pytest.approx(4 / 6)
    assert statistics.change_approval_rate == pytest.approx(1 / 3)
    assert last.change_approval_rate == last.recent_change_approval_rate == pytest.approx(1 / 3)
    assert last.recent_change_interval is not None
    assert last.recent_change_interval.low < 1 / 3 < last.recent_change_interval.high


async def test_reads_alone_have_no_rate_of_changing_commands(learning: Learning):
    await learning.plan(1, plan_of(READ))
    await learning.recorder.hear(report_of("approval-1"))

    (point,) = await learning.report.learning_curve()

    assert (point.recent_approval_rate, point.recent_change_approval_rate) == (1.0, None)
    assert point.recent_change_interval is None
    assert (await learning.report.statistics()).change_approval_rate is None


async def test_the_window_forgets_what_is_long_ago(learning: Learning):
    for number in range(1, 31):
        await learning.plan(number)
        decision = Decision.REJECTED if number <= 10 else Decision.APPROVED
        await learning.recorder.hear(report_of(f"approval-{number}", decision))

    last = (await learning.report.learning_curve())[-1]

    assert last.approval_rate == pytest.approx(20 / 30)
    assert last.recent_approval_rate == 1.0
    assert last.recent_average_reward == 1.0


async def test_lines_of_a_later_version_and_damaged_ones_are_counted_apart(
    learning: Learning, tmp_path: Path
):
    await learning.plan(1)
    damage(tmp_path / "remediation_feedback.jsonl")

    statistics = await learning.report.statistics()

    assert (statistics.newer_lines, statistics.unreadable_lines) == (1, 1)
    assert statistics.total_outputs == 1


def damage(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'{"v":2,"id":"x","ts":"2031-01-01T00:00:00Z","type":"new"}\ndamaged\n')
