"""Several processes on one database: one port, other ports, workers, and what the dead leave."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.conftest import StartProduct
from tests.fakes.postgres import SECRET
from tests.fakes.processes import (
    children_of,
    is_alive,
    logged,
    running_worker,
    serving,
)
from tests.fakes.servers import (
    REPOSITORY,
    RunningProduct,
    answers,
    running_product,
)
from tests.fakes.stream import Message, follow_stream, read_stream, start_workflow
from tests.fakes.waiting import wait_until

LOGS = (REPOSITORY / "data" / "samples" / "oom-killed.log").read_bytes()
STOP_SECONDS = 8
"""Two or three on a quiet machine; whoever waited for an open stream would wait for ever."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


def all_there(product: RunningProduct, processes: int) -> list[int]:
    """Everything that the supervisor has started, once so many serve."""
    wait_until(lambda: len(set(serving(product))) >= processes)
    wait_until(lambda: answers(product.approval_port, "/"))
    return children_of(product.process.pid)


def nothing_listens(product: RunningProduct) -> bool:
    return not answers(product.port) and not answers(product.approval_port, "/")


def is_whole(messages: list[Message]) -> bool:
    numbers = [message.data["seq"] for message in messages]
    ends = [message for message in messages if "outcome" in message.data]
    return numbers == list(range(1, len(messages) + 1)) and len(ends) == 1


def test_a_server_that_is_killed_is_started_again_while_the_others_answer(
    start_product: StartProduct,
):
    product = start_product(WORKERS="3")
    children = all_there(product, 3)
    servers = serving(product)

    os.kill(servers[1], signal.SIGKILL)
    wait_until(lambda: not is_alive(servers[1]))
    answered = [answers(product.port) for _ in range(10)]
    wait_until(lambda: len(set(serving(product))) == 4)

    assert len(children) == 4
    assert answered == [True] * 10
    wait_until(lambda: len(children_of(product.process.pid)) == 4)
    assert product.printed().count(f"http://localhost:{product.port}/ui/") == 1
    assert product.terminate() == 0
    assert "Traceback" not in product.printed()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_every_process(start_product: StartProduct, number: signal.Signals):
    product = start_product(WORKERS="2")
    children = all_there(product, 2)

    product.process.send_signal(number)

    assert product.process.wait(STOP_SECONDS) == 0
    assert [child for child in children if is_alive(child)] == []
    assert nothing_listens(product)
    assert "Traceback" not in product.printed()


def test_nothing_outlives_a_killed_supervisor(start_product: StartProduct):
    product = start_product(WORKERS="2")
    children = all_there(product, 2)

    product.kill()

    wait_until(lambda: not any(is_alive(child) for child in children), STOP_SECONDS)
    assert len(children) == 3
    assert nothing_listens(product)


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings that name one."""
    if request.param == "sqlite":
        return {}
    return {"DATABASE_URL": request.getfixturevalue("postgres_url")}


@pytest.fixture
def three_servers(tmp_path: Path, database: dict[str, str]) -> Iterator[list[RunningProduct]]:
    """The first with the approval server, all on one data folder or database."""
    with ExitStack() as running:
        first = running.enter_context(running_product(tmp_path / "first", **database))
        shared = {"DATA_DIR": str(first.data_dir), "APPROVAL_PORT": str(first.approval_port)}
        settings = shared | database
        if database:
            # Approval servers of one PostgreSQL database are all as good; here they share one.
            settings["MCP_SERVER_URL"] = first.approval_url
        others = [
            running.enter_context(running_product(tmp_path / name, **settings))
            for name in ("second", "third")
        ]
        yield [first, *others]


def test_what_begins_at_one_server_is_watched_at_another_and_counted_at_a_third(
    three_servers: list[RunningProduct],
):
    first, second, third = three_servers

    workflow_id = start_workflow(first.url, LOGS)
    live = list(follow_stream(second.url, workflow_id))
    pending = httpx.get(f"{first.approval_url}/api/approvals/pending", timeout=10).json()
    (approval, *_) = pending["approvals"]
    decision = f"{first.approval_url}/api/approvals/{approval['id']}/approve"
    httpx.post(decision, timeout=10).raise_for_status()

    def counted() -> bool:
        api = f"{third.url}/api/v1/feedback/statistics"
        found = httpx.get(api, timeout=10).json()["agent_statistics"]["RemediationAgent"]
        return bool(found["approved_count"])

    wait_until(counted)
    assert is_whole(live)
    assert read_stream(third.url, workflow_id)[: len(live)] == live


def test_a_worker_does_the_work_of_a_server_that_is_gone(tmp_path: Path, database: dict[str, str]):
    with running_product(tmp_path / "server", MAX_CONCURRENT_WORKFLOWS="1", **database) as server:
        workflow_ids = [start_workflow(server.url, LOGS) for _ in range(8)]
        server.kill()
    shared = {
        "DATA_DIR": str(server.data_dir),
        "LOGS_DIR": str(tmp_path / "worker" / "logs"),
        "APPROVAL_PORT": str(server.approval_port),
    }

    with running_worker(tmp_path / "worker", **shared, **database) as worker:
        last = workflow_ids[-1]
        finished = "workflow finished"
        wait_until(lambda: any(line["workflow_id"] == last for line in logged(worker, finished)))
        printed = worker.printed()
        assert worker.terminate() == 0

    assert [line for line in printed.splitlines() if line.startswith("Working on")]
    assert server.approval_url.replace("127.0.0.1", "localhost") in printed
    assert SECRET not in printed
    assert "Traceback" not in worker.printed()
    with running_product(tmp_path / "server", **database) as server:
        assert all(is_whole(read_stream(server.url, one)) for one in workflow_ids)
