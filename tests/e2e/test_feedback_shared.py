"""Two whole products on one database: what is decided at one is known, and learned from, at the other."""

from pathlib import Path

import httpx
import pytest

from tests.fakes.servers import REPOSITORY, RunningProduct, running_product
from tests.fakes.waiting import wait_until

LOG = REPOSITORY / "data" / "samples" / "oom-killed.log"

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]


def run_workflow(product: RunningProduct) -> str:
    """Start one and wait for its end; what its stream said."""
    with httpx.Client(base_url=f"{product.url}/api/v1", trust_env=False, timeout=60) as client:
        started = client.post("/workflows/start", content=LOG.read_bytes()).raise_for_status()
        return client.get(f"/workflows/{started.json()['workflow_id']}/stream").text


def pending(product: RunningProduct) -> list[str]:
    answer = httpx.get(f"{product.approval_url}/api/approvals/pending", trust_env=False, timeout=30)
    return [str(one["id"]) for one in answer.raise_for_status().json()["approvals"]]


def statistics(product: RunningProduct) -> dict[str, float]:
    url = f"{product.url}/api/v1/feedback/statistics/RemediationAgent"
    found: dict[str, float] = httpx.get(url, trust_env=False, timeout=30).json()["statistics"]
    return found


def test_a_decision_at_one_product_is_known_and_used_at_the_other(
    tmp_path: Path, postgres_url: str
):
    settings = {"DATABASE_URL": postgres_url}
    with (
        running_product(tmp_path / "one", **settings) as one,
        running_product(tmp_path / "other", **settings) as other,
    ):
        first = run_workflow(one)
        (approval_id,) = pending(other)
        answer = httpx.post(
            f"{other.approval_url}/api/approvals/{approval_id}/reject",
            json={"reason": "Not while the sale is on"},
            trust_env=False,
            timeout=30,
        )
        assert answer.status_code == 200
        wait_until(lambda: statistics(one)["rejected_count"] > 0)

        second = run_workflow(one)

        assert statistics(one) == statistics(other)
        assert "Not while the sale is on" not in first
        assert "Not while the sale is on" in second
