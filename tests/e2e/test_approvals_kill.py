"""The approval server as a process, killed and stopped: decided once, run once, reported in the end."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import pytest
from mcp import Client

from tests.fakes.approval_process import (
    COMMAND,
    ApprovalHost,
    has_run,
    propose,
    started,
    statuses,
)
from tests.fakes.approvals import RESTART, SCALE, payload
from tests.fakes.servers import STOP_LIMIT_SECONDS, answers, free_port, product_environment
from tests.fakes.waiting import wait_until
from tests.fakes.webhook_receiver import WebhookReceiver, webhook_receiver

KILLS = 3
REQUESTS = 5
STOP_SECONDS = 2
"""Less than one on a quiet machine; whoever waited for the command would wait for ever."""
END = {"succeeded", "failed", "unknown", "skipped", "recorded"}

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for kubectl is a script"),
]


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Callable[[str], ApprovalHost]]:
    with ExitStack() as running:
        yield lambda kubectl: ApprovalHost(tmp_path, running, kubectl)


def test_a_command_that_runs_when_the_server_is_killed_is_unknown_and_never_run_again(
    servers: Callable[[str], ApprovalHost], tmp_path: Path
):
    pid = tmp_path / "pid.txt"
    os.mkfifo(tmp_path / "never")
    server = servers(f"echo $$ > {pid}; exec cat {tmp_path / 'never'}")
    with webhook_receiver() as receiver:
        product, client = server.start(BACKEND_WEBHOOK_URL=receiver.url)
        approval_id = propose(client, RESTART, SCALE)
        client.post(f"/api/approvals/{approval_id}/approve", json={"reviewer": "Ada"})
        wait_until(lambda: pid.exists() and pid.read_text())

        before = statuses(client, approval_id)
        product.kill()
        with suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)
        product, client = server.start(BACKEND_WEBHOOK_URL=receiver.url)
        webhook = receiver.wait_for_one_of("executed").json

        assert before == ["executing", "waiting"]
        assert statuses(client, approval_id) == ["unknown", "skipped"]
        assert len(server.ran.read_text().splitlines()) == 1
        assert [command["status"] for command in webhook["commands"]] == ["unknown", "skipped"]
        assert client.post(f"/api/approvals/{approval_id}/approve").status_code == 404


def test_across_kills_nothing_is_lost_and_nothing_runs_twice(
    servers: Callable[[str], ApprovalHost],
):
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    server = servers("sleep 0.05")
    decided: dict[str, str] = {}
    with webhook_receiver() as receiver:
        for kill in range(KILLS):
            product, client = server.start(BACKEND_WEBHOOK_URL=receiver.url)
            count = started(server) + chance.randrange(REQUESTS)
            for number in range(REQUESTS):
                name = f"run-{kill}-{number}"
                approval_id = propose(client, RESTART.replace("checkout", name))
                answer = client.post(f"/api/approvals/{approval_id}/approve")
                assert answer.status_code == 200
                decided[approval_id] = name
            wait_until(partial(has_run, server, count))
            product.kill()

        _, client = server.start(BACKEND_WEBHOOK_URL=receiver.url)
        for kind in ("decided", "executed"):
            wait_until(partial(are_told, receiver, kind, decided))

        ran = server.ran.read_text()
        for approval_id, name in decided.items():
            (status,) = statuses(client, approval_id)
            runs = ran.count(f"deployment/{name} ")
            assert status in END, f"seed {seed}"
            assert runs == 1 if status == "succeeded" else runs <= 1, f"seed {seed}: {status}"
        assert receiver.told_in_two_ways() == [], f"seed {seed}"


def are_told(receiver: WebhookReceiver, kind: str, decided: Collection[str]) -> bool:
    return {webhook.json["approval_id"] for webhook in receiver.of(kind)} == set(decided)


async def test_a_stop_is_quick_even_when_agents_wait_and_a_command_runs(
    servers: Callable[[str], ApprovalHost], tmp_path: Path
):
    os.mkfifo(tmp_path / "never")
    server = servers(f"exec cat {tmp_path / 'never'}")
    product, client = await asyncio.to_thread(server.start)
    arguments = {"action": "Restart", "commands": payload()["commands"]}
    async with Client(f"{product.approval_url}/mcp") as agent, asyncio.TaskGroup() as group:
        running = await asyncio.to_thread(propose, client, RESTART)
        await asyncio.to_thread(client.post, f"/api/approvals/{running}/approve")
        call = group.create_task(agent.call_tool("propose_remediation", arguments))
        await asyncio.to_thread(wait_until, partial(has_run, server, 1))
        await asyncio.to_thread(
            wait_until, lambda: client.get("/api/approvals/pending").json()["approvals"]
        )
        began = time.monotonic()

        code = await asyncio.to_thread(product.terminate)
        seconds = time.monotonic() - began
        result = await call

    assert code == 0, product.printed()
    assert seconds < STOP_SECONDS, product.printed()
    assert result.is_error
    assert "goes on without this call" in str(result.content)


def test_it_stops_when_the_process_that_started_it_is_gone(tmp_path: Path):
    environment = product_environment(tmp_path, {})
    process = subprocess.Popen(
        [*COMMAND, "--until-stdin-closes"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        wait_until(lambda: answers(int(environment["APPROVAL_PORT"])))

        assert process.stdin is not None
        process.stdin.close()

        assert process.wait(STOP_LIMIT_SECONDS) == 0


@pytest.mark.parametrize("obstacle", ["folder in use", "port in use", "folder is a file"])
def test_a_start_that_cannot_work_is_one_line_and_exit_code_1(
    servers: Callable[[str], ApprovalHost], tmp_path: Path, obstacle: str
):
    settings = {"APPROVAL_PORT": str(free_port()), "DATA_DIR": str(tmp_path / "other")}
    if obstacle == "folder is a file":
        (tmp_path / "other").touch()
    else:
        product, _ = servers("exit 0").start()
        taken = obstacle == "port in use"
        settings |= (
            {"APPROVAL_PORT": str(product.approval_port)}
            if taken
            else {"DATA_DIR": str(product.data_dir)}
        )

    ended = subprocess.run(
        COMMAND,
        cwd=tmp_path,
        env=product_environment(tmp_path, settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert ended.returncode == 1
    assert len(ended.stderr.strip().splitlines()) == 1
    assert ended.stdout == ""
