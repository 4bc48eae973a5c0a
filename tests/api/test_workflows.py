"""Workflows over HTTP, against the real product with the playbook engine."""

import http.client
import json
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.fakes.servers import RunningProduct
from tests.fakes.stream import read_stream, start_workflow, statuses

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
AGENTS = ["MonitoringAgent", "AnalysisAgent", "RemediationAgent", "KubectlCommandAgent"]
IMAGE_PULL = (SAMPLES / "image-pull.log").read_bytes()


def listed_ids(product: RunningProduct) -> list[str]:
    answer = httpx.get(f"{product.url}/api/v1/workflows?limit=200", timeout=30)
    return [row["workflow_id"] for row in answer.json()["workflows"]]


def test_a_complete_run_speaks_in_the_order_of_the_contract(product: RunningProduct):
    workflow_id = start_workflow(product.url, IMAGE_PULL)

    messages = read_stream(product.url, workflow_id)

    said = [m.data for m in messages if m.event == "message"]
    assert said[0]["data"] == f"Workflow started for id: '{workflow_id}'"
    assert said[-1]["agent_name"] == "OrchestratorAgent"
    assert said[-1]["data"].startswith("Workflow completed successfully.")
    completed = [agent for agent, status in statuses(messages) if status == "COMPLETED"]
    assert completed == [*AGENTS, "OrchestratorAgent"]
    assert [m.data["seq"] for m in messages] == list(range(1, len(messages) + 1))
    approval = next(m for m in said if "Approval ID: " in m["data"])
    assert approval["agent_name"] == "KubectlCommandAgent"
    assert approval["status"] == "INFO"


def test_the_agents_answers_have_the_fields_of_the_contract(product: RunningProduct):
    workflow_id = start_workflow(product.url, IMAGE_PULL)

    messages = read_stream(product.url, workflow_id)

    answers = {
        m.data["agent_name"]: json.loads(m.data["data"])
        for m in messages
        if m.data["status"] == "COMPLETED" and m.data["agent_name"] in AGENTS
    }
    findings = answers["MonitoringAgent"]
    assert findings["summary"]["total_errors"] == len(findings["errors"])
    cause = answers["AnalysisAgent"]["root_cause_analysis"][0]
    assert cause["evidence"]
    plan = answers["RemediationAgent"]["remediation_plans"][0]
    assert {step["phase"] for step in plan["steps"]} >= {"INVESTIGATE", "VERIFY"}
    report = answers["KubectlCommandAgent"]
    assert report["status"] == "completed"
    assert report["total_submissions"] == report["success_count"] + report["error_count"]


def test_a_stream_goes_on_after_any_position(product: RunningProduct):
    workflow_id = start_workflow(product.url, IMAGE_PULL)
    whole = read_stream(product.url, workflow_id)

    for message in whole[:-1]:
        rest = read_stream(product.url, workflow_id, message.id)
        assert rest == whole[message.data["seq"] :]


def test_a_cursor_at_the_end_gets_204(product: RunningProduct):
    workflow_id = start_workflow(product.url, IMAGE_PULL)
    last = read_stream(product.url, workflow_id)[-1]

    answer = httpx.get(
        f"{product.url}/api/v1/workflows/{workflow_id}/stream?last_event_id={last.id}"
    )

    assert answer.status_code == httpx.codes.NO_CONTENT


def test_a_cursor_of_another_log_is_told_and_gets_everything(product: RunningProduct):
    workflow_id = start_workflow(product.url, IMAGE_PULL)
    whole = read_stream(product.url, workflow_id)

    answer = read_stream(product.url, workflow_id, "elsewhere-3")

    assert answer[0].event == "reset"
    assert answer[1:] == whole


def test_a_malformed_cursor_is_refused(product: RunningProduct):
    workflow_id = start_workflow(product.url, IMAGE_PULL)

    answer = httpx.get(f"{product.url}/api/v1/workflows/{workflow_id}/stream?last_event_id=x")

    assert answer.status_code == httpx.codes.BAD_REQUEST


def test_stream_headers_keep_proxies_from_buffering(product: RunningProduct):
    workflow_id = start_workflow(product.url, IMAGE_PULL)
    address = f"{product.url}/api/v1/workflows/{workflow_id}/stream"

    with httpx.stream("GET", address) as answer:
        first = next(answer.iter_raw())

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-accel-buffering"] == "no"
    assert first.startswith(b":\n")


def test_healthy_logs_end_early_and_say_so(product: RunningProduct):
    workflow_id = start_workflow(product.url, (SAMPLES / "healthy.log").read_bytes())

    messages = read_stream(product.url, workflow_id)

    assert messages[-1].data["data"] == "No errors or warnings found in logs. Workflow complete."
    assert ("AnalysisAgent", "WORKING") not in statuses(messages)


@pytest.mark.parametrize("sample", sorted(path.stem for path in SAMPLES.glob("*.log")))
def test_every_sample_runs_to_a_healthy_end(product: RunningProduct, sample: str):
    workflow_id = start_workflow(product.url, (SAMPLES / f"{sample}.log").read_bytes())

    last = read_stream(product.url, workflow_id)[-1].data

    assert last["status"] == "COMPLETED"


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "image/png", None])
def test_the_content_type_does_not_matter(product: RunningProduct, content_type: str | None):
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=10)
    headers = {"Content-Type": content_type} if content_type else {}

    connection.request("POST", "/api/v1/workflows/start", IMAGE_PULL, headers)

    assert connection.getresponse().status == httpx.codes.ACCEPTED
    connection.close()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "empty"),
        (b" \n\t\r\n", 400, "empty"),
        (b"\xff\xfe\x00bad", 400, "Request body must be valid UTF-8"),
        (b"x" * (1024 * 1024 + 1), 413, "1 MiB"),
    ],
)
def test_a_bad_body_is_refused_with_a_sentence(
    product: RunningProduct, body: bytes, status: int, words: str
):
    before = listed_ids(product)

    answer = httpx.post(f"{product.url}/api/v1/workflows/start", content=body)

    assert answer.status_code == status
    assert words in answer.json()["detail"]
    assert listed_ids(product) == before


def test_an_endless_body_is_refused_while_it_arrives(product: RunningProduct):
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=10)
    connection.putrequest("POST", "/api/v1/workflows/start")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    chunk = b"x" * 65_536
    sent = 0
    try:
        while sent < 64 * 1024 * 1024:
            connection.send(b"%x\r\n%b\r\n" % (len(chunk), chunk))
            sent += len(chunk)
    except OSError:
        pass
    connection.close()

    assert sent < 16 * 1024 * 1024


@pytest.mark.parametrize("path", ["", "/stream"])
def test_unknown_and_malformed_ids(product: RunningProduct, path: str):
    unknown = httpx.get(f"{product.url}/api/v1/workflows/{uuid4()}{path}")
    malformed = httpx.get(f"{product.url}/api/v1/workflows/not-a-uuid{path}")

    assert unknown.status_code == httpx.codes.NOT_FOUND
    assert malformed.status_code == httpx.codes.BAD_REQUEST
    assert malformed.json() == {"detail": "Invalid workflow ID format"}


def test_the_list_is_newest_first_and_paged(product: RunningProduct):
    started = [start_workflow(product.url, IMAGE_PULL) for _ in range(3)]

    first = httpx.get(f"{product.url}/api/v1/workflows?limit=2").json()
    second = httpx.get(f"{product.url}/api/v1/workflows?limit=2&before={first['next']}").json()

    listed = [row["workflow_id"] for row in first["workflows"] + second["workflows"]]
    assert listed[:3] == started[::-1]


def test_a_workflow_can_be_read_in_full_afterwards(product: RunningProduct):
    workflow_id = start_workflow(product.url, IMAGE_PULL)
    read_stream(product.url, workflow_id)

    detail = httpx.get(f"{product.url}/api/v1/workflows/{workflow_id}").json()

    assert detail["state"] == "completed"
    assert detail["outcome"].startswith("Workflow completed successfully.")
    assert detail["result"]["analysis"]["root_cause_analysis"]
    assert set(detail["timings"]) == set(AGENTS)
    assert detail["input"]["total_lines"] == len(IMAGE_PULL.splitlines())


def test_no_secret_of_the_input_gets_anywhere(product: RunningProduct):
    secret = "hunter2-" + uuid4().hex
    body = IMAGE_PULL + f'\nERROR login failed password="{secret}" token={secret}\n'.encode()
    workflow_id = start_workflow(product.url, body)

    messages = read_stream(product.url, workflow_id)

    assert secret not in repr(messages)
    httpx.get(f"{product.url}/api/v1/workflows/{workflow_id}").raise_for_status()
    written = [path for path in product.data_dir.rglob("*") if path.is_file()]
    written += list(product.logs_dir.rglob("*.log*"))
    assert written
    assert [path for path in written if secret.encode() in path.read_bytes()] == []


def test_the_root_says_who_answers(product: RunningProduct):
    answer = httpx.get(f"{product.url}/").json()

    assert list(answer)[:3] == ["status", "features", "version"]
    assert answer["status"] == "Backend is running"
    assert answer["engine"] == "playbooks"


def test_a_browser_is_sent_to_the_page(product: RunningProduct):
    answer = httpx.get(f"{product.url}/", headers={"Accept": "text/html"})

    assert answer.status_code == httpx.codes.TEMPORARY_REDIRECT
    assert answer.headers["location"] == "/ui/"


def test_operators_see_health_readiness_and_metrics(product: RunningProduct):
    start_workflow(product.url, IMAGE_PULL)

    assert httpx.get(f"{product.url}/health").json() == {"status": "ok"}
    ready = httpx.get(f"{product.url}/ready").json()
    assert ready["checks"]["storage"] == "ok"
    assert ready["checks"]["reasoner"] == "ok"
    metrics = httpx.get(f"{product.url}/metrics").text
    assert "incident_agents_workflows_started_total" in metrics


def test_samples_can_be_listed_and_read(product: RunningProduct):
    names = [s["name"] for s in httpx.get(f"{product.url}/api/v1/samples").json()["samples"]]

    assert len(names) == 6
    for name in names:
        assert httpx.get(f"{product.url}/api/v1/samples/{name}").text.strip()
    assert httpx.get(f"{product.url}/api/v1/samples/..%2Fx").status_code == httpx.codes.NOT_FOUND
