"""`python -m app approvals` and `python -m app mcp`: what a page and an agent do, from a terminal."""

import asyncio
import json
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from mcp import Client, StdioServerParameters
from pydantic import JsonValue

from tests.fakes.approval_app import approval_server
from tests.fakes.approvals import GET, RESTART, SCALE, payload
from tests.fakes.cluster_desk import open_cluster_desk
from tests.fakes.older_approval_server import OlderApprovalServer, older_approval_server
from tests.fakes.servers import free_port, product_environment
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
COMMAND = [sys.executable, "-m", "app"]
EDIT = "kubectl scale deployment/checkout --replicas=2 -n shop"

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with approval_server(tmp_path / "server") as client:
        yield client


@pytest.fixture
def older() -> Iterator[OlderApprovalServer]:
    with older_approval_server() as server:
        yield server


def terminal(root: Path, url: str) -> Run:
    """Runs the command against one server."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, "approvals", *arguments],
            cwd=root,
            env=product_environment(root, {"MCP_SERVER_URL": url}),
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run


@pytest.fixture
def run(tmp_path: Path, client: httpx.Client) -> Run:
    return terminal(tmp_path, str(client.base_url).rstrip("/"))


def propose(client: httpx.Client, *commands: str, **metadata: JsonValue) -> str:
    answer = client.post("/api/approvals/propose", json=payload(*commands, **metadata))
    return str(answer.json()["approval_id"])


def view(client: httpx.Client, approval_id: str) -> dict[str, object]:
    found: dict[str, object] = client.get(f"/api/approvals/{approval_id}").json()
    return found


def decisions(client: httpx.Client, approval_id: str) -> list[str]:
    return [
        one["decision"] for one in client.get(f"/api/approvals/{approval_id}").json()["commands"]
    ]


def one_line(done: subprocess.CompletedProcess[str], code: int = 1) -> str:
    assert done.returncode == code, done.stdout
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


def test_what_waits_is_a_table_with_one_line_each(run: Run, client: httpx.Client):
    assert run("list").stdout == "Nothing waits for a decision.\n"
    one = propose(client, RESTART, GET)
    propose(client, GET, service="cart\x1b[31m")

    titles, first, second = run("list").stdout.splitlines()

    assert titles.split() == ["ID", "AGE", "EXPIRES", "RISK", "SERVICE", "ACTION"]
    assert first.startswith(one[:8])
    for word in ("0 min", "in 59 min", "CAUTION", "checkout", "Restart checkout"):
        assert word in first
    assert "cart<U+001B>[31m" in second


# Turns text around, colours it, hides, ends a line: each with how it is shown.
HIDDEN = {
    "\u202e": "<U+202E>",
    "\x1b[31m": "<U+001B>[31m",
    "\u200b": "<U+200B>",
    "\x9b2J": "<U+009B>2J",
    "\u2066": "<U+2066>",
    "\u2028": "<U+2028>",
    "\x85": "<U+0085>",
    "\x1c": "<U+001C>",
    "\ufe0f": "<U+FE0F>",
    "\U000e0041": "<U+E0041>",
}


def test_nothing_that_others_wrote_acts_on_the_terminal_or_hides_in_it(
    run: Run, client: httpx.Client
):
    trick, shown = "".join(["a", *HIDDEN, "b"]), "".join(["a", *HIDDEN.values(), "b"])
    body = payload(f"{GET} {trick}", RESTART, service=trick, root_cause=trick)
    body["action"] = f"{trick}\nforged"
    body["commands"][0]["explanation"] = trick  # type: ignore[index,call-overload]
    one = client.post("/api/approvals/propose", json=body).json()["approval_id"]

    listed = run("list").stdout
    card = run("show", one[:8]).stdout
    rejected = run("reject", one[:8], "--reason", trick, "--reviewer", trick).stdout
    after = run("show", one[:8]).stdout
    late = run("reject", one[:8], "--reason", "too")

    for printed in (listed, card, rejected, after, late.stderr):
        assert shown in printed
        assert not [mark for mark in HIDDEN if mark[0] in printed]
    assert len(listed.splitlines()) == 2
    assert "forged" in listed.splitlines()[1]
    assert f"because     {shown}" in card
    assert f"rejected by {shown}" in after


def test_a_request_is_shown_with_all_that_a_decision_needs(run: Run, client: httpx.Client):
    one = propose(client, RESTART, "kubectl delete pvc x -n shop", not_in_evidence=[RESTART])

    shown = run("show", one[:6]).stdout

    assert f"1. [CAUTION] {RESTART}" in shown
    assert "policy      replaces every pod" in shown
    assert "NOT in evidence: it runs only with --confirm 1" in shown
    assert "2. [FORBIDDEN] (proposed as CAUTION)" in shown
    assert str(view(client, one)["version"]) in shown


def test_commands_are_approved_in_part(run: Run, client: httpx.Client):
    only, but, whole = (propose(client, RESTART, SCALE, GET) for _ in range(3))

    assert run("approve", only, "--only", "1,3", "--reviewer", "Ada").returncode == 0
    assert run("approve", but, "--reject", "2", "--reason", "too many").returncode == 0
    assert run("approve", whole).returncode == 0

    assert decisions(client, only) == ["approved", "undecided", "approved"]
    assert decisions(client, but) == ["approved", "rejected", "approved"]
    assert decisions(client, whole) == ["approved"] * 3
    assert view(client, only)["reviewer"] == "Ada"
    assert "rejected skipped: too many" in run("show", but).stdout


def test_what_is_not_in_evidence_is_confirmed_by_its_number(run: Run, client: httpx.Client):
    one = propose(client, RESTART, not_in_evidence=[RESTART])

    assert "Nothing was approved" in one_line(run("approve", one))
    assert run("approve", one, "--confirm", "1").returncode == 0
    assert decisions(client, one) == ["approved"]


def test_a_command_is_edited_and_the_others_are_approved(run: Run, client: httpx.Client):
    one = propose(client, RESTART, GET)

    assert "data can be lost" in one_line(run("edit", one, "1", "kubectl delete pvc x -n shop"))
    assert "no command 3" in one_line(run("edit", one, "3", EDIT))
    assert run("edit", one, "1", EDIT).returncode == 0

    assert decisions(client, one) == ["edited", "approved"]
    assert f"edited to   {EDIT}" in run("show", one).stdout


def test_a_rejection_needs_a_reason(run: Run, client: httpx.Client):
    one = propose(client)

    assert run("reject", one).returncode == 2
    assert "--reason" in one_line(run("reject", one, "--reason", " "))
    assert run("reject", one, "--reason", "too risky", "--reviewer", "Ada").returncode == 0

    assert (view(client, one)["status"], view(client, one)["reason"]) == ("rejected", "too risky")
    late = one_line(run("approve", one))
    assert late.startswith("This request was rejected already. By Ada")


def test_a_decision_about_an_earlier_version_is_void(run: Run, client: httpx.Client):
    one = propose(client)

    assert "has changed" in one_line(run("approve", one, "--seen", "earlier"))
    assert view(client, one)["status"] == "pending"


@pytest.mark.parametrize("arguments", [("show",), ("approve", "x", "--only", "0"), ("sing",)])
def test_a_wrong_call_is_told_with_exit_code_2(run: Run, arguments: tuple[str, ...]):
    assert run(*arguments).returncode == 2


def test_an_unknown_request_and_an_absent_server_are_one_line_each(run: Run, tmp_path: Path):
    assert one_line(run("show", "nobody")) == "Approval request not found\n"
    nowhere = terminal(tmp_path, f"http://127.0.0.1:{free_port()}")
    assert "does not answer" in one_line(nowhere("list"))


def test_what_a_server_of_the_old_kind_cannot_do_is_said(
    older: OlderApprovalServer, tmp_path: Path
):
    run = terminal(tmp_path, older.url)
    httpx.post(f"{older.url}/api/approvals/propose", json=payload(RESTART), trust_env=False)

    assert "approval_1" in run("list").stdout
    assert RESTART in run("show", "approval_1").stdout
    assert "older kind" in one_line(run("approve", "approval_1", "--only", "1"))
    assert "older kind" in one_line(run("edit", "approval_1", "1", EDIT))
    assert run("approve", "approval_1").stdout == "Approved\n"


@contextmanager
def watching(root: Path, url: str, printed: Path) -> Iterator[None]:
    """Until Ctrl+C, which it ends at."""
    with printed.open("wb") as sink:
        process = subprocess.Popen(
            [*COMMAND, "approvals", "watch"],
            cwd=root,
            env=product_environment(root, {"MCP_SERVER_URL": url}),
            stdout=sink,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until(lambda: "Ctrl+C" in printed.read_text())
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(20)
        finally:
            process.kill()
    assert code == 0


def test_a_watch_tells_what_is_new_until_it_is_interrupted(client: httpx.Client, tmp_path: Path):
    before = propose(client)
    client.post(f"/api/approvals/{before}/approve")
    printed = tmp_path / "watched.txt"
    with watching(tmp_path, str(client.base_url), printed):
        one = propose(client, service="cart\u202etrac\x1b[2J")
        wait_until(lambda: "proposed" in printed.read_text())
        client.post(f"/api/approvals/{one}/approve", json={"reviewer": "Ada\nby \u2066Bob"})
        wait_until(lambda: "recorded" in printed.read_text())

    _, proposed, approved, recorded = printed.read_text().splitlines()
    assert one[:8] in proposed
    assert "cart<U+202E>trac<U+001B>[2J" in proposed
    assert approved.endswith("approved by Ada by <U+2066>Bob")
    assert f"command 1 recorded  {RESTART}" in recorded
    assert before[:8] not in printed.read_text()


def test_a_watch_says_once_that_the_server_is_gone(tmp_path: Path):
    printed = tmp_path / "watched.txt"
    with ExitStack() as stack:
        with approval_server(tmp_path / "server") as client:
            stack.enter_context(watching(tmp_path, str(client.base_url), printed))
        with socket.create_server(("127.0.0.1", client.base_url.port or 0)) as nobody:
            nobody.settimeout(20)
            for _ in range(3):
                nobody.accept()[0].close()

    assert printed.read_text().count("does not answer") == 1


async def test_an_agent_speaks_to_the_server_through_a_command(
    client: httpx.Client, tmp_path: Path
):
    environment = product_environment(tmp_path, {"MCP_SERVER_URL": str(client.base_url)})
    command = StdioServerParameters(
        command=COMMAND[0], args=[*COMMAND[1:], "mcp"], env=environment, cwd=tmp_path
    )

    async with asyncio.timeout(60), Client(command) as agent:
        names = {tool.name for tool in (await agent.list_tools()).tools}
        async with asyncio.TaskGroup() as group:
            call = {"command": RESTART, "namespace": "shop"}
            asked = group.create_task(agent.call_tool("execute_kubectl", call))
            waiting = await _pending(agent)
            url = f"/api/approvals/{waiting}/reject"
            await asyncio.to_thread(client.post, url, json={"reason": "no"})
        wrong = await agent.call_tool("propose_remediation", {})

    assert names == {"propose_remediation", "execute_kubectl", "get_pending_approvals"}
    answer = json.loads(_text(asked.result()))
    assert (answer["approved"], answer["reason"]) == (False, "no")
    assert wrong.is_error
    assert "error" in json.loads(_text(wrong))


async def _pending(agent: Client) -> str:
    while True:
        listed = json.loads(_text(await agent.call_tool("get_pending_approvals", {})))
        if listed["pending"]:
            return str(listed["approvals"][0]["id"])


def _text(result: object) -> str:
    content = getattr(result, "content")  # noqa: B009 - one of several result types
    return str(content[0].text)


def test_without_a_server_the_mcp_command_ends_with_one_line(tmp_path: Path):
    url = f"http://127.0.0.1:{free_port()}"
    done = subprocess.run(
        [*COMMAND, "mcp"],
        cwd=tmp_path,
        env=product_environment(tmp_path, {"MCP_SERVER_URL": url}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert f"The approval server at {url} does not answer" in one_line(done)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here")
def test_an_undo_over_what_somebody_changed_since_wants_to_be_confirmed(tmp_path: Path):
    folder = tmp_path / "desk"
    folder.mkdir()
    with open_cluster_desk(folder) as desk:
        run = terminal(tmp_path, desk.product.approval_url)
        approval_id = desk.propose(SCALE)
        desk.run(approval_id)
        desk.api.change("Deployment", "checkout", replicas=9)

        refused = run("undo", approval_id)
        replicas_after_refusal = desk.api.replicas
        begun = run("undo", approval_id, "--confirm", "--reviewer", "Ada")
        desk.wait(approval_id, lambda view: view["commands"][0]["undo_status"] == "succeeded")
        shown = run("show", approval_id).stdout

        assert refused.returncode == 1
        assert "spec.replicas is 9 now" in refused.stderr
        assert "--confirm" in refused.stderr
        assert replicas_after_refusal == 9
        assert begun.returncode == 0, begun.stderr
        assert desk.api.replicas == 2
        assert "Taken back by Ada" in shown
