"""What GET answers, HEAD answers as well, at both servers; where no WebSocket is, a handshake hears why."""

import json
import socket

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.fakes.servers import RunningProduct

LATER = {"date", "content-length"}
"""Of what is counted anew with every request."""
BACKEND = [
    "/",
    "/docs",
    "/health",
    "/ready",
    "/metrics",
    "/ui/",
    "/openapi.json",
    "/api/v1/workflows",
    "/api/v1/workflows/{id}",
    "/api/v1/workflows/{id}/events",
    "/api/v1/workflows/00000000-0000-0000-0000-000000000000/events",
    "/api/v1/feedback/statistics",
    "/api/v1/feedback/lessons",
    "/api/v1/samples",
    "/nowhere",
]
APPROVALS = [
    "/",
    "/theme.css",
    "/health",
    "/ready",
    "/api/config",
    "/api/approvals",
    "/api/approvals/pending",
    "/api/approvals/nobody",
    "/nowhere",
]


@pytest.fixture(scope="module")
def workflow_id(product: RunningProduct) -> str:
    answer = httpx.post(f"{product.url}/api/v1/workflows/start", content="ERROR it broke")
    return str(answer.json()["workflow_id"])


def assert_head_is_as_get(url: str) -> None:
    with httpx.Client(trust_env=False) as client:
        got, head = client.get(url), client.head(url)

    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers.keys() == got.headers.keys()
    fixed = got.headers.keys() - LATER
    assert {name: head.headers[name] for name in fixed} == {
        name: got.headers[name] for name in fixed
    }


@pytest.mark.parametrize("path", BACKEND)
def test_the_backend_answers_head_as_get(product: RunningProduct, workflow_id: str, path: str):
    assert_head_is_as_get(product.url + path.format(id=workflow_id))


@pytest.mark.parametrize("path", APPROVALS)
def test_the_approval_server_answers_head_as_get(product: RunningProduct, path: str):
    assert_head_is_as_get(product.approval_url + path)


def test_a_head_is_counted_where_its_get_is(product: RunningProduct):
    httpx.head(f"{product.url}/api/v1/samples")

    counted = [
        line
        for line in httpx.get(f"{product.url}/metrics").text.splitlines()
        if 'method="HEAD"' in line and '/samples"' in line
    ]
    assert counted


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/approvals/pending", {"GET", "HEAD"}),
        ("/api/approvals/x/approve", {"POST"}),
    ],
)
def test_a_method_that_is_not_taken_is_told_which_are(
    product: RunningProduct, path: str, allowed: set[str]
):
    answer = httpx.request("PATCH", product.approval_url + path)

    assert answer.status_code == httpx.codes.METHOD_NOT_ALLOWED
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("server", ["backend", "approvals"])
def test_a_handshake_where_no_web_socket_is_hears_why(product: RunningProduct, server: str):
    port = product.port if server == "backend" else product.approval_port

    with pytest.raises(InvalidStatus) as refusal:
        connect(f"ws://127.0.0.1:{port}/nowhere")

    assert refusal.value.response.status_code == httpx.codes.NOT_FOUND
    assert json.loads(refusal.value.response.body)["detail"]


def test_a_handshake_under_a_foreign_name_is_refused_by_the_approval_server(
    product: RunningProduct,
):
    with (
        socket.create_connection(("127.0.0.1", product.approval_port)) as connection,
        pytest.raises(InvalidStatus) as refusal,
    ):
        connect("ws://evil.example/", sock=connection)

    assert refusal.value.response.status_code == httpx.codes.MISDIRECTED_REQUEST
    assert "host name" in json.loads(refusal.value.response.body)["detail"]
