"""A backend that only takes webhooks: answers as told and keeps what it got."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.servers import free_port

PATH = "/api/v1/feedback/mcp-approval"


@dataclass(frozen=True)
class ReceivedWebhook:
    """One request as it came."""

    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class WebhookReceiver:
    """Answers with the given statuses in turn, then with 200."""

    def __init__(self, port: int, statuses: list[int]) -> None:
        """Nothing has come yet."""
        self.url = f"http://127.0.0.1:{port}{PATH}"
        self.received: list[ReceivedWebhook] = []
        self._statuses = statuses
        self._arrived = threading.Condition()

    def take(self, webhook: ReceivedWebhook) -> int:
        """Keep a request and say its status."""
        with self._arrived:
            self.received.append(webhook)
            self._arrived.notify_all()
            return self._statuses.pop(0) if self._statuses else 200

    def of_kind(self, kind: str) -> list[ReceivedWebhook]:
        """What came of one kind, such as `executed`."""
        return [each for each in list(self.received) if each.json.get("type") == f"approval.{kind}"]

    def wait_for_kind(self, kind: str, count: int, seconds: float = 30) -> list[ReceivedWebhook]:
        """What came of one kind, once there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.of_kind(kind)) >= count, seconds), (
                f"{len(self.of_kind(kind))} of {count} webhooks of {kind} came"
            )
            return self.of_kind(kind)

    def wait_for(self, count: int, seconds: float = 10) -> list[ReceivedWebhook]:
        """What came, once there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, seconds), (
                f"{len(self.received)} of {count} webhooks came"
            )
            return list(self.received)


@contextmanager
def webhook_receiver(*statuses: int, port: int | None = None) -> Iterator[WebhookReceiver]:
    """A receiver on a loopback port."""
    port = port or free_port()
    receiver = WebhookReceiver(port, list(statuses))

    class Handler(BaseHTTPRequestHandler):
        """Hands each POST to the receiver."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(receiver.take(ReceivedWebhook(body, headers)))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
