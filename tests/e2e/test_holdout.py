"""The holdout of the real product: what a held-out workflow says, records and answers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.learning.holdout import draw
from tests.conftest import StartProduct
from tests.fakes.servers import RunningProduct
from tests.fakes.stream import Message, follow_stream, read_stream, start_workflow

SAMPLE = (Path(__file__).parents[2] / "data" / "samples" / "oom-killed.log").read_bytes()
SHARE = 0.5
MOST_WORKFLOWS = 40
"""All on one side of a fair coin: once in 500 billion runs."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Investigated:
    """A workflow that ran to its end, and everything it said."""

    workflow_id: str
    messages: list[Message]

    def named(self, event: str) -> list[dict[str, Any]]:
        """The facts of the events of a name."""
        found = (message for message in self.messages if message.event == event)
        return [json.loads(message.data["data"]) for message in found]


def test_a_held_out_workflow_says_so_and_the_others_are_guided(start_product: StartProduct):
    product = start_product(HOLDOUT_SHARE=str(SHARE))
    approve_plans_of(product, investigate(product).workflow_id)

    held_out = investigate_until(product, is_in=True)
    guided = investigate_until(product, is_in=False)

    (fact,) = [fact for fact in held_out.named("progress") if fact.get("is_held_out")]
    assert fact["withheld_examples"] >= 1
    thought = [message.data["data"] for message in held_out.messages if message.event == "message"]
    assert fact["sentence"] in thought
    assert held_out.named("example_used") == []
    assert guided.named("example_used")
    answers = [result_of(product, one.workflow_id) for one in (held_out, guided)]
    assert [answer["is_held_out"] for answer in answers] == [True, False]
    assert [answer["holdout_reason"] for answer in answers] == [fact["sentence"], None]


def test_every_plan_is_recorded_with_how_likely_it_was(start_product: StartProduct):
    product = start_product(HOLDOUT_SHARE=str(SHARE))
    first = investigate(product)
    approve_plans_of(product, first.workflow_id)
    held_out = investigate_until(product, is_in=True)
    guided = investigate_until(product, is_in=False)

    recorded = {event["workflow_id"]: event for event in proposed(product)}

    assert recorded[first.workflow_id]["propensity"] == 1.0
    kept_back, shown = recorded[held_out.workflow_id], recorded[guided.workflow_id]
    assert kept_back["is_held_out"] is True
    assert "shown" not in kept_back
    assert shown["is_held_out"] is False
    assert shown["shown"]
    assert (kept_back["propensity"], shown["propensity"]) == (SHARE, 1 - SHARE)


def investigate(product: RunningProduct) -> Investigated:
    workflow_id = start_workflow(product.url, SAMPLE)
    return Investigated(workflow_id, read_stream(product.url, workflow_id))


def investigate_until(product: RunningProduct, *, is_in: bool) -> Investigated:
    """The next workflow on that side of the coin."""
    for _ in range(MOST_WORKFLOWS):
        found = investigate(product)
        if (draw(found.workflow_id) < SHARE) is is_in:
            return found
    raise AssertionError("the coin is not fair")


def approve_plans_of(product: RunningProduct, workflow_id: str) -> None:
    """Approve them all, and wait until the decisions have come back."""
    url = product.approval_url
    for one in httpx.get(f"{url}/api/approvals/pending", timeout=30).json()["approvals"]:
        if one["metadata"]["workflow_id"] == workflow_id:
            answer = httpx.post(f"{url}/api/approvals/{one['id']}/approve", timeout=30)
            answer.raise_for_status()
    assert list(follow_stream(product.url, workflow_id, until="outcome"))


def result_of(product: RunningProduct, workflow_id: str) -> dict[str, Any]:
    address = f"{product.url}/api/v1/workflows/{workflow_id}"
    found: dict[str, Any] = httpx.get(address, timeout=30).json()["result"]
    return found


def proposed(product: RunningProduct) -> list[dict[str, Any]]:
    file = product.data_dir / "feedback" / "remediation_feedback.jsonl"
    events = [json.loads(line) for line in file.read_text().splitlines()]
    return [event for event in events if event["type"] == "proposed"]
