"""What people decide at the product's doors changes its next plan, and the plan says so."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.kubectl.parser import parse
from tests.fakes.servers import RunningProduct, running_product
from tests.fakes.stream import Message, follow_stream, read_stream, start_workflow

pytestmark = pytest.mark.timeout(120)

NUMBERS = count(1)
CHANGED = "deployment/{name} was rolled out to a new revision 4 minutes ago\n"
CRASHES = """$ kubectl get deployment,pods -n {space}
deployment.apps/{name}   2/3   3   2   41d
pod/{name}-6f7d8c9b5-x2x4z   0/1   CrashLoopBackOff   {again}   40m
$ kubectl logs {name}-6f7d8c9b5-x2x4z -n {space}
FATAL invalid configuration: environment variable CACHE_TTL must be set
"""


@pytest.fixture
def product(tmp_path: Path) -> Iterator[RunningProduct]:
    with running_product(tmp_path) as running:
        yield running


@dataclass(frozen=True)
class Planned:
    """One workflow's plan, as a client sees it."""

    workflow_id: str
    approval_id: str
    plan: dict[str, Any]
    messages: list[Message]

    @property
    def commands(self) -> list[str]:
        """All of the plan's commands, in its order."""
        return [one["command"] for step in self.plan["steps"] for one in step["commands"]]

    @property
    def action(self) -> str:
        """The one action of the step that changes something; nothing where there is none."""
        return " ".join(parse(one["command"]).action for one in self.plan["steps"][1]["commands"])

    @property
    def words(self) -> str:
        """What that step says."""
        words: str = self.plan["steps"][1]["description"]
        return words

    def facts(self, event: str) -> list[dict[str, Any]]:
        """Of the named events."""
        return [json.loads(one.data["data"]) for one in self.messages if one.event == event]


def investigate(product: RunningProduct, text: str = CRASHES) -> Planned:
    """A new incident of the kind, in which everything has another name."""
    number = next(NUMBERS)
    filled = text.format(name=f"shop{number}-web", space=f"team{number}-prod", again=number + 3)
    workflow_id = start_workflow(product.url, filled.encode())
    messages = read_stream(product.url, workflow_id)
    answers = [
        json.loads(one.data["data"])
        for one in messages
        if one.event == "message" and one.data["data"].startswith("{")
    ]
    (plan,) = next(one["remediation_plans"] for one in answers if "remediation_plans" in one)
    (proposal,) = [json.loads(one.data["data"]) for one in messages if one.event == "proposal"]
    return Planned(workflow_id, proposal["approval_id"], plan, messages)


def reject(product: RunningProduct, planned: Planned, reason: str) -> None:
    """At the approval server; returns when the backend knows."""
    address = f"{product.approval_url}/api/approvals/{planned.approval_id}/reject"
    httpx.post(address, json={"reason": reason}, timeout=30).raise_for_status()
    assert list(follow_stream(product.url, planned.workflow_id, until="outcome"))


def report(product: RunningProduct, planned: Planned, **body: object) -> None:
    """By the webhook, as the contract has it."""
    answer = httpx.post(
        f"{product.url}/api/v1/feedback/mcp-approval",
        json={"approval_id": planned.approval_id, **body},
        timeout=30,
    )
    answer.raise_for_status()


def test_what_was_just_rejected_comes_again_only_with_a_word_about_it(product: RunningProduct):
    rejected: set[str] = set()
    seen = []

    for _ in range(8):
        planned = investigate(product)
        repeats = planned.action in rejected
        assert not repeats or "was rejected" in planned.words, planned.words
        if not planned.action:
            assert "were rejected on incidents like it" in planned.words
        seen.append(planned.action)
        rejected |= {planned.action} - {""}
        reject(product, planned, "never like this")

    assert len(rejected) >= 3
    assert seen[: len(rejected)] == [*dict.fromkeys(seen[: len(rejected)])]


def test_the_next_plan_names_what_it_knows_and_why(product: RunningProduct):
    first = investigate(product)
    reject(product, first, "it loses sessions")

    second = investigate(product)
    result = httpx.get(f"{product.url}/api/v1/workflows/{second.workflow_id}", timeout=30).json()[
        "result"
    ]

    (used,) = second.facts("example_used")
    assert (used["role"], used["note"]) == ("rejected", "it loses sessions")
    assert used["reason"].startswith("Similarity ")
    assert result["guidance"]["examples"] == [used]
    (last,) = result["guidance"]["just_rejected"]
    assert (last["action"], last["note"]) == (first.action, "it loses sessions")
    assert result["guidance"]["scoreboard"][0]["rejected"] == 1
    assert "it loses sessions" in second.words


def test_a_label_in_the_logs_tells_the_environment_of_an_incident(product: RunningProduct):
    in_blue = CRASHES.replace("{space}", "blue")
    first = investigate(product, f"{in_blue}ERROR cache is off env: staging\n")
    reject(product, first, "it loses sessions")

    second = investigate(product, f'{in_blue}{{{{"level":"error","env":"prod"}}}}\n')
    rates = httpx.get(f"{product.url}/api/v1/feedback/statistics", timeout=30).json()[
        "agent_statistics"
    ]["RemediationAgent"]["approval_by"]["environment"]

    assert [rate["name"] for rate in rates] == ["staging"]
    (used,) = second.facts("example_used")
    assert "environment staging, here production" in used["facets"]


def test_a_webhook_with_counts_alone_rejects_the_change_and_not_the_reads(
    product: RunningProduct,
):
    first = investigate(product)
    reads = len(first.commands) - 1
    report(product, first, status="approved", approved_count=reads, rejected_count=1)

    second = investigate(product)

    assert second.action != first.action
    assert f"{first.action.partition('/')[0]} was rejected" in second.words


@pytest.mark.parametrize("status", ["approved", "rejected"])
def test_a_webhook_with_a_status_alone_decides_the_whole_plan(product: RunningProduct, status: str):
    first = investigate(product)
    report(product, first, status=status, rejection_reason="not now")

    second = investigate(product)

    (used,) = second.facts("example_used")
    assert used["role"] == {"approved": "accepted", "rejected": "rejected"}[status]
    assert (second.action == first.action) is (status == "approved")


def test_a_change_before_the_incident_is_told_apart_from_none(product: RunningProduct):
    first = investigate(product)
    reject(product, first, "nothing to go back to")

    second = investigate(product, CHANGED + CRASHES)

    (used,) = second.facts("example_used")
    assert "recent change no, here yes" in used["facets"]
    assert "environment production" in used["facets"]


def test_what_was_said_to_taking_a_change_back_without_one_is_open_after_one(
    product: RunningProduct,
):
    without = investigate(product)
    reject(product, without, "nothing to go back to")

    after_a_change = investigate(product, CHANGED + CRASHES)
    without_again = investigate(product)

    assert without.action == "rollout undo/deployment"
    assert after_a_change.action == without.action
    assert "“nothing to go back to”, in other circumstances" in after_a_change.words
    assert "recent change no, here yes" in after_a_change.words
    assert without_again.action not in {"", without.action}


def test_an_approval_after_a_change_speaks_for_no_rollback_without_one(product: RunningProduct):
    approved = investigate(product, CHANGED + CRASHES)
    report(product, approved, status="approved")
    without = investigate(product)
    reject(product, without, "nothing to go back to")

    again = investigate(product)
    after_a_change = investigate(product, CHANGED + CRASHES)

    assert approved.action == after_a_change.action == "rollout undo/deployment"
    assert "rollout undo was approved 1 of 1 times" in after_a_change.words
    assert again.action not in {"", "rollout undo/deployment"}
