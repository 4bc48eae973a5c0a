"""A storage that fails for a while delays a workflow; it neither ends nor loses it."""

import json
import time

import httpx
import pytest

from tests.conftest import StartProduct
from tests.fakes.servers import REPOSITORY, RunningProduct

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

LOGS = (REPOSITORY / "data" / "samples" / "oom-killed.log").read_text()


def wait_until_logged(product: RunningProduct, words: str) -> None:
    deadline = time.monotonic() + 20
    log = product.logs_dir / "app.log"
    while words not in log.read_text():
        assert time.monotonic() < deadline, log.read_text()
        assert product.process.poll() is None


def test_a_workflow_goes_on_as_soon_as_the_feedback_can_be_written(start_product: StartProduct):
    product = start_product()
    file = product.data_dir / "feedback" / "remediation_feedback.jsonl"
    aside = file.with_name("aside")
    with httpx.Client(base_url=f"{product.url}/api/v1", timeout=40, trust_env=False) as client:
        file.rename(aside)
        file.mkdir()
        workflow_id = client.post("/workflows/start", content=LOGS).json()["workflow_id"]
        wait_until_logged(product, "workflow waits for the storage")
        file.rmdir()
        aside.rename(file)

        stream = client.get(f"/workflows/{workflow_id}/stream").text
        plans = client.get(f"/feedback/workflow/{workflow_id}").json()["count"]

    last = json.loads([line for line in stream.splitlines() if line.startswith("data: ")][-1][6:])
    assert (last["agent_name"], last["status"]) == ("OrchestratorAgent", "COMPLETED")
    assert plans == 1
