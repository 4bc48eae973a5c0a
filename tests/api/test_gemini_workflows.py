"""Workflows of the real product with Gemini as its reasoner, the service played by a fake."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.gemini_server import KEY, SCENARIOS, GeminiServer, running_gemini
from tests.fakes.servers import RunningProduct, running_product

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
