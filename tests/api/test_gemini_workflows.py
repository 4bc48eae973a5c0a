"""Whole workflows with Gemini answering: the real client against a server that speaks its wire."""

from collections.abc import Iterator

import httpx
import pytest

from tests.fakes.gemini_server import KEY, SCENARIOS, GeminiServer, running_gemini
from tests.fakes.servers import RunningProduct, running_product
from tests.fakes.stream import Message, read_stream, start_workflow, statuses

LOG = b"2026-03-01T10:00:00Z ERROR checkout: connection refused to payments-db:5432\n"


@pytest.fixture(scope="module")
def gemini() -> Iterator[GeminiServer]:
    with running_gemini() as server:
        yield server


@pytest.fixture(scope="module")
def asking_gemini(
    gemini: GeminiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProduct]:
    folder = tmp_path_factory.mktemp("gemini")
    settings = {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": gemini.url, "AGENT_TIMEOUT_SECONDS": "8"}
    with running_product(folder, **settings) as product:
        yield product


def run(product: RunningProduct, log: bytes = LOG) -> list[Message]:
    return read_stream(product.url, start_workflow(product.url, log))


def test_gemini_answers_all_four_agents(asking_gemini: RunningProduct):
    messages = run(asking_gemini)

    assert messages[-1].data["data"].startswith("Workflow completed successfully.")
    assert "Gemini (" in httpx.get(f"{asking_gemini.url}/").json()["engine"]


def test_the_logs_are_fenced_and_redacted_before_they_leave(
    asking_gemini: RunningProduct, gemini: GeminiServer
):
    gemini.received.clear()

    run(asking_gemini, LOG + b"ERROR login password=correct-horse-battery failed\n")

    sent = repr([request.body for request in gemini.received])
    assert "payments-db" in sent
    assert "correct-horse-battery" not in sent


@pytest.mark.parametrize("scenario", ["bad_key", "too_long", "blocked", "rate_limited", "down"])
def test_a_failure_never_looks_like_health(
    asking_gemini: RunningProduct, gemini: GeminiServer, scenario: str
):
    gemini.always = SCENARIOS[scenario]
    try:
        messages = run(asking_gemini)
        ready = httpx.get(f"{asking_gemini.url}/ready")
    finally:
        gemini.always = None

    assert statuses(messages)[-2:] == [("MonitoringAgent", "ERROR"), ("OrchestratorAgent", "ERROR")]
    assert "No errors or warnings" not in repr(messages)
    assert ready.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert ready.json()["checks"]["reasoner"] in messages[-1].data["data"]


def test_a_refused_key_is_named_and_never_shown(
    asking_gemini: RunningProduct, gemini: GeminiServer
):
    gemini.always = SCENARIOS["bad_key"]
    try:
        last = run(asking_gemini)[-1].data
        ready = httpx.get(f"{asking_gemini.url}/ready").json()
    finally:
        gemini.always = None

    assert "Gemini refused the API key (GOOGLE_API_KEY)" in last["data"]
    assert ready["checks"]["reasoner"] == "Gemini refused the API key (GOOGLE_API_KEY)"
    written = asking_gemini.printed() + (asking_gemini.logs_dir / "app.log").read_text()
    assert KEY not in written


def test_only_an_empty_finding_is_health(asking_gemini: RunningProduct, gemini: GeminiServer):
    gemini.always = SCENARIOS["healthy"]
    try:
        last = run(asking_gemini)[-1].data
    finally:
        gemini.always = None

    assert last["data"] == "No errors or warnings found in logs. Workflow complete."
