"""Processes that die and readers that come and go: T17, T18, and a minute of connects and drops."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from bench.figures import say
from bench.stream_bars import Bar, Row
from bench.stream_servers import open_files, resident_bytes, server, watchers
from tests.fakes.gemini_server import KEY, Canned, running_gemini
from tests.fakes.publisher import Plan
from tests.fakes.servers import free_port, running_product
from tests.fakes.sse_reader import (
    Dispatched,
    ResumingReader,
    compared,
    opened,
    stream_path,
)
from tests.fakes.stream import start_workflow
from tests.fakes.talk import Child

READERS = 20
OPEN_STREAMS = 1000
CONNECTS_PER_SECOND = 100
KEPT_FILES = 6
"""Of three threads that read the database; each opens its connection when it is first needed."""
MEBIBYTE = 1024 * 1024


def kills(folder: Path, count: int) -> list[Row]:
    """kill -9 of the server in the middle of writing, with readers that also hang up themselves."""
    port, chance = free_port(), Random()
    place = [str(folder / "killed"), "--port", str(port)]
    talk = Child("tests.fakes.stream_server", *place)
    path = str(talk.ready["path"])
    with _readers(port, path) as readers:
        for _ in range(count):
            talk.tell(publish=Plan(10, 0.02, batch=4).said())
            time.sleep(chance.uniform(0.3, 1.5))
            talk.kill()
            talk = Child("tests.fakes.stream_server", *place)
        talk.ask(publish=Plan(0.5, 0.02, batch=4).said())
        talk.ask(end=True)
    with opened(port, path) as answer:
        log = list(answer.events())
    talk.stop()
    return [_exactness(readers, log, count)]


@contextmanager
def _readers(port: int, path: str) -> Iterator[list[ResumingReader]]:
    """Until each has got to the end."""
    readers = [ResumingReader(port, path, Random(), 200_000) for _ in range(READERS)]
    threads = [threading.Thread(target=reader.follow, daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    yield readers
    deadline = time.monotonic() + 30
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    for reader in readers:
        reader.is_dismissed.set()


def _exactness(readers: list[ResumingReader], log: list[Dispatched], count: int) -> Row:
    numbers = [int(event.id.rpartition("-")[2]) for event in log]
    faults = sum(compared(reader.seen, log).total + bool(reader.refusal) for reader in readers)
    faults += numbers != list(range(1, len(log) + 1))
    connections = sum(reader.connections for reader in readers)
    say(f"{count} kills, {READERS} readers, {connections} connections, {len(log)} events")
    return Bar("T17", f"kill -9, {count} times, {READERS} readers: lost, doubled, …", faults, 0, 0)


def stop(folder: Path) -> list[Row]:
    """From SIGTERM to the exit of the product, with many streams open."""
    with running_gemini(always=Canned(is_silent=True)) as gemini, watchers() as crowd:
        engine = {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": gemini.url}
        with running_product(folder / "stopped", **engine) as product:
            path = stream_path(start_workflow(product.url, b"ERROR shop-api cannot connect"))
            crowd.talk.ask(connect=OPEN_STREAMS, port=product.port, path=path)
            started = time.monotonic()
            code = product.terminate()
            seconds = time.monotonic() - started
    assert code == 0, f"the product ended with {code}"
    say(f"SIGTERM with {OPEN_STREAMS} open streams: {seconds:.2f} s")
    return [Bar("T18", "SIGTERM with 1,000 open streams to exit", seconds, 3, 1, "s")]


def churn(folder: Path, seconds: float) -> list[Row]:
    """A hundred connects and drops a second: what do they leave behind?"""
    with server("ours", str(folder / "churn")) as ours, watchers() as crowd:
        visits = {"port": ours.port, "path": ours.path, "rate": CONNECTS_PER_SECOND}
        crowd.talk.ask(churn=2.0, **visits)
        files, memory = _settled(ours.pids[0])
        crowd.talk.ask(seconds + 30, churn=seconds, **visits)
        files_later, memory_later = _settled(ours.pids[0])
    meaning = f"{seconds * CONNECTS_PER_SECOND:,.0f} connects and drops:"
    return [
        Bar("", f"{meaning} open files left", files_later - files, KEPT_FILES, 0),
        Bar("", f"{meaning} memory left", (memory_later - memory) / MEBIBYTE, 5, 2, "MiB"),
    ]


def _settled(pid: int) -> tuple[int, int]:
    time.sleep(1)
    return open_files(pid), resident_bytes(pid)
