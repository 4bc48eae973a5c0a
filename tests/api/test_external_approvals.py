"""The real product with an external approval server of the older kind in the place of its own."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fakes.older_approval_server import OlderApprovalServer, older_approval_server
from tests.fakes.servers import REPOSITORY, running_product

pytestmark = pytest.mark.timeout(60)

LOGS = (REPOSITORY / "data" / "samples" / "oom-killed.log").read_text()


@pytest.fixture(scope="module")
def older() -> Iterator[OlderApprovalServer]:
    with older_approval_server() as server:
        yield server


@pytest.fixture(scope="module")
def client(
    older: OlderApprovalServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    with running_product(tmp_path_factory.mktemp("older"), MCP_SERVER_URL=older.url) as product:
        older.webhook_url = f"{product.url}/api/v1/feedback/mcp-approval"
        base_url = f"{product.url}/api/v1"
        with httpx.Client(base_url=base_url, timeout=30, trust_env=False) as opened:
            yield opened


def run_events(client: httpx.Client) -> tuple[str, list[dict[str, str]]]:
    workflow_id = client.post("/workflows/start", content=LOGS).json()["workflow_id"]
    stream = client.get(f"/workflows/{workflow_id}/stream").text
    lines = [line[6:] for line in stream.splitlines() if line.startswith("data: ")]
    return workflow_id, [json.loads(line) for line in lines]


def said(events: list[dict[str, str]], agent: str, status: str) -> list[str]:
    return [
        event["data"]
        for event in events
        if (event["agent_name"], event["status"]) == (agent, status)
    ]


def run(client: httpx.Client) -> tuple[str, dict[str, Any]]:
    """The workflow's id and what KubectlCommandAgent made of it."""
    workflow_id, events = run_events(client)
    (report,) = said(events, "KubectlCommandAgent", "COMPLETED")
    return workflow_id, json.loads(report)


def queued(older: OlderApprovalServer, workflow_id: str) -> list[str]:
    return [
        approval["id"]
        for approval in older.approvals
        if approval["metadata"]["workflow_id"] == workflow_id
    ]


def opportunity(client: httpx.Client, workflow_id: str) -> dict[str, Any]:
    answer = client.get(f"/feedback/workflow/{workflow_id}").json()
    (found,) = answer["feedback_opportunities"]
    assert isinstance(found, dict)
    return found


def test_a_proposal_whose_answer_was_lost_is_not_queued_twice(
    client: httpx.Client, older: OlderApprovalServer
):
    older.faults.extend(["lost", "lost"])

    workflow_id, report = run(client)

    (approval_id,) = queued(older, workflow_id)
    assert [one["approval_id"] for one in report["submissions"]] == [approval_id]
    assert opportunity(client, workflow_id)["approval_id"] == approval_id
    older.faults.clear()


def test_an_error_page_is_asked_again(client: httpx.Client, older: OlderApprovalServer):
    older.faults.append("page")

    workflow_id, report = run(client)

    assert len(queued(older, workflow_id)) == 1
    assert (report["success_count"], report["error_count"]) == (1, 0)


def test_a_decision_that_comes_before_the_answer_counts(
    client: httpx.Client, older: OlderApprovalServer
):
    older.faults.append("early")

    workflow_id, _ = run(client)

    assert older.reported == [404]
    assert opportunity(client, workflow_id)["approval_status"] == "approved"
    statistics = client.get("/feedback/statistics").json()["agent_statistics"]["RemediationAgent"]
    assert statistics["approved_count"] == 3


def test_a_proposal_that_is_not_taken_is_an_error_with_its_reason(
    client: httpx.Client, older: OlderApprovalServer
):
    older.refused_services.add("thumbnailer")

    _, events = run_events(client)

    older.refused_services.clear()
    (error,) = said(events, "KubectlCommandAgent", "ERROR")
    assert error.startswith("MCP server error")
    assert "not this one" in error
    (report,) = said(events, "KubectlCommandAgent", "COMPLETED")
    assert (json.loads(report)["success_count"], json.loads(report)["error_count"]) == (0, 1)
    (end,) = said(events, "OrchestratorAgent", "COMPLETED")
    assert end.startswith("Workflow completed successfully. Not delivered yet")


def test_what_the_protocol_lacks_is_said_where_people_look(client: httpx.Client):
    workflow_id, events = run_events(client)

    (proposal,) = [json.loads(event["data"]) for event in events if event["type"] == "proposal"]
    assert "idempotency-key" in proposal["lacks"]
    assert "per-command" in proposal["lacks"]
    ready = client.get("/../../ready").json()
    assert ready["checks"]["approval server"] == "ok"
    assert "older kind" in ready["notes"]["approval server"]
    submissions = client.get(f"/workflows/{workflow_id}").json()["result"]["submissions"]
    assert submissions["lacks"] == proposal["lacks"]


def test_its_only_report_ends_the_stream_until_the_outcome_without_claims(
    client: httpx.Client, older: OlderApprovalServer
):
    workflow_id, _ = run_events(client)
    (approval_id,) = queued(older, workflow_id)
    report = {"approval_id": approval_id, "status": "approved", "approved_count": 3}
    client.post("/feedback/mcp-approval", json=report).raise_for_status()

    stream = client.get(f"/workflows/{workflow_id}/stream?until=outcome").text

    last = json.loads(stream.strip().splitlines()[-1].removeprefix("data: "))
    outcome = json.loads(last["data"])
    assert (last["type"], outcome["approved"], outcome["recovery"]) == ("outcome", 1, None)
    assert "does not say what became" in outcome["plans"][0]["sentence"]
