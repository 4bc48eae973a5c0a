"""Streams through a stock nginx that compresses whatever it can."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from uuid import uuid4

import pytest

from tests.fakes.nginx import PROGRAM, RunningNginx, proxy_to, running_nginx
from tests.fakes.sse_reader import Dispatched, Parser, opened
from tests.fakes.talk import Child, child

HEARTBEAT_SECONDS = 0.5
PROXY_PATIENCE_SECONDS = 4
AT_ONCE_SECONDS = 0.2
TYPICAL_SECONDS = 0.05
ROUNDS = 3
"""Of which the best counts: a busy machine slows one down, a buffer all of them."""

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(PROGRAM is None, reason="needs nginx: apt-get install nginx"),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Child]:
    with child("tests.fakes.stream_server", "--heartbeat", str(HEARTBEAT_SECONDS)) as started:
        yield started


@pytest.fixture
def nginx(tmp_path: Path, server: Child) -> Iterator[RunningNginx]:
    impatient = f"proxy_read_timeout {PROXY_PATIENCE_SECONDS}s;"
    lines = proxy_to(server.ready["port"]) + impatient
    with running_nginx(tmp_path / "nginx", lines) as running:
        yield running


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_each_event_comes_through_a_compressing_proxy_at_once(
    server: Child, nginx: RunningNginx, encoding: str
):
    with opened(nginx.port, server.ready["path"], {"accept-encoding": encoding}) as answer:
        events = answer.events()
        next(events)
        rounds = [[age_of_next(server, events) for _ in range(10)] for _ in range(ROUNDS)]

    assert min(map(max, rounds)) < AT_ONCE_SECONDS
    assert min(map(median, rounds)) < TYPICAL_SECONDS


def age_of_next(server: Child, events: Iterator[Dispatched]) -> float:
    """Seconds from just before it is written to when it is here."""
    text = str(uuid4())
    started = time.monotonic()
    server.ask(append=[text])
    assert text in next(events).data
    return time.monotonic() - started


def test_a_silent_stream_outlives_the_patience_of_a_proxy(server: Child, nginx: RunningNginx):
    with opened(nginx.port, server.ready["path"]) as answer:
        next(answer.events())
        heard = silence_of(answer.text(), 2 * PROXY_PATIENCE_SECONDS)
        server.ask(append=["after the silence"])

        parser = Parser()
        assert list(parser.feed(heard)) == []
        assert "after the silence" in next(answer.events(parser)).data


def silence_of(pieces: Iterator[bytes], seconds: float) -> bytes:
    """What comes while nothing happens; the end of the stream fails the test."""
    deadline, heard = time.monotonic() + seconds, b""
    while time.monotonic() < deadline:
        heard += next(pieces)
    return heard
