"""Runs that do not go to their natural end: cancelled, over a time limit, waiting, turned away."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import StartProduct
from tests.fakes.gemini_answers import plausible_answer
from tests.fakes.gemini_server import KEY, Canned, GeminiServer, answered, running_gemini
from tests.fakes.servers import RunningProduct
from tests.fakes.stream import Message, follow_stream, read_stream, start_workflow

LOGS = b"INFO cart starts\nFATAL deployment/cart -n shop: config key PORT is missing\n"
SILENT = Canned(is_silent=True)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    with running_gemini() as running:
        yield running


def started(start_product: StartProduct, gemini: GeminiServer, **settings: str) -> RunningProduct:
    return start_product(GOOGLE_API_KEY=KEY, GEMINI_BASE_URL=gemini.url, **settings)


def first_agent_answers(gemini: GeminiServer) -> None:
    """Monitoring gets an answer, whoever asks after it waits."""

    def answer(body: dict[str, object]) -> Canned:
        found = plausible_answer(body)
        return answered(json.dumps(found)) if "errors" in found else SILENT

    gemini.answer = answer


def cancel(product: RunningProduct, workflow_id: str) -> httpx.Response:
    return httpx.post(f"{product.url}/api/v1/workflows/{workflow_id}/cancel", timeout=30)


def seen_until(product: RunningProduct, workflow_id: str, agent: str) -> None:
    """Return once the agent has begun."""
    for message in follow_stream(product.url, workflow_id):
        if message.data["agent_name"] == agent:
            return
    raise AssertionError(f"{agent} never began")


def outcome_of(messages: list[Message]) -> dict[str, object]:
    last = messages[-1].data
    assert last["agent_name"] == "OrchestratorAgent"
    assert sum("outcome" in message.data for message in messages) == 1
    outcome: dict[str, object] = last["outcome"]
    return outcome


def test_a_cancelled_run_ends_with_what_it_has(start_product: StartProduct, gemini: GeminiServer):
    first_agent_answers(gemini)
    product = started(start_product, gemini)
    workflow_id = start_workflow(product.url, LOGS)
    seen_until(product, workflow_id, "AnalysisAgent")

    answer = cancel(product, workflow_id)
    messages = read_stream(product.url, workflow_id)
    again = cancel(product, workflow_id)

    assert answer.status_code == 200
    assert answer.json() == {"workflow_id": workflow_id, "state": "running"}
    assert again.json() == {"workflow_id": workflow_id, "state": "cancelled"}
    outcome = outcome_of(messages)
    assert outcome["state"] == "cancelled"
    assert outcome["is_partial"] is True
    assert outcome["errors"] == 1
    assert outcome["root_causes"] == 0
    assert messages[-1].data["status"] == "ERROR"
    assert "cancelled by request" in messages[-1].data["data"]
    assert "1 error" in messages[-1].data["data"]
    detail = httpx.get(f"{product.url}/api/v1/workflows/{workflow_id}", timeout=30).json()
    assert detail["state"] == "cancelled"
    assert len(detail["result"]["findings"]["errors"]) == 1


def test_a_cancelled_run_that_waited_is_never_begun(
    start_product: StartProduct, gemini: GeminiServer
):
    gemini.always = SILENT
    product = started(start_product, gemini, MAX_CONCURRENT_WORKFLOWS="1")
    running = start_workflow(product.url, LOGS)
    seen_until(product, running, "MonitoringAgent")
    waiting = start_workflow(product.url, LOGS)

    cancel(product, waiting)
    messages = read_stream(product.url, waiting)
    cancel(product, running)

    assert outcome_of(messages)["state"] == "cancelled"
    assert outcome_of(messages)["is_partial"] is False
    assert {message.data["agent_name"] for message in messages} == {"OrchestratorAgent"}
    assert outcome_of(read_stream(product.url, running))["state"] == "cancelled"


def test_cancelling_nothing_and_something_finished(
    start_product: StartProduct, gemini: GeminiServer
):
    product = started(start_product, gemini)
    workflow_id = start_workflow(product.url, LOGS)
    before = read_stream(product.url, workflow_id)

    late = cancel(product, workflow_id)

    assert late.json()["state"] == "completed"
    assert read_stream(product.url, workflow_id) == before
    assert cancel(product, "3f0c8a52-0d6c-4e42-9c53-6f0a3f0b7a11").status_code == 404
    assert cancel(product, "not-a-uuid").status_code == 400


def test_a_run_over_its_time_limit_says_what_it_has(
    start_product: StartProduct, gemini: GeminiServer
):
    first_agent_answers(gemini)
    product = started(start_product, gemini, WORKFLOW_TIMEOUT_SECONDS="6")

    messages = read_stream(product.url, start_workflow(product.url, LOGS))

    outcome = outcome_of(messages)
    assert (outcome["state"], outcome["is_partial"], outcome["errors"]) == ("failed", True, 1)
    sentence = messages[-1].data["data"]
    assert "time limit of 6 s (WORKFLOW_TIMEOUT_SECONDS)" in sentence
    assert "The result is partial: 1 error" in sentence


def test_an_agent_over_its_time_limit_ends_the_run_with_what_it_has(
    start_product: StartProduct, gemini: GeminiServer
):
    first_agent_answers(gemini)
    product = started(start_product, gemini, AGENT_TIMEOUT_SECONDS="5")

    messages = read_stream(product.url, start_workflow(product.url, LOGS))

    failures = [m.data["agent_name"] for m in messages if m.data["status"] == "ERROR"]
    assert failures == ["AnalysisAgent", "OrchestratorAgent"]
    outcome = outcome_of(messages)
    assert (outcome["state"], outcome["is_partial"], outcome["errors"]) == ("failed", True, 1)
    assert "AGENT_TIMEOUT_SECONDS" in messages[-1].data["data"]
    assert "The result is partial: 1 error" in messages[-1].data["data"]


def test_who_waits_is_told_the_place_and_who_comes_too_late_is_turned_away(
    start_product: StartProduct, gemini: GeminiServer
):
    gemini.always = SILENT
    product = started(start_product, gemini, MAX_CONCURRENT_WORKFLOWS="1", MAX_QUEUED_WORKFLOWS="3")
    running = start_workflow(product.url, LOGS)
    seen_until(product, running, "MonitoringAgent")
    waiting = [start_workflow(product.url, LOGS) for _ in range(3)]

    refused = httpx.post(f"{product.url}/api/v1/workflows/start", content=LOGS, timeout=30)
    place = next(
        json.loads(message.data["data"])["queue_position"]
        for message in follow_stream(product.url, waiting[2])
        if message.event == "progress"
    )
    for workflow_id in [*waiting[:2], running]:
        cancel(product, workflow_id)
    seen_until(product, waiting[2], "MonitoringAgent")
    cancel(product, waiting[2])
    told = [
        json.loads(message.data["data"])["queue_position"]
        for message in read_stream(product.url, waiting[2])
        if message.event == "progress"
    ]

    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert place == 3
    assert told == sorted(told, reverse=True)
    assert len(set(told)) == len(told)
