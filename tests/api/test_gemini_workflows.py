"""Workflows of the real product with Gemini as its reasoner, the service played by a fake."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.gemini_server import KEY, SCENARIOS, GeminiServer, running_gemini
from tests.fakes.servers import RunningProduct, product_environment, running_product
from tests.fakes.stream import Message, read_stream, start_workflow, statuses

LOGS = (
    "INFO cart starts\n"
    "FATAL deployment/cart -n shop: config key PORT is missing, token=sk-live-abcdef0123456789\n"
)

Events = list[dict[str, str]]


@pytest.fixture(scope="module")
def gemini() -> Iterator[GeminiServer]:
    with running_gemini() as running:
        yield running


@pytest.fixture(scope="module")
def product(
    gemini: GeminiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProduct]:
    folder = tmp_path_factory.mktemp("gemini")
    with running_product(folder, GOOGLE_API_KEY=KEY, GEMINI_BASE_URL=gemini.url) as running:
        yield running


def run(product: RunningProduct, logs: str) -> Events:
    with httpx.Client(base_url=f"{product.url}/api/v1", timeout=30, trust_env=False) as client:
        started = client.post("/workflows/start", content=logs).json()
        stream = client.get(f"/workflows/{started['workflow_id']}/stream").text
    frames = [line[6:] for line in stream.splitlines() if line.startswith("data: ")]
    return [json.loads(frame) for frame in frames]


@pytest.mark.timeout(60)
def test_a_run_goes_through_all_agents_and_the_key_and_secrets_stay_inside(
    product: RunningProduct, gemini: GeminiServer
):
    gemini.reset()

    events = run(product, LOGS)

    done = [event["agent_name"] for event in events if event["status"] == "COMPLETED"]
    assert done == [
        "MonitoringAgent",
        "AnalysisAgent",
        "RemediationAgent",
        "KubectlCommandAgent",
        "OrchestratorAgent",
    ]
    analysis = json.loads(
        next(e["data"] for e in events if e["output"] and "root_cause" in e["data"])
    )
    [quote] = analysis["root_cause_analysis"][0]["evidence"]
    assert quote.startswith("line 2: FATAL deployment/cart")
    sent = json.dumps([request.body for request in gemini.received])
    kept = "".join(path.read_text(errors="replace") for path in product.logs_dir.rglob("*.log*"))
    assert len(gemini.received) == 3
    assert "sk-live-abcdef0123456789" not in sent + json.dumps(events) + kept
    assert KEY not in sent + json.dumps(events) + kept + product.printed()


def facts(messages: list[Message], name: str) -> list[dict[str, Any]]:
    """What the named events say."""
    return [json.loads(message.data["data"]) for message in messages if message.event == name]


@pytest.mark.timeout(60)
def test_tokens_and_costs_stand_beside_the_contracts_events_and_change_none(
    product: RunningProduct, gemini: GeminiServer
):
    gemini.reset()

    messages = read_stream(product.url, start_workflow(product.url, LOGS.encode()))

    costs, tokens = facts(messages, "usage"), facts(messages, "token")
    asked = ["MonitoringAgent", "AnalysisAgent", "RemediationAgent"]
    assert [cost["agent"] for cost in costs] == asked
    assert {(cost["total_tokens"], cost["attempts"]) for cost in costs} == {(742, 1)}
    for agent, key in zip(
        asked, ["errors", "root_cause_analysis", "remediation_plans"], strict=True
    ):
        written = "".join(token["text"] for token in tokens if token["agent"] == agent)
        assert json.loads(written)[key]
    unnamed = [status for agent, status in statuses(messages) if agent in asked]
    assert unnamed == ["WORKING", "THINKING", "THINKING", "COMPLETED"] * 3


@pytest.mark.timeout(60)
def test_a_diagnosis_in_the_terminal_shows_lines_and_no_pieces_of_json(
    gemini: GeminiServer, tmp_path: Path
):
    gemini.reset()
    settings = {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": gemini.url}

    done = subprocess.run(
        [sys.executable, "-m", "app", "diagnose", "-"],
        cwd=tmp_path,
        env=product_environment(tmp_path, settings),
        input=LOGS,
        capture_output=True,
        text=True,
        timeout=50,
        check=True,
    )

    assert "700 tokens read, 42 written" in " ".join(done.stderr.split())
    assert "{" not in done.stderr


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        ("bad_key", "Gemini refused the API key (GOOGLE_API_KEY)"),
        ("too_long", "the answer was longer than MAX_TOKENS"),
        ("blocked", "Gemini's filter blocked the question"),
        ("rate_limited", "Gemini's rate limit is reached"),
        ("down", "Gemini's service is not available"),
    ],
)
@pytest.mark.timeout(60)
def test_a_failing_gemini_ends_in_an_error_that_ready_repeats(
    product: RunningProduct, gemini: GeminiServer, scenario: str, sentence: str
):
    gemini.reset()
    gemini.always = SCENARIOS[scenario]

    events = run(product, LOGS)
    ready = httpx.get(f"{product.url}/ready", trust_env=False).json()

    failed = [event["agent_name"] for event in events if event["status"] == "ERROR"]
    assert failed == ["MonitoringAgent", "OrchestratorAgent"]
    assert sentence in events[-1]["data"]
    assert sentence in ready["checks"]["reasoner"]
    assert "No errors or warnings found" not in json.dumps(events)


@pytest.mark.timeout(60)
def test_an_empty_finding_is_a_healthy_end_and_mends_ready(
    product: RunningProduct, gemini: GeminiServer
):
    gemini.reset()
    gemini.always = SCENARIOS["healthy"]

    events = run(product, "INFO all is well\n")
    ready = httpx.get(f"{product.url}/ready", trust_env=False).json()

    assert events[-1]["data"] == "No errors or warnings found in logs. Workflow complete."
    assert ready["checks"]["reasoner"] == "ok"
