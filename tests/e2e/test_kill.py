"""The product killed at random moments: nothing accepted is lost, nothing happens twice."""

import random
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartProduct
from tests.fakes.servers import RunningProduct
from tests.fakes.stream import Message, read_stream, start_workflow

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
KILLS = 3
BURST = 6

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_every_accepted_workflow_ends_once_across_kills(start_product: StartProduct):
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    body = (SAMPLES / "crash-loop-bad-config.log").read_bytes()
    accepted: list[str] = []
    ports: dict[str, str] = {}

    for _ in range(KILLS):
        product = start_product(**ports)
        ports = {"PORT": str(product.port), "APPROVAL_PORT": str(product.approval_port)}
        accepted += [start_workflow(product.url, body) for _ in range(BURST)]
        _watch_a_while(product, accepted[-1], chance.randrange(1, 20))
        product.kill()
    product = start_product(**ports)

    for workflow_id in accepted:
        messages = read_stream(product.url, workflow_id)
        _check(messages, seed)
    proposals = _proposals(product)
    assert set(proposals) == set(accepted), f"seed {seed}"
    assert set(proposals.values()) == {1}, f"seed {seed}"


def _watch_a_while(product: RunningProduct, workflow_id: str, lines: int) -> None:
    """Come to a random point of the run."""
    address = f"{product.url}/api/v1/workflows/{workflow_id}/stream"
    with httpx.stream("GET", address, timeout=30) as answer:
        for number, _ in enumerate(answer.iter_lines()):
            if number >= lines:
                return


def _check(messages: list[Message], seed: int) -> None:
    assert [m.data["seq"] for m in messages] == list(range(1, len(messages) + 1)), f"seed {seed}"
    ends = Counter(m.data["agent_name"] for m in messages if m.data["status"] == "COMPLETED")
    assert set(ends.values()) == {1}, f"seed {seed}: {ends}"
    assert len(ends) == 5, f"seed {seed}: {ends}"


def _proposals(product: RunningProduct) -> Counter[str]:
    """How many proposals the approval server holds, by workflow and plan."""
    rows = httpx.get(f"{product.approval_url}/api/approvals/pending", timeout=30).json()
    by_plan = Counter((a["metadata"]["workflow_id"], a["action"]) for a in rows["approvals"])
    assert set(by_plan.values()) == {1}
    return Counter(workflow_id for workflow_id, _ in by_plan)
