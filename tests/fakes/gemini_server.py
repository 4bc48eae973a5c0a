"""Gemini's wire protocol on a loopback port: scripted answers first, then plausible ones.

`python -m tests.fakes.gemini_server --port N [--scenario NAME]` serves until it is stopped.
"""

import argparse
import json
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.gemini_answers import plausible_answer
from tests.fakes.servers import free_port

Json = dict[str, Any]
KEY = "AIza-test-key-0123456789"


@dataclass(frozen=True)
class Canned:
    """One scripted HTTP answer."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_dropped: bool = False
    """Whether the connection breaks after half the body."""
    is_silent: bool = False
    """Whether nothing is sent before the client goes away."""


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: Json


def answered(text: str, finish: str | None = "STOP", **more: Any) -> Canned:
    """A candidate with this text."""
    candidate: Json = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0, **more}
    if finish is not None:
        candidate["finishReason"] = finish
    return replied({"candidates": [candidate]})


def replied(body: object) -> Canned:
    """A 200 with this JSON, and usage when it is an object."""
    if isinstance(body, dict):
        usage = {
            "promptTokenCount": 700,
            "candidatesTokenCount": 40,
            "thoughtsTokenCount": 2,
            "totalTokenCount": 742,
        }
        body = {"usageMetadata": usage, "modelVersion": "fake", "responseId": "r", **body}
    return Canned(body=json.dumps(body).encode())


def refused(code: int, status: str, message: str, *details: Json, **headers: str) -> Canned:
    """Google's error body."""
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return Canned(code, json.dumps({"error": error}).encode(), headers)


def retry_info(delay: str) -> Json:
    """The detail that says how long to wait."""
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def error_info(reason: str) -> Json:
    """The detail that says why."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
    }


BAD_KEY = refused(
    400,
    "INVALID_ARGUMENT",
    "API key not valid. Please pass a valid API key.",
    error_info("API_KEY_INVALID"),
)
SCENARIOS: dict[str, Canned | None] = {
    "plausible": None,
    "bad_key": BAD_KEY,
    "healthy": answered('{"summary": {}, "errors": [], "warnings": []}'),
    "too_long": answered('{"summary": {}, "err', "MAX_TOKENS"),
    "blocked": replied({"promptFeedback": {"blockReason": "SAFETY"}}),
    "rate_limited": refused(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", retry_info("3600s")),
    "down": refused(503, "UNAVAILABLE", "The model is overloaded.", retry_info("0.01s")),
}


def plausible(body: Json) -> Canned:
    """What a model that works would say to this request."""
    return answered(json.dumps(plausible_answer(body)))


class GeminiServer:
    """A running fake: `script` is played first, then `always`, or else plausible answers."""

    def __init__(self, port: int, always: Canned | None = None) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.script: deque[Canned] = deque()
        self.always = always
        self.answer = plausible
        self.received: list[Received] = []
        self.stopping = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", port), partial(_Exchange, self))
        self.http.daemon_threads = True

    def reset(self) -> None:
        """Forget what was asked and scripted."""
        self.script.clear()
        self.received.clear()
        self.always = None
        self.answer = plausible

    def next_answer(self, request: Received) -> Canned:
        """What this request gets."""
        self.received.append(request)
        if request.headers.get("x-goog-api-key") != KEY:
            return BAD_KEY
        if self.script:
            return self.script.popleft()
        return self.always or self.answer(request.body)


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __init__(self, server: GeminiServer, *args: Any) -> None:
        self.fake = server
        super().__init__(*args)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        canned = self.fake.next_answer(Received(self.path, headers, json.loads(body)))
        if canned.is_silent:
            self.fake.stopping.wait()
            return
        self.send_response(canned.status)
        self.send_header("content-type", "application/json; charset=UTF-8")
        self.send_header("content-length", str(len(canned.body)))
        for name, value in canned.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(canned.body[: len(canned.body) // 2] if canned.is_dropped else canned.body)
        self.close_connection = self.close_connection or canned.is_dropped

    def log_message(self, *_: object) -> None:
        """Keep the test output quiet."""


@contextmanager
def running_gemini(*script: Canned, always: Canned | None = None) -> Iterator[GeminiServer]:
    """A fake on a free port, gone after the block."""
    server = GeminiServer(free_port(), always)
    server.script.extend(script)
    thread = threading.Thread(target=server.http.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.http.shutdown()
        thread.join()
        server.http.server_close()


def main() -> None:
    """Serve one scenario until the process is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="plausible")
    arguments = parser.parse_args()
    server = GeminiServer(arguments.port, SCENARIOS[arguments.scenario])
    sys.stdout.write(f"{server.url} answers with key {KEY}\n")
    sys.stdout.flush()
    server.http.serve_forever()


if __name__ == "__main__":
    main()
