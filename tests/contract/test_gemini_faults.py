"""What can go wrong with Gemini, and what each fault costs and says."""

import asyncio
import time

import pytest

from app.adapters.reasoning.gemini import GeminiReasoner
from app.domain.errors import ReasonerFailed, ReasonerRefusedKey
from tests.fakes.gemini_cases import FINDING, HEALTHY, ONE_ERROR, Heard, failure, reasoner_for
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
)

# Building a client costs more than most tests: they share one, and the loop it lives on.
pytestmark = pytest.mark.asyncio(loop_scope="module")


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
    server: GeminiServer, reasoner: GeminiReasoner, canned: Canned, sentence: str
):
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
    async with reasoner_for(server, timeout_seconds=0.5) as reasoner:
        server.always = Canned(is_silent=True)
        before = time.monotonic()

        error = await failure(reasoner)

    assert time.monotonic() - before < 5
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
