"""What people decide is part of the event stream, each decision once."""

import json

import httpx
import pytest

from tests.conftest import StartProduct
from tests.fakes.servers import REPOSITORY, RunningProduct
from tests.fakes.stream import follow_stream, read_stream, start_workflow

LOGS = (REPOSITORY / "data" / "samples" / "crash-loop-bad-config.log").read_bytes()

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


def pending(product: RunningProduct, workflow_id: str) -> list[str]:
    rows = httpx.get(f"{product.approval_url}/api/approvals/pending", timeout=30).json()[
        "approvals"
    ]
    return [row["id"] for row in rows if row["metadata"]["workflow_id"] == workflow_id]


def test_a_stream_until_the_outcome_goes_on_until_everything_is_decided(
    start_product: StartProduct,
):
    product = start_product()
    workflow_id = start_workflow(product.url, LOGS)
    agents = read_stream(product.url, workflow_id)
    [approval_id] = pending(product, workflow_id)
    seen = []

    for message in follow_stream(product.url, workflow_id, until="outcome"):
        seen.append(message)
        if message.id == agents[-1].id:
            reason = {"reason": "not in the evening"}
            address = f"{product.approval_url}/api/approvals/{approval_id}/reject"
            assert httpx.post(address, json=reason, timeout=30).status_code == 200

    assert seen[: len(agents)] == agents
    decision, outcome = seen[len(agents) :]
    assert decision.event == "decision"
    said = json.loads(decision.data["data"])
    assert said["approval_id"] == approval_id
    assert (said["status"], said["rejection_reason"]) == ("rejected", "not in the evening")
    assert outcome.event == "outcome"
    assert json.loads(outcome.data["data"]) == {"approved": 0, "rejected": 1}
    assert read_stream(product.url, workflow_id) == agents


def test_the_same_decision_reported_again_is_told_once(start_product: StartProduct):
    product = start_product()
    workflow_id = start_workflow(product.url, LOGS)
    read_stream(product.url, workflow_id)
    [approval_id] = pending(product, workflow_id)
    report = {"approval_id": approval_id, "status": "approved", "approved_count": 1}

    for _ in range(3):
        address = f"{product.url}/api/v1/feedback/mcp-approval"
        assert httpx.post(address, json=report, timeout=30).status_code == 200
    seen = list(follow_stream(product.url, workflow_id, until="outcome"))

    assert [m.event for m in seen if m.event != "message"] == ["proposal", "decision", "outcome"]


def test_a_run_that_proposed_nothing_has_no_more_to_tell(start_product: StartProduct):
    product = start_product()
    workflow_id = start_workflow(product.url, b"INFO all is well\nINFO still well\n")

    agents = read_stream(product.url, workflow_id)

    assert list(follow_stream(product.url, workflow_id, until="outcome")) == agents
