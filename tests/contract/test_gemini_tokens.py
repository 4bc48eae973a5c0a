"""Gemini's answers while they are written: their pieces, their broken attempts, their cost."""

import asyncio
import json

import pytest

from app.adapters.reasoning.gemini import GeminiReasoner
from app.domain.errors import Fenced
from tests.fakes.gemini_cases import FINDING, HEALTHY, ONE_ERROR, Heard, failure, reasoner_for
from tests.fakes.gemini_server import (
    BAD_KEY,
    PIECE_CHARACTERS,
    Canned,
    GeminiServer,
    answered,
    refused,
    replied,
)

# Building a client costs more than most tests: they share one, and the loop it lives on.
pytestmark = pytest.mark.asyncio(loop_scope="module")


def held(text: str) -> Canned:
    """An answer whose second half waits."""
    return Canned(body=answered(text).body, is_held=True)


async def test_the_pieces_are_the_answer(server: GeminiServer, reasoner: GeminiReasoner):
    server.script.append(answered(ONE_ERROR))
    heard = Heard()

    await reasoner.ask(FINDING, heard)

    asking, afterwards = heard.tokens
    assert "".join(asking) == ONE_ERROR
    assert len(asking) == -(-len(ONE_ERROR) // PIECE_CHARACTERS)
    assert afterwards == []


class Releasing(Heard):
    """Lets the server go on only when a piece has come."""

    def __init__(self, server: GeminiServer) -> None:
        super().__init__()
        self.server = server

    async def token(self, text: str) -> None:
        await super().token(text)
        self.server.release()


async def test_a_piece_is_told_while_the_model_still_writes(
    server: GeminiServer, reasoner: GeminiReasoner
):
    server.script.append(held(ONE_ERROR))

    async with asyncio.timeout(5):
        findings = await reasoner.ask(FINDING, Releasing(server))

    assert len(findings.errors) == 1


async def test_thoughts_are_not_told(server: GeminiServer, reasoner: GeminiReasoner):
    parts = [{"text": "hm, a zebra", "thought": True}, {"text": HEALTHY}]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP"}
    server.script.append(replied({"candidates": [candidate]}))
    heard = Heard()

    await reasoner.ask(FINDING, heard)

    assert heard.tokens[0] == [HEALTHY]


@pytest.mark.parametrize(
    "broken",
    [
        Canned(body=answered(HEALTHY).body, is_dropped=True),
        answered(HEALTHY, None),
        answered(HEALTHY[:-3]),
    ],
    ids=["dropped", "ended early", "no JSON"],
)
async def test_a_line_parts_a_broken_attempt_from_the_answer(
    server: GeminiServer, reasoner: GeminiReasoner, broken: Canned
):
    server.script.extend([broken, answered(ONE_ERROR)])
    heard = Heard()

    await reasoner.ask(FINDING, heard)

    first, second, _ = heard.tokens
    assert first
    assert HEALTHY.startswith("".join(first))
    assert heard.said[1].startswith("Trying again")
    assert "".join(second) == ONE_ERROR


async def test_a_service_that_fails_amid_an_answer_is_tried_again(
    server: GeminiServer, reasoner: GeminiReasoner
):
    error = {"error": {"code": 503, "message": "overloaded", "status": "UNAVAILABLE"}}
    server.script.append(Canned(body=json.dumps(error).encode()))
    heard = Heard()

    await reasoner.ask(FINDING, heard)

    assert "service is not available (503): overloaded" in heard.said[1]
    assert len(server.received) == 2


@pytest.mark.parametrize("separator", ["\u0085", "\u2028", "\u2029"])
async def test_a_stream_that_the_client_library_breaks_is_asked_for_whole(
    server: GeminiServer, reasoner: GeminiReasoner, separator: str
):
    message = f"one{separator}two"
    finding = {"summary": {}, "errors": [{"message": message}], "warnings": []}
    server.always = answered(json.dumps(finding, ensure_ascii=False))

    findings = await reasoner.ask(FINDING, Heard())

    assert findings.errors[0].message == message
    assert [request.path.partition(":")[2] for request in server.received] == [
        "streamGenerateContent?alt=sse",
        "generateContent",
    ]


async def test_the_cost_is_told_once_with_every_attempt_in_it(
    server: GeminiServer, reasoner: GeminiReasoner
):
    server.script.extend([answered("no JSON"), answered(ONE_ERROR)])
    heard = Heard()

    await reasoner.ask(FINDING, heard)

    [cost] = heard.costs
    assert cost.model == "gemini-test"
    assert (cost.input_tokens, cost.output_tokens, cost.thought_tokens) == (1400, 84, 4)
    assert (cost.total_tokens, cost.attempts) == (1484, 2)
    assert 0 < cost.seconds < 60


@pytest.mark.parametrize(
    ("canned", "attempts", "read"),
    [
        (answered(ONE_ERROR, "MAX_TOKENS"), 1, 700),
        (answered("no JSON"), 2, 1400),
        (Canned(body=answered(HEALTHY).body, is_dropped=True), 4, 2800),
    ],
    ids=["too long", "no JSON", "dropped"],
)
async def test_a_failure_has_its_cost(
    server: GeminiServer, reasoner: GeminiReasoner, canned: Canned, attempts: int, read: int
):
    server.always = canned
    heard = Heard()

    await failure(reasoner, teller=heard)

    [cost] = heard.costs
    assert (cost.attempts, cost.input_tokens) == (attempts, read)


async def test_what_nobody_counted_is_no_cost(server: GeminiServer, reasoner: GeminiReasoner):
    server.always = BAD_KEY
    heard = Heard()

    await failure(reasoner, teller=heard)

    assert heard.costs == []


async def test_a_retry_after_a_refusal_costs_only_the_answer(
    server: GeminiServer, reasoner: GeminiReasoner
):
    server.script.append(refused(503, "UNAVAILABLE", "overloaded"))
    heard = Heard()

    await reasoner.ask(FINDING, heard)

    [cost] = heard.costs
    assert (cost.attempts, cost.input_tokens, cost.total_tokens) == (2, 700, 742)


async def test_an_answer_over_the_time_limit_has_its_cost(server: GeminiServer):
    server.always = held(ONE_ERROR)
    heard = Heard()

    async with reasoner_for(server, timeout_seconds=3) as reasoner:
        await failure(reasoner, teller=heard)

    [cost] = heard.costs
    assert cost.input_tokens == 700
    assert "".join(heard.tokens[0]) == ONE_ERROR[:PIECE_CHARACTERS]


class FencedOff(Heard):
    """The workflow belongs to another process by the time the first piece comes."""

    async def token(self, _: str) -> None:
        raise Fenced("It belongs to another process now.")


async def test_who_may_not_tell_any_more_stops_the_model(
    server: GeminiServer, reasoner: GeminiReasoner
):
    server.pause_seconds = 0.05
    server.always = answered(" " * PIECE_CHARACTERS * 100 + HEALTHY)

    with pytest.raises(Fenced):
        await reasoner.ask(FINDING, FencedOff())

    assert await asyncio.to_thread(server.left.wait, 3)
    assert len(server.received) == 1
    assert await reasoner.trouble() is None
