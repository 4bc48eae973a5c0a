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

    def wait_for(self, count: int, seconds: float = 10) -> list[ReceivedWebhook]:
        """What came, once there are so many."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.received) >= count, seconds), (
                f"{len(self.received)} of {count} webhooks came"
            )
            return list(self.received)

    def of(self, kind: str) -> list[ReceivedWebhook]:
        """What came of one kind, such as `executed`."""
        with self._arrived:
            return [one for one in self.received if one.json.get("type") == f"approval.{kind}"]

    def wait_for_one_of(self, kind: str, seconds: float = 20) -> ReceivedWebhook:
        """The first one of a kind, once it has come."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: self.of(kind), seconds), f"none of kind {kind}"
            return self.of(kind)[0]

    def wait_for_id(self, webhook_id: str, seconds: float = 20) -> None:
        """Return as soon as a webhook of this id is there."""
        with self._arrived:
            assert self._arrived.wait_for(
                lambda: any(one.headers["webhook-id"] == webhook_id for one in self.received),
                seconds,
            ), f"no webhook {webhook_id}"

    def told_in_two_ways(self) -> list[str]:
        """Ids of webhooks that came with more than one body."""
        with self._arrived:
            bodies = {(one.headers["webhook-id"], one.body) for one in self.received}
        ids = [webhook_id for webhook_id, _ in bodies]
        return sorted(webhook_id for webhook_id in set(ids) if ids.count(webhook_id) > 1)


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
