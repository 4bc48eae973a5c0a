"""What clients get, and operators read, when a request is broken or says nothing."""

import socket
import time
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from tests.fakes.servers import RunningProduct, running_product

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


def test_a_first_frame_that_is_no_text_is_no_failure_of_the_server(tmp_path: Path):
    with running_product(tmp_path) as product:
        started = httpx.post(f"{product.url}/api/v1/workflows/start", content="ERROR disk is gone")
        workflow_id = started.json()["workflow_id"]
        url = f"ws://127.0.0.1:{product.port}/api/v1/workflows/{workflow_id}/ws"
        with connect(url, proxy=None) as client:
            client.send(b"\xff\xfe", text=True)
            with pytest.raises(ConnectionClosedError) as closed:
                client.recv(5)

    log = (product.logs_dir / "app.log").read_text()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007
    assert '"stopped"' in log
    assert "Traceback" not in log


def test_who_leaves_during_an_upload_is_no_failure_of_the_server(product: RunningProduct):
    with socket.create_connection(("127.0.0.1", product.port)) as client:
        client.sendall(HALF)

    deadline = time.monotonic() + 5
    while 'status="499"' not in (metrics := httpx.get(f"{product.url}/metrics").text):
        assert time.monotonic() < deadline, metrics
    assert "ClientDisconnect" not in (product.logs_dir / "app.log").read_text()
