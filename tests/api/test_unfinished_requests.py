"""A client that does not finish its request holds neither a connection nor memory."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import orjson
import pytest

from app.cli.patience import PATIENCE_SECONDS
from tests.fakes.servers import RunningProduct

POST = b"POST /api/v1/workflows/start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n"
UNFINISHED = {
    "half a head": b"GET / HTTP/1.1\r\nHost: local",
    "a body that never comes": POST,
    "a byte now and then": POST,
}
TOO_MUCH = 4 * 1024 * 1024


def read_until_closed(client: socket.socket, on_silence: Callable[[], object]) -> bytes:
    """Everything that comes, within a limit."""
    client.settimeout(1)
    read, deadline = b"", time.monotonic() + PATIENCE_SECONDS + 10
    while time.monotonic() < deadline:
        try:
            part = client.recv(65536)
        except TimeoutError:
            on_silence()
            continue
        except ConnectionError:
            return read
        if not part:
            return read
        read += part
    raise AssertionError(f"still open after {read!r}")


def test_what_stays_unfinished_is_answered_with_408_and_closed(product: RunningProduct):
    def ask(name: str) -> bytes:
        with socket.create_connection(("127.0.0.1", product.port)) as client:
            client.sendall(UNFINISHED[name])
            drip = (lambda: client.sendall(b"x")) if name == "a byte now and then" else bool
            return read_until_closed(client, drip)

    def connect_only() -> bytes:
        with socket.create_connection(("127.0.0.1", product.port)) as client:
            return read_until_closed(client, bool)

    with ThreadPoolExecutor(len(UNFINISHED) + 1) as clients:
        silent = clients.submit(connect_only)
        answers = dict(zip(UNFINISHED, clients.map(ask, UNFINISHED), strict=True))

    for name, answer in answers.items():
        assert b"HTTP/1.1 408 Request Timeout\r\n" in answer, name
    assert silent.result() == b""


@pytest.mark.parametrize(
    "begin",
    [b"GET / HTTP/1.1\r\nX-Long: ", b"GET /", b"GET / HTTP/1.1\r\n" + b"X-Many: 1\r\n" * 100],
)
def test_a_head_without_end_is_refused_early(product: RunningProduct, begin: bytes):
    sent, answer = 0, b""

    with socket.create_connection(("127.0.0.1", product.port)) as client:
        client.sendall(begin)
        for piece in repeat(b"x" * 4096, TOO_MUCH // 4096):
            try:
                client.sendall(piece)
            except ConnectionError:
                break
            sent += len(piece)
        answer = read_until_closed(client, bool)

    assert sent < TOO_MUCH
    assert not answer or answer.startswith(b"HTTP/1.1 431 ")


def test_what_is_no_http_is_refused_in_the_shape_of_every_error(product: RunningProduct):
    with socket.create_connection(("127.0.0.1", product.port)) as client:
        client.sendall(b"hello\r\n\r\n")
        head, _, body = read_until_closed(client, bool).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert orjson.loads(body) == {"detail": "Invalid HTTP request received."}
