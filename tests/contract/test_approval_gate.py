"""What every approval server looks like to the backend: ours, the older one, and none at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from app.adapters.approvals.remote import FEATURES, open_remote_gate
from app.api.approval_server import create_approval_app
from app.bootstrap.approvals import open_approval_services
from app.domain.approval import Proposal, ProposalMetadata, ProposedCommand
from app.domain.errors import ApprovalGateFailed, ProposalDeclined, ProposalRefused
from app.domain.ids import WorkflowId
from app.domain.plan import SafetyLevel
from app.settings import Settings
from tests.fakes.approvals import RESTART
from tests.fakes.servers import free_port, serving

PAGE = "http://localhost:3100"
PROPOSAL = Proposal(
    action="Restart checkout",
    commands=(
        ProposedCommand(command=RESTART, explanation="because", safety_level=SafetyLevel.CAUTION),
    ),
    metadata=ProposalMetadata(
        severity="HIGH",
        priority="P1",
        service="checkout",
        issue="OOM",
        root_cause="the limit is too low",
        phase="REMEDIATE",
        workflow_id=WorkflowId("9f7c1f7e-3c2e-4f2b-9d55-0f2d6f7d2f10"),
        namespace="shop",
        notes={RESTART: "not in evidence"},
    ),
)


@contextmanager
def configured(configuration: object, asked: list[str], port: int | None = None) -> Iterator[str]:
    """A server that takes everything; without a configuration that page is missing."""

    class Handler(BaseHTTPRequestHandler):
        """Notes the path and answers."""

        def do_GET(self) -> None:
            asked.append(self.path)
            is_known = self.path != "/api/config" or configuration is not None
            found = configuration if self.path == "/api/config" else {"approvals": []}
            self._answer(200 if is_known else 404, found)

        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self._answer(200, {"status": "pending", "approval_id": "approval_17"})

        def _answer(self, status: int, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    yield from _serving(Handler, port or free_port())


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """A server that answers everything the same."""

    class Handler(BaseHTTPRequestHandler):
        """Reads the request and answers."""

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    yield from _serving(Handler, free_port())


def _serving(handler: type[BaseHTTPRequestHandler], port: int) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_our_server_takes_a_proposal_once_per_key(tmp_path: Path):
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "backend_webhook_url": "http://127.0.0.1:9/"}
    )
    app = create_approval_app(settings, partial(open_approval_services, settings))
    with serving(app) as url:
        async with open_remote_gate(f"{url}/", PAGE, is_ours=True) as gate:
            first = await gate.propose(PROPOSAL, "key-1")
            again = await gate.propose(PROPOSAL, "key-1")
            worded_anew = await gate.propose(
                PROPOSAL.model_copy(update={"action": "In the words of a newer release"}), "key-1"
            )
            trouble = await gate.trouble()
        async with httpx.AsyncClient(trust_env=False) as client:
            listed = (await client.get(f"{url}/api/approvals/pending")).json()["approvals"]

    assert first == again == worded_anew
    assert trouble is None
    assert gate.page_url == PAGE
    assert [one["id"] for one in listed] == [first]
    assert listed[0]["metadata"]["notes"] == {RESTART: "not in evidence"}
    assert listed[0]["metadata"]["workflow_id"] == PROPOSAL.metadata.workflow_id


async def test_the_older_server_is_understood(tmp_path: Path):
    body = {"status": "pending", "approval_id": "approval_17", "approvals": []}
    with answering(200, json.dumps(body).encode()) as url:
        async with open_remote_gate(url, PAGE) as gate:
            assert await gate.propose(PROPOSAL, "key") == "approval_17"
            assert await gate.trouble() is None


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b'{"error": "commands are required"}', "commands are required"),
        (422, b'{"error": "body.commands: too long", "approval_id": "x"}', "too long"),
        (500, b"<html>oops</html>", "500"),
        (200, b"[]", "without an approval_id"),
        (302, b"", "302"),
    ],
)
async def test_any_other_answer_is_a_failure_with_its_reason(status: int, body: bytes, words: str):
    with answering(status, body) as url:
        async with open_remote_gate(url, PAGE) as gate:
            with pytest.raises(ApprovalGateFailed, match=words):
                await gate.propose(PROPOSAL, "key")


async def test_a_server_that_is_down_is_a_failure_that_will_be_tried_again():
    async with open_remote_gate(f"http://127.0.0.1:{free_port()}", PAGE) as gate:
        with pytest.raises(ApprovalGateFailed, match="will be tried again"):
            await gate.propose(PROPOSAL, "key")
        assert "does not answer" in str(await gate.trouble())


async def test_a_server_that_answers_with_an_error_is_in_trouble():
    with answering(503, b"{}") as url:
        async with open_remote_gate(url, PAGE) as gate:
            assert "503" in str(await gate.trouble())


async def test_a_server_is_asked_once_what_it_knows():
    asked: list[str] = []
    features = [*FEATURES[:2], "something newer"]
    with configured({"features": features}, asked) as url:
        async with open_remote_gate(url, PAGE) as gate:
            assert await gate.propose(PROPOSAL, "key") == "approval_17"
            assert await gate.propose(PROPOSAL, "key") == "approval_17"

            assert asked == ["/api/config", "/api/approvals/propose", "/api/approvals/propose"]
            assert gate.lacks == FEATURES[2:]


async def test_a_server_without_a_configuration_is_of_the_older_kind():
    asked: list[str] = []
    with configured(None, asked) as url:
        async with open_remote_gate(url, PAGE) as gate:
            assert await gate.trouble() is None
            assert gate.lacks == FEATURES
            await gate.propose(PROPOSAL, "key")

    pending = "/api/approvals/pending"
    assert asked == ["/api/config", pending, pending, "/api/approvals/propose"]


async def test_after_a_failure_the_server_is_asked_again():
    port = free_port()
    async with open_remote_gate(f"http://127.0.0.1:{port}", PAGE) as gate:
        with configured(None, [], port):
            await gate.trouble()
        assert gate.lacks == FEATURES
        assert "does not answer" in str(await gate.trouble())

        with configured({"features": FEATURES}, [], port):
            await gate.trouble()
            assert not gate.lacks


@pytest.mark.parametrize(("status", "is_for_good"), [(422, True), (400, True), (429, False)])
async def test_what_would_be_refused_again_is_declined(status: int, is_for_good: bool):
    with answering(status, b"{}") as url:
        async with open_remote_gate(url, PAGE, is_ours=True) as gate:
            with pytest.raises(ProposalRefused) as refusal:
                await gate.propose(PROPOSAL, "key")

    assert isinstance(refusal.value, ProposalDeclined) is is_for_good
