"""A PostgreSQL that neither answers nor closes a connection: every wait for it has an end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartProduct
from tests.fakes.postgres import Postgres
from tests.fakes.processes import running_worker
from tests.fakes.servers import REPOSITORY, RunningProduct
from tests.fakes.stream import read_stream, start_workflow

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

LOGS = (REPOSITORY / "data" / "samples" / "oom-killed.log").read_bytes()
READY_SECONDS = 5
POST_SECONDS = 30
RECOVER_SECONDS = 40


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What is done inside must not take longer."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def post(product: RunningProduct) -> httpx.Response:
    return httpx.post(f"{product.url}/api/v1/workflows/start", content=LOGS, timeout=60)


def ready(product: RunningProduct) -> httpx.Response:
    return httpx.get(f"{product.url}/ready", timeout=60)


def assert_is_whole(product: RunningProduct, workflow_id: str) -> None:
    """From its first event to its one end."""
    data = [message.data for message in read_stream(product.url, workflow_id)]
    assert [event["seq"] for event in data] == list(range(1, len(data) + 1))
    assert [event["status"] for event in data if "outcome" in event] == ["COMPLETED"]


def test_who_asks_is_told_and_what_was_accepted_goes_on_after_the_thaw(
    start_product: StartProduct, postgres: Postgres, postgres_url: str
):
    product = start_product(DATABASE_URL=postgres_url)
    accepted = [start_workflow(product.url, LOGS) for _ in range(3)]

    with postgres.frozen():
        with within(READY_SECONDS):
            trouble = ready(product)
        with within(POST_SECONDS):
            refusal = post(product)
        with within(READY_SECONDS):
            still = ready(product)
    with within(RECOVER_SECONDS):
        while (late := post(product)).status_code != httpx.codes.ACCEPTED:
            assert late.status_code == httpx.codes.SERVICE_UNAVAILABLE, late.text
        while ready(product).status_code != httpx.codes.OK:
            pass
        for workflow_id in (*accepted, late.json()["workflow_id"]):
            assert_is_whole(product, workflow_id)

    assert trouble.status_code == still.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert trouble.json()["checks"]["storage"] == "The database does not answer within 3 s."
    assert refusal.status_code == httpx.codes.SERVICE_UNAVAILABLE, refusal.text


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stop_does_not_wait_for_the_database(
    start_product: StartProduct, postgres: Postgres, postgres_url: str, workers: str
):
    settings = {"DATABASE_URL": postgres_url, "WORKERS": workers}
    product = start_product(**settings)
    accepted = [start_workflow(product.url, LOGS) for _ in range(3)]

    with postgres.frozen():
        assert ready(product).status_code == httpx.codes.SERVICE_UNAVAILABLE
        assert product.terminate() == 0
    again = start_product(**settings)

    assert "Traceback" not in product.printed()
    with within(RECOVER_SECONDS):
        for workflow_id in accepted:
            assert_is_whole(again, workflow_id)


def test_a_worker_does_not_wait_for_it_either(
    postgres: Postgres, postgres_url: str, tmp_path: Path
):
    with running_worker(tmp_path, DATABASE_URL=postgres_url) as worker, postgres.frozen():
        assert worker.terminate() == 0
        assert "Traceback" not in worker.printed()
