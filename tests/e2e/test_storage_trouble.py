"""A storage that fails for a while delays workflows; it neither ends nor loses one."""

import itertools
import json
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.conftest import StartProduct
from tests.fakes.postgres import SECRET, Postgres
from tests.fakes.servers import REPOSITORY, RunningProduct
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

LOGS = (REPOSITORY / "data" / "samples" / "oom-killed.log").read_text()
LIMIT_SECONDS = 40
SMALL_FILE = 64 * 1024


def wait_until_logged(product: RunningProduct, words: str) -> None:
    log = product.logs_dir / "app.log"
    wait_until(lambda: words in log.read_text())


def until(answer: Callable[[], httpx.Response], status: int) -> httpx.Response:
    """Ask until the answer has this status."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while (response := answer()).status_code != status:
        assert time.monotonic() < deadline, response.text
    return response


def events_of(client: httpx.Client, workflow_id: str) -> list[dict[str, object]]:
    """Everything that its stream says, to the end."""
    stream = client.get(f"/workflows/{workflow_id}/stream").text
    return [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]


def assert_is_complete(events: list[dict[str, object]]) -> None:
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    ends = [event for event in events if "outcome" in event]
    assert ends == events[-1:]
    assert (events[-1]["agent_name"], events[-1]["status"]) == ("OrchestratorAgent", "COMPLETED")


@contextmanager
def connected(product: RunningProduct) -> Iterator[httpx.Client]:
    url = f"{product.url}/api/v1"
    with httpx.Client(base_url=url, timeout=LIMIT_SECONDS, trust_env=False) as client:
        yield client


@contextmanager
def full_disk(product: RunningProduct) -> Iterator[None]:
    """No file of the product grows any more."""
    limit, pid = resource.RLIMIT_FSIZE, product.process.pid
    before = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (SMALL_FILE, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, limit, before)


def test_a_workflow_goes_on_as_soon_as_the_feedback_can_be_written(start_product: StartProduct):
    product = start_product()
    file = product.data_dir / "feedback" / "remediation_feedback.jsonl"
    aside = file.with_name("aside")
    with connected(product) as client:
        file.rename(aside)
        file.mkdir()
        workflow_id = client.post("/workflows/start", content=LOGS).json()["workflow_id"]
        wait_until_logged(product, "workflow waits for the storage")
        file.rmdir()
        aside.rename(file)

        events = events_of(client, workflow_id)
        plans = client.get(f"/feedback/workflow/{workflow_id}").json()["count"]

    assert_is_complete(events)
    assert plans == 1


def test_a_full_disk_is_said_to_who_asks_and_what_was_accepted_goes_on(start_product: StartProduct):
    product = start_product()
    accepted: list[str] = []

    with connected(product) as client:

        def start() -> httpx.Response:
            response = client.post("/workflows/start", content=LOGS)
            if response.status_code == httpx.codes.ACCEPTED:
                accepted.append(response.json()["workflow_id"])
            return response

        def ready() -> httpx.Response:
            return client.get(f"{product.url}/ready")

        start()
        with full_disk(product):
            refusal = until(start, httpx.codes.INSUFFICIENT_STORAGE)
            trouble = until(ready, httpx.codes.SERVICE_UNAVAILABLE)
            known = client.get(f"/workflows/{accepted[0]}/events")
        until(start, httpx.codes.ACCEPTED)
        until(ready, httpx.codes.OK)

        assert trouble.json()["status"] == "degraded"
        assert trouble.json()["checks"]["storage"].startswith("The disk is full")
        assert refusal.json()["detail"].startswith("The disk is full")
        assert known.status_code == httpx.codes.OK
        for workflow_id in accepted:
            assert_is_complete(events_of(client, workflow_id))


def test_a_rating_that_the_disk_had_no_room_for_is_taken_later(start_product: StartProduct):
    product = start_product()
    file = product.data_dir / "feedback" / "remediation_feedback.jsonl"

    with connected(product) as client:
        workflow_id = client.post("/workflows/start", content=LOGS).json()["workflow_id"]
        assert_is_complete(events_of(client, workflow_id))
        plan = client.get(f"/feedback/workflow/{workflow_id}").json()["feedback_opportunities"][0]

        numbers = itertools.count()

        def rate(comment: str) -> httpx.Response:
            comment = f"{next(numbers)} {comment}"
            rating = {"feedback_id": plan["feedback_id"], "feedback_comments": comment}
            return client.post("/feedback/submit", json=rating)

        with full_disk(product):
            refusal = until(lambda: rate("x" * 3000), httpx.codes.INSUFFICIENT_STORAGE)
            torn = file.read_bytes()
        until(lambda: rate("there is room"), httpx.codes.OK)

    lines = file.read_bytes()
    assert refusal.json()["detail"].startswith("The disk is full")
    assert not torn.endswith(b"\n")
    assert lines.startswith(torn)
    assert b"there is room" in lines.splitlines()[-1]
    assert len([line for line in lines.splitlines() if not line.endswith(b"}")]) == 1


def test_postgres_may_go_away_and_come_back(
    start_product: StartProduct, postgres: Postgres, postgres_url: str
):
    product = start_product(DATABASE_URL=postgres_url)

    with connected(product) as client:

        def start() -> httpx.Response:
            return client.post("/workflows/start", content=LOGS)

        def ready() -> httpx.Response:
            return client.get(f"{product.url}/ready")

        accepted = [start().json()["workflow_id"] for _ in range(3)]
        postgres.stop()
        refusal = until(start, httpx.codes.SERVICE_UNAVAILABLE)
        trouble = until(ready, httpx.codes.SERVICE_UNAVAILABLE)
        postgres.start()
        accepted.append(until(start, httpx.codes.ACCEPTED).json()["workflow_id"])

        for workflow_id in accepted:
            assert_is_complete(events_of(client, workflow_id))
        until(ready, httpx.codes.OK)

    assert "The database cannot be used" in refusal.json()["detail"]
    assert "The database cannot be used" in trouble.json()["checks"]["storage"]
    written = product.printed() + (product.logs_dir / "app.log").read_text()
    assert SECRET not in written
