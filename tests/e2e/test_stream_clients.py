"""Clients of every kind at the product's stream, in a server process of its own."""

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import httpx_sse
import pytest

from tests.fakes.sse_reader import Dispatched, Parser, opened, resumed_at
from tests.fakes.talk import Child, child
from tests.fakes.waiting import wait_until

HEARTBEAT_SECONDS = 0.3
HEARTBEAT = b":\n"
CONNECTS_PER_SECOND = 100
CONNECTS = 600
KEPT_FILES = 6
"""Of three threads that read the database; each opens its connection when it is first needed."""
SETTLE_SECONDS = 20.0
MEBIBYTE = 1024 * 1024

pytestmark = pytest.mark.e2e


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Child]:
    place = [str(tmp_path / "stored"), "--heartbeat", str(HEARTBEAT_SECONDS)]
    with child("tests.fakes.stream_server", *place) as started:
        yield started


def whole(server: Child, last_id: str = "") -> list[Dispatched]:
    """Everything after an id of a finished workflow."""
    with opened(server.ready["port"], server.ready["path"], resumed_at(last_id)) as answer:
        return list(answer.events())


def test_a_foreign_client_library_gets_events_and_nothing_else(server: Child):
    with (
        httpx.Client(base_url=f"http://127.0.0.1:{server.ready['port']}", timeout=10) as client,
        httpx_sse.connect_sse(client, "GET", server.ready["path"]) as source,
    ):
        server.ask(append=["one"])
        speak = threading.Timer(4 * HEARTBEAT_SECONDS, lambda: server.ask(append=["two"], end=True))
        speak.start()
        events = list(source.iter_sse())
        speak.join()

    assert [event.data for event in events] == [event.data for event in whole(server)]
    assert all(event.data and event.id for event in events)


def test_a_silent_stream_is_kept_alive_by_bytes_that_are_no_event(server: Child):
    with opened(server.ready["port"], server.ready["path"]) as answer:
        next(answer.events())
        pieces = answer.body()
        assert [next(pieces) for _ in range(3)] == [HEARTBEAT] * 3


def test_a_stream_cut_at_any_byte_and_resumed_is_exact(server: Child):
    server.ask(append=["first", "second \u2028 \N{SPARKLES}"], end=True)
    everything = whole(server)
    with opened(server.ready["port"], server.ready["path"]) as answer:
        size = len(b"".join(answer.body()))

    for offset in range(size + 1):
        before = list(Parser().feed(first_bytes(server, offset)))
        last_id = before[-1].id if before else ""
        assert before + whole(server, last_id) == everything, f"cut after {offset} bytes"


def first_bytes(server: Child, count: int) -> bytes:
    read = b""
    with opened(server.ready["port"], server.ready["path"]) as answer:
        for piece in answer.body():
            read += piece
            if len(read) >= count:
                break
    return read[:count]


def test_clients_that_come_and_go_leave_nothing_behind(server: Child):
    server.ask(append=["for everybody"])
    come_and_go(server, CONNECTS)
    files, memory = files_of(server), memory_of(server)

    come_and_go(server, CONNECTS)

    wait_until(lambda: files_of(server) <= files + KEPT_FILES, SETTLE_SECONDS)
    assert memory_of(server) - memory < 5 * MEBIBYTE


def come_and_go(server: Child, times: int) -> None:
    """Half hang up politely, half break the connection."""
    start = time.monotonic()
    for number in range(times):
        threading.Event().wait(max(0.0, start + number / CONNECTS_PER_SECOND - time.monotonic()))
        with socket.create_connection(("127.0.0.1", server.ready["port"]), timeout=10) as plug:
            if number % 2:
                linger = (1).to_bytes(4, "little") + (0).to_bytes(4, "little")
                plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            plug.sendall(f"GET {server.ready['path']} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
            assert plug.recv(100)


def files_of(server: Child) -> int:
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def memory_of(server: Child) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024
