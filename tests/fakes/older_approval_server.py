"""An approval server of the older kind: no idempotency keys, one webhook, sent without retry."""

import json
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

import httpx

from tests.fakes.servers import free_port


@dataclass
class OlderApprovalServer:
    """What it was asked; `faults` say what goes wrong with the next proposals, in turn.

    `lost` queues the proposal and drops the connection, `page` answers an HTML error, `early` reports
    the approval before it answers.
    """

    url: str
    webhook_url: str = ""
    faults: deque[str] = field(default_factory=deque)
    refused_services: set[str] = field(default_factory=set)
    approvals: list[dict[str, Any]] = field(default_factory=list)
    reported: list[int] = field(default_factory=list)
    """The status of each webhook's answer."""
    lock: Lock = field(default_factory=Lock)

    def propose(self, body: dict[str, Any]) -> tuple[int, bytes] | None:
        """Status and body; None for a connection that breaks."""
        with self.lock:
            fault = self.faults.popleft() if self.faults else ""
            if fault == "page":
                return 500, b"<html>oops</html>"
            if body["metadata"]["service"] in self.refused_services:
                return 200, b'{"error": "not this one"}'
            approval_id = f"approval_{len(self.approvals) + 1}"
            self.approvals.append({**body, "id": approval_id, "timestamp": "2024-05-01T10:00:00Z"})
        if fault == "early":
            report = {"approval_id": approval_id, "status": "approved", "approved_count": 3}
            self.reported.append(httpx.post(self.webhook_url, json=report).status_code)
        answer = {"status": "pending", "approval_id": approval_id, "message": "queued"}
        return None if fault == "lost" else (200, json.dumps(answer).encode())


@contextmanager
def older_approval_server() -> Iterator[OlderApprovalServer]:
    """One on a free port, gone after the block."""
    port = free_port()
    fake = OlderApprovalServer(f"http://127.0.0.1:{port}")

    class Handler(BaseHTTPRequestHandler):
        """Reads the request and answers."""

        def do_GET(self) -> None:
            self._answer(200, json.dumps({"approvals": fake.approvals}).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if self.path.endswith("/approve"):
                self._answer(200, b'{"status": "approved", "message": "Approved"}')
                return
            answer = fake.propose(json.loads(body))
            if answer is None:
                self.close_connection = True
                return
            self._answer(*answer)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
