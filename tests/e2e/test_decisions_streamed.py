"""What people decide is part of the event stream, each decision once."""

import json
from typing import Any

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
    came_to = json.loads(outcome.data["data"])
    assert (came_to["approved"], came_to["rejected"], came_to["expired"]) == (0, 1, 0)
    assert came_to["recovery"] is None
    assert came_to["plans"][0]["sentence"] == "Rejected: not in the evening; nothing was run."
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

    named = [m.event for m in seen if m.event not in {"message", "progress"}]
    assert named == ["proposal", "decision", "outcome"]


def test_a_run_that_proposed_nothing_has_no_more_to_tell(start_product: StartProduct):
    product = start_product()
    workflow_id = start_workflow(product.url, b"INFO all is well\nINFO still well\n")

    agents = read_stream(product.url, workflow_id)

    assert list(follow_stream(product.url, workflow_id, until="outcome")) == agents


def test_each_commands_verdict_and_fate_are_told(start_product: StartProduct):
    product = start_product()
    workflow_id = start_workflow(product.url, LOGS)
    agents = read_stream(product.url, workflow_id)
    [approval_id] = pending(product, workflow_id)
    judged = [json.loads(m.data["data"]) for m in agents if m.event == "progress"]
    address = f"{product.approval_url}/api/approvals/{approval_id}/approve"

    assert httpx.post(address, json={"reviewer": "ada"}).status_code == 200
    seen = list(follow_stream(product.url, workflow_id, until="outcome"))

    assert judged
    for verdict in judged:
        assert verdict.keys() >= {"command", "canonical", "risk", "label", "reasons", "in_evidence"}
        assert verdict["verdict"] == "accepted"
    facts = [(m.event, json.loads(m.data["data"])) for m in seen[len(agents) :]]
    assert [kind for kind, _ in facts] == ["decision", *["execution"] * len(judged), "outcome"]
    assert facts[0][1]["reviewer"] == "ada"
    assert [fact["status"] for _, fact in facts[1:-1]] == ["recorded"] * len(judged)
    assert [fact["command"] for _, fact in facts[1:-1]] == [one["command"] for one in judged]
    detail = httpx.get(f"{product.url}/api/v1/workflows/{workflow_id}").json()["result"]
    assert detail["decisions"] == [facts[0][1]]
    assert detail["executions"] == [fact for _, fact in facts[1:-1]]
    assert detail["outcome"] == facts[-1][1]


def test_an_undo_after_the_outcome_is_told_once(start_product: StartProduct):
    product = start_product()
    workflow_id = start_workflow(product.url, LOGS)
    read_stream(product.url, workflow_id)
    [approval_id] = pending(product, workflow_id)
    command = {"command": "kubectl scale deploy/a -n b", "decision": "approved"}
    ended = {**command, "status": "succeeded", "output": "scaled"}
    head = {"approval_id": approval_id, "status": "approved", "approved_count": 1}
    address = f"{product.url}/api/v1/feedback/mcp-approval"
    executed = {**head, "type": "approval.executed", "is_final": True, "commands": [ended]}
    assert httpx.post(address, json=executed, timeout=30).status_code == 200
    before = list(follow_stream(product.url, workflow_id, until="outcome"))

    undone = {
        **executed,
        "type": "approval.undone",
        "commands": [{**ended, "undo_status": "failed"}],
    }
    for _ in range(2):
        assert httpx.post(address, json=undone, timeout=30).status_code == 200

    after = list(follow_stream(product.url, workflow_id, until="outcome"))
    assert [message.event for message in before[-2:]] == ["execution", "outcome"]
    assert after[:-1] == before
    told = json.loads(after[-1].data["data"])
    assert (after[-1].event, told["status"], told["number"]) == ("execution", "undo_failed", 0)
    workflow = f"{product.url}/api/v1/workflows/{workflow_id}"
    page = httpx.get(f"{workflow}/events?until=outcome&after={before[-1].id}", timeout=30).json()
    assert (page["events"], page["is_over"]) == ([after[-1].data], True)
    assert httpx.get(workflow, timeout=30).json()["result"]["executions"][-1] == told


def tell(product: RunningProduct, approval_id: str, **body: object) -> None:
    answer = httpx.post(
        f"{product.url}/api/v1/feedback/mcp-approval",
        json={"approval_id": approval_id, **body},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text


def result_of(product: RunningProduct, workflow_id: str) -> dict[str, Any]:
    address = f"{product.url}/api/v1/workflows/{workflow_id}"
    result: dict[str, Any] = httpx.get(address, timeout=30).json()["result"]
    return result


def test_a_late_decision_is_the_workflows_result_and_counted(start_product: StartProduct):
    product = start_product()
    workflow_id = start_workflow(product.url, LOGS)
    read_stream(product.url, workflow_id)
    [approval_id] = pending(product, workflow_id)
    tell(product, approval_id, status="expired", type="approval.expired", is_final=True)
    before = list(follow_stream(product.url, workflow_id, until="outcome"))
    assert result_of(product, workflow_id)["decisions"][0]["status"] == "expired"

    tell(product, approval_id, status="rejected", rejection_reason="not now")

    result = result_of(product, workflow_id)
    (decision,) = result["decisions"]
    assert (decision["status"], decision["is_late"]) == ("rejected", True)
    assert (result["outcome"]["rejected"], result["outcome"]["expired"]) == (1, 0)
    assert result["outcome"]["plans"][0]["sentence"].startswith("Rejected: not now;")
    after = list(follow_stream(product.url, workflow_id, until="outcome"))
    assert after[:-1] == before
    assert after[-1].event == "decision"
    address = f"{product.url}/api/v1/feedback/statistics/RemediationAgent"
    assert httpx.get(address, timeout=30).json()["statistics"]["late_count"] == 1


def test_the_result_and_the_feedback_tell_the_same_of_two_decisions(start_product: StartProduct):
    product = start_product()
    workflow_id = start_workflow(product.url, LOGS)
    read_stream(product.url, workflow_id)
    [approval_id] = pending(product, workflow_id)

    tell(product, approval_id, status="approved")
    tell(product, approval_id, status="rejected", rejection_reason="it drops open carts")

    address = f"{product.url}/api/v1/feedback/workflow/{workflow_id}"
    (plan,) = httpx.get(address, timeout=30).json()["feedback_opportunities"]
    result = result_of(product, workflow_id)
    (decision,) = result["decisions"]
    assert decision["status"] == plan["approval_status"] == "rejected"
    assert decision["rejection_reason"] == "it drops open carts"
    assert (result["outcome"]["approved"], result["outcome"]["rejected"]) == (0, 1)
