"""The server killed while it writes and while people read: what was seen once stays as it was."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.conftest import StartProduct
from tests.fakes.gemini_server import KEY, Canned, running_gemini
from tests.fakes.publisher import Plan
from tests.fakes.servers import free_port, running_product
from tests.fakes.sse_reader import (
    Faults,
    ResumingReader,
    compared,
    opened,
    stream_path,
)
from tests.fakes.stream import start_workflow
from tests.fakes.talk import Child
from tests.fakes.waiting import wait_until

KILLS = 3
READERS = 6
MOST_SEEN = 600
"""By all readers, before the next kill: within a second on a quiet machine."""
BYTES_UNTIL_DROP = 40_000
END_LIMIT_SECONDS = 60.0
PACE = Plan(seconds=30, interval=0.01, batch=2)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_readers_see_every_event_once_and_unchanged_over_kills(tmp_path: Path):
    seed = Random().randrange(1_000_000)
    chance, port = Random(seed), free_port()
    place = (str(tmp_path / "stored"), "--port", str(port))
    server = Child("tests.fakes.stream_server", *place)
    path = server.ready["path"]

    with following(port, path, chance) as readers:
        for _ in range(KILLS):
            server.tell(publish=PACE.said())
            come = sum(len(reader.seen) for reader in readers) + chance.randrange(1, MOST_SEEN)
            wait_until(partial(has_come_to, readers, come))
            server.kill()
            server = Child("tests.fakes.stream_server", *place)
        server.ask(append=["the last one"], end=True)
    with opened(port, path) as answer:
        log = list(answer.events())
    server.stop()

    assert [int(event.id.rpartition("-")[2]) for event in log] == list(range(1, len(log) + 1))
    assert len(log) > KILLS, f"seed {seed}"
    for reader in readers:
        assert reader.refusal == 0, f"seed {seed}"
        assert compared(reader.seen, log) == Faults(0, 0, 0, 0), f"seed {seed}"


def has_come_to(readers: list[ResumingReader], events: int) -> bool:
    """Whether so many were seen by all of them together."""
    return sum(len(reader.seen) for reader in readers) >= events


@contextmanager
def following(port: int, path: str, chance: Random) -> Iterator[list[ResumingReader]]:
    """Readers that hang up now and then, until each has seen the end."""
    readers = [
        ResumingReader(port, path, Random(chance.random()), BYTES_UNTIL_DROP)
        for _ in range(READERS)
    ]
    threads = [threading.Thread(target=reader.follow, daemon=True) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield readers
        for thread in threads:
            thread.join(END_LIMIT_SECONDS)
    finally:
        for reader in readers:
            reader.is_dismissed.set()


def test_who_reads_from_another_process_sees_the_owner_die_and_the_workflow_end_once(
    tmp_path: Path, start_product: StartProduct
):
    with running_gemini(always=Canned(is_silent=True)) as gemini, ExitStack() as running:
        engine = {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": gemini.url}
        owner = start_product(**engine)
        workflow_id = start_workflow(owner.url, b"ERROR shop-api cannot connect to its database")
        shared = {"DATA_DIR": str(owner.data_dir), "MCP_SERVER_URL": owner.approval_url}
        heir = running.enter_context(running_product(tmp_path / "heir", **engine, **shared))

        with opened(heir.port, stream_path(workflow_id)) as answer:
            events = answer.events()
            seen = [next(events), next(events)]
            owner.kill()
            gemini.always = None
            seen += events
        with opened(heir.port, stream_path(workflow_id)) as answer:
            log = list(answer.events())

    assert seen == log
    assert [int(event.id.rpartition("-")[2]) for event in log] == list(range(1, len(log) + 1))
    assert [event.id for event in log if '"outcome":{' in event.data] == [log[-1].id]
