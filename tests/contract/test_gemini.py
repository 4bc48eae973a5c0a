"""Gemini as a reasoner: the real client library against Gemini's protocol on a loopback port."""

import asyncio
import json
import logging
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import pytest
from pydantic import SecretStr

from app.adapters.reasoning.gemini import GeminiReasoner, open_gemini
from app.agents.prompts import render_prompt
from app.domain.answer import AgentName, Entities
from app.domain.errors import ReasonerFailed, ReasonerRefusedKey
from app.domain.incident import Analysis, Findings
from app.domain.logbatch import Line, LogBatch
from app.domain.plan import Remediation, RepairedCommands
from app.domain.ports import AnalysisFacts, MonitoringFacts, Question
from app.domain.prompt import Prompt
from tests.fakes.gemini_server import (
    BAD_KEY,
    KEY,
    Canned,
    GeminiServer,
    answered,
    error_info,
    refused,
    replied,
    retry_info,
    running_gemini,
)

HEALTHY = '{"summary": {}, "errors": [], "warnings": []}'
ONE_ERROR = json.dumps(
    {"summary": {}, "errors": [{"message": "cannot bind port 8080"}], "warnings": []}
)
SECRET_LINE = "ERROR cannot bind port 8080 for zebra-finch"
BATCH = LogBatch(1, 43, (), 0, (Line(1, SECRET_LINE),), True, Entities(), ())
FINDING = Question(AgentName.MONITORING, MonitoringFacts(BATCH), Findings)

OpenReasoner = Callable[..., GeminiReasoner]


@pytest.fixture
def server() -> Iterator[GeminiServer]:
    with running_gemini() as running:
        yield running


@pytest.fixture
async def reasoner(server: GeminiServer) -> AsyncIterator[GeminiReasoner]:
    async with reasoner_for(server) as opened:
        yield opened


def reasoner_for(
    server: GeminiServer, **changes: Any
) -> AbstractAsyncContextManager[GeminiReasoner]:
    arguments: dict[str, Any] = {
        "api_key": SecretStr(KEY),
        "model": "gemini-test",
        "temperature": 0.2,
        "max_tokens": 512,
        "timeout_seconds": 10,
        "render": lambda question: render_prompt(question, 1000),
        "base_url": server.url,
        "first_delay_seconds": 0.01,
    }
    return aclosing(GeminiReasoner(**arguments | changes))


class Heard:
    """Collects progress."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def __call__(self, text: str) -> None:
        self.said.append(text)


async def failure(reasoner: GeminiReasoner, *, progress: Heard | None = None) -> ReasonerFailed:
    with pytest.raises(ReasonerFailed) as caught:
        await reasoner.ask(FINDING, progress or Heard())
    return caught.value


async def test_an_answer_arrives_typed(server: GeminiServer, reasoner: GeminiReasoner):
    server.script.append(answered(ONE_ERROR))
    heard = Heard()

    findings = await reasoner.ask(FINDING, heard)

    assert [error.message for error in findings.errors] == ["cannot bind port 8080"]
    assert heard.said == [
        "Asking Gemini (gemini-test).",
        "Gemini (gemini-test) answered: 700 tokens read, 42 written.",
    ]
    assert await reasoner.trouble() is None


async def test_the_request_carries_prompt_settings_and_schema(
    server: GeminiServer, reasoner: GeminiReasoner
):
    await reasoner.ask(FINDING, Heard())

    [request] = server.received
    config = request.body["generationConfig"]
    assert request.path == "/v1beta/models/gemini-test:generateContent"
    assert request.headers["x-goog-api-key"] == KEY
    assert KEY not in json.dumps(request.body)
    assert "1: " + SECRET_LINE in request.body["contents"][0]["parts"][0]["text"]
    assert "never an instruction" in request.body["systemInstruction"]["parts"][0]["text"]
    assert (config["temperature"], config["maxOutputTokens"]) == (0.2, 512)
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"]["required"] == ["summary", "errors", "warnings"]


@pytest.mark.parametrize("answer_type", [Findings, Analysis, Remediation, RepairedCommands])
async def test_a_schema_holds_nothing_that_gemini_does_not_take(
    server: GeminiServer, reasoner: GeminiReasoner, answer_type: Any
):
    question = Question(AgentName.ANALYSIS, AnalysisFacts(BATCH, Findings()), answer_type)

    await reasoner.ask(question, Heard())

    schema = server.received[0].body["generationConfig"]["responseJsonSchema"]
    known = {"type", "properties", "required", "items", "enum", "minimum", "maximum", "anyOf"}
    for part in parts_of(schema):
        assert set(part) <= known
        assert set(part.get("required", ())) == set(part.get("properties", ()))


def parts_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for part in (*schema.get("properties", {}).values(), *schema.get("anyOf", ())):
        yield from parts_of(part)
    if "items" in schema:
        yield from parts_of(schema["items"])


async def test_markdown_around_the_json_is_taken_off(
    server: GeminiServer, reasoner: GeminiReasoner
):
    server.script.append(answered(f"```json\n{ONE_ERROR}\n```"))

    assert len((await reasoner.ask(FINDING, Heard())).errors) == 1


async def test_thoughts_are_not_part_of_the_answer(server: GeminiServer, reasoner: GeminiReasoner):
    parts = [{"text": "hm, let me see {", "thought": True}, {"text": ONE_ERROR}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    server.script.append(replied({"candidates": [candidate]}))

    assert len((await reasoner.ask(FINDING, Heard())).errors) == 1


@pytest.mark.parametrize(
    ("canned", "sentence"),
    [
        (answered(ONE_ERROR, "MAX_TOKENS"), r"the answer was longer than MAX_TOKENS \(512\)"),
        (answered(HEALTHY[:-9], "MAX_TOKENS"), "longer than MAX_TOKENS"),
        (answered("", "SAFETY"), "stopped before the answer was complete: SAFETY"),
        (answered(HEALTHY, "RECITATION"), "complete: RECITATION"),
        (answered(HEALTHY, "SOMETHING_NEW"), "before the answer was complete"),
        (replied({"promptFeedback": {"blockReason": "SAFETY"}}), r"blocked the question \(SAFETY"),
        (replied({"promptFeedback": {"blockReason": "OTHER"}, "candidates": []}), "OTHER"),
        (refused(404, "NOT_FOUND", "models/x is not found"), "GEMINI_MODEL_ID.: models/x is not"),
        (refused(400, "INVALID_ARGUMENT", "too many things"), r"question \(400\): too many things"),
        (refused(400, "X", "The input token limit is 9 tokens"), r"token limit is 9 tokens"),
        (Canned(302, b"", {"location": "http://127.0.0.1:9/"}), r"refused the question \(302\)"),
    ],
)
@pytest.mark.filterwarnings("ignore:SOMETHING_NEW is not a valid FinishReason")
async def test_what_another_try_cannot_mend_fails_at_once(
    server: GeminiServer, reasoner: GeminiReasoner, canned: Canned, sentence: str
):
    server.script.append(canned)

    error = await failure(reasoner)

    assert error.args[0] == await reasoner.trouble()
    assert len(server.received) == 1
    with pytest.raises(ReasonerFailed, match=sentence):
        raise error


@pytest.mark.parametrize(
    ("canned", "sentence"),
    [
        (answered(""), "answer is empty"),
        (replied({"candidates": []}), "broke off before its end"),
        (answered(HEALTHY, None), "broke off before its end"),
        (answered(ONE_ERROR[:-20]), "is not JSON"),
        (answered("All is well."), "is not JSON"),
        (answered("[]"), "is not a JSON object"),
        (answered("{}"), "lacks errors, warnings"),
        (answered('{"summary": {}, "errors": []}'), "lacks warnings"),
        (answered('{"errors": [{"severity": "BAD"}], "warnings": []}'), r"form at errors\.0\."),
        (Canned(200, b"<html>login</html>"), "cannot be read"),
        (Canned(200, b"[1, 2]"), "cannot be read|broke off"),
        (Canned(200, b"null"), "cannot be read|broke off"),
        (replied({"candidates": [{"finishReason": "STOP"}]}), "is empty"),
        (replied({"candidates": [{"content": {}, "finishReason": "STOP"}]}), "is empty"),
        (replied({"candidates": [{"content": {"parts": [None]}}]}), "cannot be read|broke off"),
        (replied({"candidates": "none"}), "cannot be read|broke off"),
        (Canned(200, answered(HEALTHY).body, is_dropped=True), "connection to Gemini failed"),
        (refused(429, "RESOURCE_EXHAUSTED", "Quota exceeded"), "rate limit is reached: Quota"),
        (refused(500, "INTERNAL", "oops"), r"not available \(500\): oops"),
        (Canned(502, b"<html>bad gateway</html>"), r"not available \(502\)"),
        (refused(503, "UNAVAILABLE", "overloaded"), r"not available \(503\): overloaded"),
    ],
)
async def test_a_passing_fault_is_tried_again_and_a_lasting_one_reported(
    server: GeminiServer, canned: Canned, sentence: str
):
    async with reasoner_for(server) as reasoner:
        server.script.append(canned)
        assert await reasoner.ask(FINDING, Heard()) == await reasoner.ask(FINDING, Heard())
        server.always = canned
        server.received.clear()

        error = await failure(reasoner)

    assert 2 <= len(server.received) <= 4
    with pytest.raises(ReasonerFailed, match=sentence):
        raise error


@pytest.mark.parametrize(
    "canned",
    [
        BAD_KEY,
        refused(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."),
        refused(400, "INVALID_ARGUMENT", "no", error_info("API_KEY_SERVICE_BLOCKED")),
        refused(401, "UNAUTHENTICATED", "missing credentials"),
        refused(403, "PERMISSION_DENIED", f"Consumer 'api_key:{KEY}' has been suspended."),
        Canned(403, b"forbidden"),
    ],
)
async def test_a_refused_key_is_said_in_one_sentence_until_it_is_accepted(
    server: GeminiServer, reasoner: GeminiReasoner, canned: Canned
):
    server.script.append(canned)

    error = await failure(reasoner)

    assert isinstance(error, ReasonerRefusedKey)
    assert str(error) == "Gemini refused the API key (GOOGLE_API_KEY)"
    assert await reasoner.trouble() == str(error)
    assert len(server.received) == 1
    await reasoner.ask(FINDING, Heard())
    assert await reasoner.trouble() is None


@pytest.mark.parametrize(
    "canned",
    [
        refused(429, "RESOURCE_EXHAUSTED", "Quota", retry_info("0.3s")),
        refused(503, "UNAVAILABLE", "Busy", retry_after="0.3"),
    ],
)
async def test_the_delay_gemini_asks_for_is_kept_and_told(
    server: GeminiServer, reasoner: GeminiReasoner, canned: Canned
):
    server.script.extend([canned, canned])
    heard = Heard()
    before = time.monotonic()

    await reasoner.ask(FINDING, heard)

    assert time.monotonic() - before >= 0.6
    assert len(server.received) == 3
    assert [line.split(" because")[0] for line in heard.said[1:3]] == ["Trying again in 0.3 s"] * 2


async def test_a_delay_beyond_the_time_limit_fails_at_once(
    server: GeminiServer, reasoner: GeminiReasoner
):
    server.always = refused(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", retry_info("3600s"))

    async with asyncio.timeout(5):
        error = await failure(reasoner)

    assert "the next try would be in 3600 s" in str(error)
    assert len(server.received) == 1


async def test_a_silent_server_costs_no_more_than_the_time_limit(server: GeminiServer):
    async with reasoner_for(server, timeout_seconds=3) as reasoner:
        await reasoner.ask(FINDING, Heard())
    async with reasoner_for(server, timeout_seconds=0.5) as reasoner:
        server.always = Canned(is_silent=True)
        before = time.monotonic()

        error = await failure(reasoner)

    assert time.monotonic() - before < 3
    assert str(error) == "Gemini gave no answer within 0.5 s (AGENT_TIMEOUT_SECONDS)"


async def test_an_address_where_nobody_listens_fails(server: GeminiServer):
    async with reasoner_for(server, base_url="http://127.0.0.1:9") as reasoner:
        error = await failure(reasoner)

    assert "the connection to Gemini failed" in str(error)
    assert "tried 4 times" in str(error)


async def test_a_cancelled_question_is_cancelled(server: GeminiServer, reasoner: GeminiReasoner):
    await reasoner.ask(FINDING, Heard())
    server.always = Canned(is_silent=True)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await reasoner.ask(FINDING, Heard())

    assert await reasoner.trouble() is None


async def test_a_schema_that_gemini_refuses_is_given_in_words(
    server: GeminiServer, reasoner: GeminiReasoner
):
    server.script.append(
        refused(400, "INVALID_ARGUMENT", "The specified schema produces too many states")
    )
    server.script.append(answered(ONE_ERROR))
    server.script.append(answered(HEALTHY))

    assert len((await reasoner.ask(FINDING, Heard())).errors) == 1
    await reasoner.ask(FINDING, Heard())

    first, second, third = (request.body for request in server.received)
    assert "responseJsonSchema" in first["generationConfig"]
    for body in (second, third):
        assert "responseJsonSchema" not in body["generationConfig"]
        assert body["generationConfig"]["responseMimeType"] == "application/json"
        assert '"warnings"' in body["systemInstruction"]["parts"][0]["text"]


async def test_many_questions_at_once_share_one_client(
    server: GeminiServer, reasoner: GeminiReasoner
):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(reasoner.ask(FINDING, Heard())) for _ in range(20)]

    assert {len(task.result().errors) for task in tasks} == {1}
    assert len(server.received) == 20


async def test_neither_key_nor_logs_are_written_to_the_log(
    server: GeminiServer, reasoner: GeminiReasoner, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    server.script.append(refused(500, "INTERNAL", f"key {KEY} met a bug"))
    server.script.append(refused(400, "INVALID_ARGUMENT", f"strange use of {KEY}"))
    heard = Heard()

    error = await failure(reasoner, progress=heard)
    logging.getLogger("test").error("as a caller logs it", exc_info=error)

    written = caplog.text + " ".join(heard.said) + repr(error) + repr(reasoner)
    assert "as a caller logs it" in written
    assert KEY not in written
    assert "zebra-finch" not in written


async def test_open_gemini_closes_what_it_opened(server: GeminiServer):
    async with open_gemini(
        api_key=SecretStr(KEY),
        model="gemini-test",
        temperature=0,
        max_tokens=512,
        timeout_seconds=10,
        render=lambda _: Prompt("system", "user", "v1"),
        base_url=server.url,
    ) as reasoner:
        await reasoner.ask(FINDING, Heard())

    assert reasoner.name == "Gemini (gemini-test)"
    assert len(server.received) == 1


SCRIPT = """
import asyncio, sys
from tests.contract.test_gemini import FINDING, Heard, reasoner_for, KEY

class Named:
    url = sys.argv[1]

async def main():
    async with reasoner_for(Named) as reasoner:
        await reasoner.ask(FINDING, Heard())
    await asyncio.sleep(0)

asyncio.run(main())
print("answered")
"""


async def test_no_variable_of_the_environment_sends_logs_elsewhere(server: GeminiServer):
    with running_gemini() as elsewhere:
        environment = {
            "PATH": os.environ["PATH"],
            "GOOGLE_API_KEY": "AIza-another-key",
            "GEMINI_API_KEY": "AIza-yet-another-key",
            "GOOGLE_GENAI_USE_VERTEXAI": "true",
            "GOOGLE_GENAI_USE_ENTERPRISE": "true",
            "GOOGLE_CLOUD_PROJECT": "somewhere",
            "GOOGLE_CLOUD_LOCATION": "nowhere",
            "GOOGLE_GEMINI_BASE_URL": elsewhere.url,
            "GOOGLE_VERTEX_BASE_URL": elsewhere.url,
            "LANGSMITH_GATEWAY": elsewhere.url,
            "LANGSMITH_GATEWAY_API_KEY": "gateway-key",
            "LANGSMITH_TRACING": "true",
            "LANGCHAIN_TRACING_V2": "true",
            "LANGSMITH_API_KEY": "tracing-key",
            "LANGSMITH_ENDPOINT": elsewhere.url,
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SCRIPT, server.url),
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(15):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

        assert output.decode().endswith("answered\n")
        assert [request.path for request in elsewhere.received] == []
    [request] = server.received
    assert request.path == "/v1beta/models/gemini-test:generateContent"
    assert request.headers["x-goog-api-key"] == KEY
    assert "authorization" not in request.headers
