"""Records of the earlier system: they count as they are, and go on from there."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.approval import Decision
from app.domain.feedback import PlanStatus, Rating
from app.domain.ids import FeedbackId
from app.learning.export import to_object
from tests.fakes.feedback import Learning, open_learning, report_of

WHOLE: dict[str, Any] = {
    "feedback_id": "wf-9_remediation_1",
    "workflow_id": "wf-9",
    "timestamp": "2029-11-02T10:00:00",
    "input_data": "Container ledger was OOMKilled with exit code 137",
    "output_data": {
        "remediation_plans": [
            {
                "issue": "ledger runs out of memory",
                "steps": [
                    {"commands": [{"command": "kubectl get pods -n bank-prod"}]},
                    {"commands": [{"command": "kubectl rollout restart deployment/ledger"}]},
                ],
            }
        ]
    },
    "approval_status": "rejected",
    "approval_id": "old-1",
    "approval_ids": ["old-1"],
    "rejection_reason": "Not during trading hours",
    "approved_commands_count": 1,
    "rejected_commands_count": 1,
    "rating": 2,
    "was_helpful": None,
    "feedback_comments": None,
    "improvements_suggested": "Wait for the evening",
    "reward_score": 0.45,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "remediation_feedback.jsonl"
    pending = {**WHOLE, "feedback_id": "wf-9_remediation_2", "approval_status": "pending"}
    pending |= {"approval_id": "old-2", "approval_ids": None, "reward_score": None}
    pending |= {"approved_commands_count": None, "rejected_commands_count": None}
    lines = [json.dumps(WHOLE), "{half a rec", json.dumps(pending)]
    # No newline at the end: that system's file may have been copied or cut by hand.
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
async def learning(path: Path) -> AsyncIterator[Learning]:
    async with open_learning(path) as opened:
        yield opened


async def test_a_whole_record_counts(learning: Learning):
    statistics = await learning.report.statistics()

    assert (statistics.total_outputs, statistics.pending_count) == (2, 1)
    assert (statistics.approved_count, statistics.rejected_count) == (1, 1)
    assert statistics.unreadable_lines == 1


async def test_its_reward_stands_until_somebody_says_something_new(learning: Learning):
    feedback_id = FeedbackId("wf-9_remediation_1")
    before = await learning.record(feedback_id)
    assert before.reward == 0.45

    await learning.recorder.rate(feedback_id, Rating(rating=5))

    after = await learning.record(feedback_id)
    assert after.rating.rating == 5
    assert after.reward != 0.45


async def test_its_commands_environment_and_reason_are_learned_from(learning: Learning):
    record = await learning.record(FeedbackId("wf-9_remediation_1"))

    assert [command.action for command in record.commands] == [
        "get/pod",
        "rollout restart/deployment",
    ]
    assert record.signature.environment == "production"
    assert record.signature.kind == "deployment"
    assert record.issue == "ledger runs out of memory"
    assert "Avoid: Not during trading hours" in await learning.report.improvements()


async def test_a_decision_for_its_approval_arrives(learning: Learning):
    await learning.recorder.hear(report_of("old-2", Decision.APPROVED, approved=2))

    record = await learning.record(FeedbackId("wf-9_remediation_2"))

    assert (record.status, record.approved_count) == (PlanStatus.APPROVED, 2)


async def test_an_export_of_it_says_the_same(learning: Learning, tmp_path: Path):
    exported = [to_object(record) for record in await learning.records()]
    for name in WHOLE.keys() - {"timestamp", "output_data"}:
        assert exported[0][name] == WHOLE[name], name

    lines = [json.dumps(values) for values in exported]
    (tmp_path / "again.jsonl").write_text("\n".join(lines), encoding="utf-8")

    async with open_learning(tmp_path / "again.jsonl") as again:
        assert [to_object(record) for record in await again.records()] == exported
