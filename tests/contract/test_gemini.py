"""Gemini as a reasoner: the real client library against Gemini's protocol on a loopback port."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from app.adapters.reasoning.gemini import GeminiReasoner, open_gemini
from app.agents.analysis import find_causes
from app.agents.monitoring import find_problems
from app.agents.remediation import plan_remedies
from app.domain.answer import AgentName, Entities
from app.domain.guidance import Guidance
from app.domain.incident import Analysis, Findings
from app.domain.logbatch import Line, LogBatch
from app.domain.plan import Remediation, RepairedCommands
from app.domain.prompt import Prompt
from app.domain.questions import AnalysisFacts, Question, RepairFacts
from tests.fakes.gemini_cases import (
    BATCH,
    FINDING,
    HEALTHY,
    ONE_ERROR,
    SECRET_LINE,
    Heard,
    failure,
    reasoner_for,
)
from tests.fakes.gemini_server import (
    KEY,
    GeminiServer,
    answered,
    refused,
    replied,
    running_gemini,
)

# Building a client costs more than most tests: they share one, and the loop it lives on.
pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    assert request.path == "/v1beta/models/gemini-test:streamGenerateContent?alt=sse"
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


async def test_a_schema_that_gemini_refuses_is_given_in_words(server: GeminiServer):
    server.script.append(
        refused(400, "INVALID_ARGUMENT", "The specified schema produces too many states")
    )
    server.script.append(answered(ONE_ERROR))
    server.script.append(answered(HEALTHY))

    async with reasoner_for(server) as reasoner:
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

    error = await failure(reasoner, teller=heard)
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
from tests.fakes.gemini_cases import FINDING, Heard, reasoner_for, KEY

class Named:
    url = sys.argv[1]

async def main():
    async with reasoner_for(Named) as reasoner:
        await reasoner.ask(FINDING, Heard())
    await asyncio.sleep(0)

asyncio.run(main())
print("answered")
"""


@pytest.mark.timeout(60)
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
            async with asyncio.timeout(50):
                output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

        assert output.decode().endswith("answered\n")
        assert [request.path for request in elsewhere.received] == []
    [request] = server.received
    assert request.path == "/v1beta/models/gemini-test:streamGenerateContent?alt=sse"
    assert request.headers["x-goog-api-key"] == KEY
    assert "authorization" not in request.headers


async def test_the_four_questions_of_a_run_are_answered(
    server: GeminiServer, reasoner: GeminiReasoner
):
    lines = ("INFO start", "FATAL deployment/cart -n shop: config key PORT is missing")
    batch = LogBatch(
        2, 60, (), 0, tuple(Line(n, t) for n, t in enumerate(lines, 1)), True, Entities(), ()
    )
    refused_commands = (("kubectl delete ns shop", "it deletes a namespace"),)
    repair = Question(
        AgentName.KUBECTL_COMMAND, RepairFacts(batch, refused_commands), RepairedCommands
    )

    findings = await find_problems(batch, reasoner, Heard())
    analysis = await find_causes(batch, findings, reasoner, Heard())
    plans = await plan_remedies(batch, analysis, Guidance(), reasoner, Heard())
    repaired = await reasoner.ask(repair, Heard())

    assert [error.lines for error in findings.errors] == [(2,)]
    [cause] = analysis.root_cause_analysis
    assert cause.evidence == (f"line 2: {lines[1]}",)
    commands = [
        command.command for step in plans.remediation_plans[0].steps for command in step.commands
    ]
    assert "kubectl rollout restart deployment/cart -n shop" in commands
    assert repaired.commands == ("",)
