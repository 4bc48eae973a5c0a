"""Gemini's wire protocol on a loopback port: scripted answers first, then plausible ones.

`python -m tests.fakes.gemini_server --port N [--scenario NAME] [--pause SECONDS]` serves until it is stopped.
"""

import argparse
import json
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.gemini_answers import plausible_answer
from tests.fakes.servers import free_port

Json = dict[str, Any]
KEY = "AIza-test-key-0123456789"
PIECE_CHARACTERS = 40


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
    is_held: bool = False
    """Whether the second half of the body is sent only after `release`."""


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
    return Canned(body=json.dumps(body, ensure_ascii=False).encode())


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


def streamed(body: bytes) -> list[bytes]:
    """The body as Gemini streams it: text in pieces, costs added up, the reason at the end."""
    try:
        whole = json.loads(body)
        [candidate] = whole["candidates"]
        [part] = candidate["content"]["parts"]
        text = part["text"]
    except (ValueError, LookupError, TypeError):
        return [b"data: %b\r\n\r\n" % body if body.startswith((b"{", b"[")) else body]
    size = max(1, min(PIECE_CHARACTERS, -(-len(text) // 2)))
    *texts, last = [text[start : start + size] for start in range(0, len(text), size)] or [""]
    usage = whole.get("usageMetadata", {})
    early = usage | {"candidatesTokenCount": 1, "totalTokenCount": 703}
    unfinished = {name: value for name, value in candidate.items() if name != "finishReason"}
    chunks = [
        whole | {"candidates": [unfinished | _content(piece)], "usageMetadata": early}
        for piece in texts
    ]
    chunks.append(whole | {"candidates": [candidate | _content(last)]})
    return [
        b"data: %b\r\n\r\n" % json.dumps(chunk, ensure_ascii=False).encode() for chunk in chunks
    ]


def _content(text: str) -> Json:
    return {"content": {"role": "model", "parts": [{"text": text}]}}


class GeminiServer:
    """A running fake: `script` is played first, then `always`, or else plausible answers."""

    def __init__(self, port: int, always: Canned | None = None) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.script: deque[Canned] = deque()
        self.always = always
        self.answer = plausible
        self.received: list[Received] = []
        self.pause_seconds = 0.0
        """Between the pieces of a streamed answer."""
        self.stopping = threading.Event()
        self.released = threading.Event()
        self.left = threading.Event()
        """Whether somebody went away before the end of an answer."""
        self.http = ThreadingHTTPServer(("127.0.0.1", port), partial(_Exchange, self))
        self.http.daemon_threads = True

    def reset(self) -> None:
        """Forget what was asked and scripted."""
        self.script.clear()
        self.received.clear()
        self.always = None
        self.answer = plausible
        self.pause_seconds = 0.0
        self.released.clear()
        self.left.clear()

    def release(self) -> None:
        """Send the rest of what is held."""
        self.released.set()

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
        try:
            self.answer(canned)
        except ConnectionError:
            self.fake.left.set()

    def answer(self, canned: Canned) -> None:
        is_streamed = ":streamGenerateContent" in self.path and canned.status == HTTPStatus.OK
        pieces = streamed(canned.body) if is_streamed else [canned.body]
        self.send_response(canned.status)
        self.send_header("content-type", "text/event-stream" if is_streamed else "application/json")
        self.send_header("transfer-encoding", "chunked")
        for name, value in canned.headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        middle = len(pieces) // 2
        self.send_pieces(pieces[:middle])
        if canned.is_held:
            self.fake.released.wait()
        if not canned.is_dropped:
            self.send_pieces(pieces[middle:])
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = self.close_connection or canned.is_dropped

    def send_pieces(self, pieces: Sequence[bytes]) -> None:
        for piece in filter(None, pieces):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            self.fake.stopping.wait(self.fake.pause_seconds)

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
        server.released.set()
        server.http.shutdown()
        thread.join()
        server.http.server_close()


def main() -> None:
    """Serve one scenario until the process is stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="plausible")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between pieces")
    arguments = parser.parse_args()
    server = GeminiServer(arguments.port, SCENARIOS[arguments.scenario])
    server.pause_seconds = arguments.pause
    sys.stdout.write(f"{server.url} answers with key {KEY}\n")
    sys.stdout.flush()
    server.http.serve_forever()


if __name__ == "__main__":
    main()
