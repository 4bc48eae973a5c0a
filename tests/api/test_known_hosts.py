"""A web page whose own DNS name was made to point to this machine gets nothing from the backend."""

import json
import socket

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.fakes.servers import RunningProduct

PATHS = ["/", "/ui/", "/metrics", "/api/v1/workflows", "/api/v1/workflows/x/stream"]


@pytest.mark.parametrize("path", PATHS)
def test_no_door_answers_under_a_foreign_name(product: RunningProduct, path: str):
    answer = httpx.get(product.url + path, headers={"host": f"evil.example:{product.port}"})

    assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST
    assert "host name" in answer.json()["detail"]


def test_no_workflow_starts_under_a_foreign_name(product: RunningProduct):
    headers = {"host": "evil.example", "origin": "http://evil.example"}

    answer = httpx.post(f"{product.url}/api/v1/workflows/start", content="ERROR", headers=headers)

    assert answer.status_code == httpx.codes.MISDIRECTED_REQUEST


def test_no_web_socket_opens_under_a_foreign_name(product: RunningProduct):
    url = f"ws://evil.example/api/v1/workflows/{'0' * 32}/ws"

    with (
        socket.create_connection(("127.0.0.1", product.port)) as connection,
        pytest.raises(InvalidStatus) as refusal,
    ):
        connect(url, sock=connection)

    assert refusal.value.response.status_code == httpx.codes.MISDIRECTED_REQUEST
    assert "host name" in json.loads(refusal.value.response.body)["detail"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:8000"])
def test_every_name_of_this_machine_is_known(product: RunningProduct, host: str):
    assert httpx.get(f"{product.url}/health", headers={"host": host}).is_success
