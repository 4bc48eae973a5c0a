"""What clients get, and operators read, when a request is broken or says nothing."""

import socket
import time

import httpx
import pytest

from tests.fakes.servers import RunningProduct

HALF = (
    b"POST /api/v1/workflows/start HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Content-Length: 100\r\n\r\nERROR half of"
)


@pytest.mark.parametrize(
    "text", ["\0\0", "\u00a0", "\u2003\n", "\ufeff\ufeff", "\u200b", "\u2060\r\n"]
)
def test_a_body_without_anything_to_see_is_refused(product: RunningProduct, text: str):
    answer = httpx.post(f"{product.url}/api/v1/workflows/start", content=text.encode())

    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "empty" in answer.json()["detail"]


def test_who_leaves_during_an_upload_is_no_failure_of_the_server(product: RunningProduct):
    with socket.create_connection(("127.0.0.1", product.port)) as client:
        client.sendall(HALF)

    deadline = time.monotonic() + 5
    while 'status="499"' not in (metrics := httpx.get(f"{product.url}/metrics").text):
        assert time.monotonic() < deadline, metrics
    assert "ClientDisconnect" not in (product.logs_dir / "app.log").read_text()
