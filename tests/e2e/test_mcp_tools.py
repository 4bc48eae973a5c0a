"""What an agent does over MCP is audited, bounded and answered at once where nobody has to decide."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, Implementation

from app.approvals.reading import AT_ONCE
from tests.fakes.approval_process import COMMAND, ApprovalHost, has_run, started
from tests.fakes.approvals import DELETE_VOLUME, GET, RESTART, payload
from tests.fakes.cli import app
from tests.fakes.servers import product_environment
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
PASSWORD = "hunter2-hunter2-hunter2"
SCRIPT = """\
case "$*" in *pod*) until [ -e "%s" ]; do sleep 0.05; done;; esac
echo "password: %s"
case "$*" in *gone*) exit 3;; esac
"""
AGENT = Implementation(name="night-watch", version="1.2")
READ = "kubectl get deployments -n shop"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[ApprovalHost]:
    """Its kubectl does not end what it reads of pods before the file `go` is there."""
    with ExitStack() as running:
        yield ApprovalHost(tmp_path, running, SCRIPT % (tmp_path / "go", PASSWORD))


def agent(client: httpx.Client) -> Client:
    return Client(f"{str(client.base_url).rstrip('/')}/mcp", client_info=AGENT)


async def call(client: httpx.Client, tool: str, **arguments: Any) -> CallToolResult:
    async with agent(client) as connected:
        return await connected.call_tool(tool, arguments)


def text(result: CallToolResult) -> Any:
    (content,) = result.content
    assert content.type == "text"
    return json.loads(content.text)


def entries(root: Path, kind: str = "") -> list[dict[str, Any]]:
    path = root / "data" / "audit.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [entry for line in lines if kind in (entry := json.loads(line))["type"]]


async def test_every_read_is_audited_with_who_what_and_how_it_ended_but_not_what_it_saw(
    host: ApprovalHost, tmp_path: Path
):
    _, client = host.start()

    good = await call(
        client, "execute_kubectl", command="kubectl get deployments", namespace="shop"
    )
    bad = await call(client, "execute_kubectl", command="kubectl get deployment gone -n shop")

    assert text(good)["result"][0]["status"] == "success"
    assert "kubectl ended with 3" in text(bad)["result"][0]["error"]
    wait_until(lambda: len(entries(tmp_path)) == 4)
    begun, ended, _, failed = entries(tmp_path)
    assert begun["type"] == "read_started"
    assert begun["argv"][:3] == ["kubectl", "get", "deployment"]
    assert "shop" in " ".join(begun["argv"])
    assert begun["by"] == "night-watch"
    assert begun["client"]["version"] == "1.2"
    assert begun["client"]["address"] == "127.0.0.1"
    assert begun["approval_id"] is None
    assert (ended["type"], ended["read_id"]) == ("read_ended", begun["read_id"])
    assert (ended["exit_code"], failed["exit_code"]) == (0, 3)
    assert ended["milliseconds"] >= 0
    kept = (tmp_path / "data" / "audit.jsonl").read_text()
    assert "password" not in kept
    assert PASSWORD not in good.model_dump_json()
    checked = app(tmp_path, "audit", "verify")
    assert checked.returncode == 0, checked.stdout
    assert "entries   4" in checked.stdout


async def test_an_agent_behind_the_stdio_command_is_named_as_well(
    host: ApprovalHost, tmp_path: Path
):
    _, client = host.start()
    environment = product_environment(tmp_path, {"MCP_SERVER_URL": str(client.base_url)})
    command = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:-1], "mcp"], env=environment, cwd=tmp_path
    )

    async with asyncio.timeout(60), Client(command, client_info=AGENT) as connected:
        await connected.call_tool("execute_kubectl", {"command": READ})

    wait_until(lambda: entries(tmp_path, "read_started"))
    assert entries(tmp_path, "read_started")[0]["by"] == AGENT.name


async def test_a_read_that_was_changed_in_the_file_is_found(host: ApprovalHost, tmp_path: Path):
    product, client = host.start()
    await call(client, "execute_kubectl", command=READ)
    wait_until(lambda: len(entries(tmp_path)) == 2)
    product.terminate()
    path = tmp_path / "data" / "audit.jsonl"

    path.write_bytes(path.read_bytes().replace(b"night-watch", b"day-watchmn", 1))

    checked = app(tmp_path, "audit", "verify")
    assert checked.returncode == 1
    assert "Line 1 was changed" in checked.stdout


async def test_only_so_many_reads_run_at_once_and_the_next_is_told_to_come_back(
    host: ApprovalHost, tmp_path: Path
):
    _, client = host.start()
    async with asyncio.TaskGroup() as group:
        running = [
            group.create_task(call(client, "execute_kubectl", command=GET)) for _ in range(AT_ONCE)
        ]
        await asyncio.to_thread(wait_until, lambda: has_run(host, AT_ONCE))

        refused = await call(client, "execute_kubectl", command=GET)

        assert refused.is_error
        assert "run already" in text(refused)["error"]
        assert started(host) == AT_ONCE
        (tmp_path / "go").touch()
    assert all(text(task.result())["approved"] for task in running)
    wait_until(lambda: len(entries(tmp_path, "read_ended")) == AT_ONCE)


async def test_a_read_is_stopped_at_its_time_limit_and_that_is_audited(
    host: ApprovalHost, tmp_path: Path
):
    _, client = host.start(COMMAND_TIMEOUT_SECONDS="1")

    stopped = await call(client, "execute_kubectl", command=GET)

    assert "time limit" in text(stopped)["result"][0]["error"]
    wait_until(lambda: entries(tmp_path, "read_ended"))
    (ended,) = entries(tmp_path, "read_ended")
    assert (ended["exit_code"], ended["timed_out"]) == (None, True)


async def test_the_end_of_a_read_is_audited_although_its_client_has_left(
    host: ApprovalHost, tmp_path: Path
):
    _, client = host.start()
    async with asyncio.TaskGroup() as group:
        leaving = group.create_task(call(client, "execute_kubectl", command=GET))
        await asyncio.to_thread(wait_until, lambda: has_run(host, 1))
        leaving.cancel()

    (tmp_path / "go").touch()

    wait_until(lambda: entries(tmp_path, "read_ended"))
    assert entries(tmp_path, "read_ended")[0]["exit_code"] == 0


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        (
            "propose_remediation",
            {"action": "Clean up", "commands": payload(DELETE_VOLUME, "reboot")["commands"]},
        ),
        ("execute_kubectl", {"command": DELETE_VOLUME}),
    ],
)
async def test_what_the_policy_refuses_as_a_whole_is_an_error_at_once_and_audited(
    host: ApprovalHost, tmp_path: Path, tool: str, arguments: dict[str, Any]
):
    _, client = host.start()

    async with asyncio.timeout(10):
        refused = await call(client, tool, **arguments)

    assert refused.is_error
    assert list(text(refused)) == ["error"]
    assert "nobody was asked" in text(refused)["error"]
    assert DELETE_VOLUME in text(refused)["error"]
    assert client.get("/api/approvals/pending").json() == {"approvals": []}
    wait_until(lambda: entries(tmp_path))
    (entry,) = entries(tmp_path)
    assert (entry["type"], entry["by"]) == ("proposal_refused", "night-watch")
    assert entry["commands"][0]["command"] == DELETE_VOLUME
    assert entry["commands"][0]["reasons"]
    assert started(host) == 0


async def test_what_the_policy_refuses_in_part_still_waits_for_a_person(host: ApprovalHost):
    _, client = host.start()
    commands = payload(RESTART, DELETE_VOLUME)["commands"]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(
            call(client, "propose_remediation", action="Both", commands=commands)
        )
        await asyncio.to_thread(
            wait_until, lambda: client.get("/api/approvals/pending").json()["approvals"]
        )
        (one,) = client.get("/api/approvals/pending").json()["approvals"]
        client.post(f"/api/approvals/{one['id']}/reject", json={"reason": "no"})

    assert text(waiting.result())["approved"] is False


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_both_spellings_of_the_address_answer_without_a_redirect(host: ApprovalHost, path: str):
    _, client = host.start()
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    headers = {"accept": "application/json, text/event-stream"}

    answer = client.post(path, json=body, headers=headers)
    foreign = client.post(path, json=body, headers={**headers, "origin": "http://evil.example"})
    rebound = client.post(path, json=body, headers={**headers, "host": "evil.example"})

    assert answer.status_code == httpx.codes.OK
    assert "execute_kubectl" in answer.text
    assert foreign.status_code == httpx.codes.FORBIDDEN
    assert rebound.status_code == httpx.codes.MISDIRECTED_REQUEST
