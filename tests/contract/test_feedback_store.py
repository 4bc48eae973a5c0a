"""Every feedback store: what it acknowledged is there, for everybody, in order, once parsed."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.adapters.storage.feedback_jsonl import PARKED_LIMIT, FeedbackFile, open_feedback_file
from app.adapters.storage.feedback_lines import parse_line, to_line
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.location import DatabaseLocation
from app.domain.approval import CommandDecision, CommandVerdict, Decision
from app.domain.course import Decided, Executed, Expired, Outcome, Undone, Verified
from app.domain.errors import StorageFailed
from app.domain.feedback import (
    Environment,
    FeedbackEvent,
    FeedbackTail,
    Imported,
    Linked,
    PlannedCommand,
    Proposed,
    Rated,
    Retracted,
    ShownExample,
    Signature,
)
from app.domain.guidance import ExampleRole
from app.domain.housekeeping import LessonSwitched
from app.domain.ids import ApprovalId, FeedbackId
from app.domain.ports import FeedbackStore
from app.domain.proof import Fact, Recovery, Verification

AT = datetime(2030, 5, 1, 12, 0, 0, 123456, tzinfo=UTC)
ID = FeedbackId("w_remediation_1")
COMMAND = PlannedCommand(command="kubectl delete pod x", action="delete/pod", is_change=True)
VERDICT = CommandVerdict(
    command="kubectl delete pod x", decision=CommandDecision.EDITED, edited_to="kubectl get pod x"
)
EVERY_KIND: tuple[FeedbackEvent, ...] = (
    Proposed(
        id="1",
        ts=AT,
        feedback_id=ID,
        workflow_id="w",
        issue='it\'s "broken"\n<b>ü\u2028</b>',
        signature=Signature(tokens=("a", "a b"), environment=Environment.STAGING, kind="job"),
        commands=(COMMAND,),
        input_data="in",
        output_data="out",
        shown=(ShownExample(feedback_id="f", role=ExampleRole.ACCEPTED, reason="r"),),
        propensity=1.0,
    ),
    Linked(id="2", ts=AT, feedback_id=ID, approval_id=ApprovalId("a"), commands=(COMMAND,)),
    Decided(
        id="3",
        ts=AT,
        approval_id=ApprovalId("a"),
        feedback_id=ID,
        decision=Decision.APPROVED,
        approved_count=1,
        commands=(VERDICT,),
        reviewer="ada",
        is_signed=True,
    ),
    Rated(id="4", ts=AT, feedback_id=ID, rating=5, was_helpful=False, feedback_comments=""),
    Executed(
        id="4b",
        ts=AT,
        feedback_id=ID,
        approval_id=ApprovalId("a"),
        round=2,
        message_id="executed_a_2",
        signed_at=1_900_000_000,
        commands=(
            CommandVerdict(
                command="kubectl get pods",
                decision=CommandDecision.UNDECIDED,
                status="skipped",
                output="Not run.",
            ),
        ),
    ),
    Verified(
        id="5",
        ts=AT,
        feedback_id=ID,
        approval_id=ApprovalId("a"),
        outcome=Outcome.UNRESOLVED,
        verification=Verification(
            recovery=Recovery.NOT_RECOVERED,
            at=AT,
            facts=(Fact(reference="shop/deployment/web", name="pods ready", holds=False),),
        ),
    ),
    Expired(id="6", ts=AT, feedback_id=ID, approval_id=ApprovalId("a")),
    Undone(id="6b", ts=AT, feedback_id=ID, approval_id=ApprovalId("a")),
    Retracted(id="7", ts=AT, feedback_id=ID, reason="test data"),
    LessonSwitched(id="8", ts=AT, lesson_id="1f", active=False),
)


Open = Callable[[], AbstractAsyncContextManager[FeedbackStore]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feedback" / "remediation_feedback.jsonl"


@pytest.fixture
async def file(path: Path) -> AsyncIterator[FeedbackFile]:
    async with open_feedback_file(path) as opened:
        yield opened


@pytest.fixture(params=["file", "table"])
def open_store(request: pytest.FixtureRequest, path: Path) -> Open:
    """Opens the same store again and again, as several processes do."""
    if request.param == "file":
        return lambda: open_feedback_file(path)
    location = DatabaseLocation.of_url(request.getfixturevalue("postgres_url"))
    return lambda: open_feedback_table(location)


@pytest.fixture
async def store(open_store: Open) -> AsyncIterator[FeedbackStore]:
    async with open_store() as opened:
        yield opened


async def read_pieces(store: FeedbackStore, position: int = 0) -> list[FeedbackTail]:
    pieces = [await store.read(position)]
    while not pieces[-1].is_end:
        pieces.append(await store.read(pieces[-1].position))
    return pieces


async def read_all(store: FeedbackStore, position: int = 0) -> list[FeedbackEvent]:
    return [event for piece in await read_pieces(store, position) for event in piece.events]


async def count_unreadable(store: FeedbackStore) -> int:
    return sum(len(piece.unreadable) for piece in await read_pieces(store))


def rated(number: int) -> Rated:
    return Rated(id=f"r{number}", ts=AT + timedelta(seconds=number), feedback_id=ID, rating=3)


def early(number: int) -> Decided:
    return Decided(
        id=f"d{number}",
        ts=AT + timedelta(seconds=number),
        approval_id=ApprovalId(f"a{number}"),
        decision=Decision.APPROVED,
    )


def write_raw(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def raw(path: Path) -> bytes:
    return path.read_bytes()


async def test_every_kind_of_event_comes_back_as_it_was(store: FeedbackStore):
    await store.append(EVERY_KIND)

    assert await read_all(store) == [*EVERY_KIND]


async def test_an_event_is_found_again_at_its_position(store: FeedbackStore):
    await store.append(EVERY_KIND)
    (tail,) = await read_pieces(store)
    backwards = [*reversed(tail.positions)]

    assert await store.fetch(backwards) == [*reversed(EVERY_KIND)]
    assert await store.fetch([]) == []
    assert await store.fetch([tail.positions[0], 10**12]) == [EVERY_KIND[0], None]


async def test_texts_that_no_encoding_knows_are_kept_as_far_as_possible(store: FeedbackStore):
    said = rated(1).model_copy(update={"feedback_comments": "half \ud83d, whole 😀, \0"})

    await store.append([said])

    (event,) = await read_all(store)
    assert isinstance(event, Rated)
    assert event.feedback_comments == "half \ufffd, whole 😀, \0"


async def test_reading_goes_on_where_it_stopped(store: FeedbackStore):
    await store.append([rated(1)])
    first = await store.read(0)
    await store.append([rated(2)])

    second = await store.read(first.position)

    assert second.events == (rated(2),)
    assert (await store.read(second.position)).events == ()


async def test_a_long_log_is_read_in_bounded_pieces(store: FeedbackStore):
    long = [rated(n).model_copy(update={"feedback_comments": "x" * 1000}) for n in range(900)]
    await store.append(long)

    assert len((await store.read(0)).events) < 900
    assert await read_all(store) == long


async def test_a_line_longer_than_a_piece_is_read_whole(store: FeedbackStore):
    long = rated(1).model_copy(update={"feedback_comments": "x" * 700_000})
    await store.append([rated(0), long, rated(2)])

    assert await read_all(store) == [rated(0), long, rated(2)]


async def test_another_writers_events_are_seen(store: FeedbackStore, open_store: Open):
    async with open_store() as other:
        await other.append([rated(1)])

    assert await read_all(store) == [rated(1)]


async def test_a_reader_that_follows_misses_none_of_what_many_write(open_store: Open):
    """Whoever reads while others commit passes no position by that is not committed yet."""
    seen: list[FeedbackEvent] = []

    async def write(name: int) -> None:
        async with open_store() as store:
            for number in range(25):
                await store.append(
                    [rated(100 * name + 2 * number), rated(100 * name + 2 * number + 1)]
                )

    async def follow() -> None:
        position = 0
        async with open_store() as store, asyncio.timeout(20):
            while len(seen) < 4 * 50:
                tail = await store.read(position)
                seen.extend(tail.events)
                position = tail.position

    async with asyncio.TaskGroup() as group:
        group.create_task(follow())
        for name in range(4):
            group.create_task(write(name))

    assert len({event.id for event in seen}) == len(seen) == 4 * 50


async def test_parked_decisions_are_kept_once(store: FeedbackStore, open_store: Open):
    for number in (1, 2, 1):
        await store.park(early(number))

    assert await store.parked() == [early(1), early(2)]
    assert await read_all(store) == []
    async with open_store() as other:
        assert await other.parked() == [early(1), early(2)]


async def test_only_the_newest_parked_decisions_are_kept(store: FeedbackStore, path: Path):
    if isinstance(store, FeedbackFile):
        old = b"".join(to_line(early(number)) for number in range(PARKED_LIMIT))
        write_raw(path.with_name("parked_decisions.jsonl"), old)
    else:
        await asyncio.gather(*(store.park(early(number)) for number in range(PARKED_LIMIT)))

    await store.park(early(PARKED_LIMIT))

    assert await store.parked() == [early(number) for number in range(1, PARKED_LIMIT + 1)]


async def test_a_line_names_its_kind_and_version(file: FeedbackFile, path: Path):
    await file.append([rated(1)])

    assert json.loads(raw(path)) == {
        "v": 1,
        "id": "r1",
        "ts": "2030-05-01T12:00:01.123456Z",
        "type": "rated",
        "feedback_id": ID,
        "rating": 3,
    }


async def test_a_line_without_its_newline_is_not_committed(file: FeedbackFile, path: Path):
    await file.append([rated(1)])
    write_raw(path, to_line(rated(2))[:-10])

    assert await read_all(file) == [rated(1)]
    assert await count_unreadable(file) == 0


async def test_the_next_writer_seals_a_torn_tail(file: FeedbackFile, path: Path):
    torn = to_line(rated(1))[:-10]
    write_raw(path, torn)

    await file.append([rated(2)])

    assert await read_all(file) == [rated(2)]
    assert await count_unreadable(file) == 1
    assert raw(path) == torn + b"\n" + to_line(rated(2))


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b'"text"',
        b"{}",
        b"\xff\xfe",
        b'{"type":"rated","id":"x","ts":"2030-01-01T00:00:00Z","feedback_id":"f","rating":9}',
        b'{"type":"of a later version","id":"x","ts":"2030-01-01T00:00:00Z","feedback_id":"f"}',
        b'{"type":"rated","id":"x","ts":"2030-01-01T00:00:00","feedback_id":"no zone"}',
        b"[" * 100_000,
    ],
)
async def test_a_line_that_does_not_parse_stays_and_is_counted(
    file: FeedbackFile, path: Path, line: bytes
):
    await file.append([rated(1)])
    write_raw(path, line + b"\n")
    await file.append([rated(2)])

    assert await read_all(file) == [rated(1), rated(2)]
    assert await count_unreadable(file) == 1
    assert line in raw(path)


NEWER = (
    b'{"v":2,"id":"x","ts":"2031-01-01T00:00:00Z","type":"rated","feedback_id":"f","rating":1}',
    b'{"v":2,"id":"y","ts":"2031-01-01T00:00:00Z","type":"of a later version"}',
)


async def test_a_line_of_a_later_version_stays_and_is_counted_apart(file: FeedbackFile, path: Path):
    """Whoever goes back to this version must not misread it, nor lose it."""
    await file.append([rated(1)])
    write_raw(path, b"\n".join(NEWER) + b"\n")
    await file.append([rated(2)])

    assert await read_all(file) == [rated(1), rated(2)]
    assert await count_unreadable(file) == 0
    assert sum(len(piece.newer) for piece in await read_pieces(file)) == 2
    assert all(line in raw(path) for line in NEWER)


def test_an_old_record_is_an_event_with_an_id_of_its_own():
    old = b'{"feedback_id":"f","timestamp":"2029-01-01T00:00:00","approval_status":"pending"}'

    event = parse_line(old)

    assert isinstance(event, Imported)
    assert (event.feedback_id, event.approval_status) == ("f", "pending")
    assert event.ts == datetime(2029, 1, 1, tzinfo=UTC)
    assert event == parse_line(old + b"\r")


def test_an_old_record_without_a_time_is_the_oldest():
    event = parse_line(b'{"feedback_id":"f","timestamp":null}')

    assert event is not None
    assert event.ts == datetime.min.replace(tzinfo=UTC)


async def test_a_file_that_was_cut_short_is_read_again(file: FeedbackFile, path: Path):
    await file.append([rated(1), rated(2)])
    position = (await read_pieces(file))[-1].position
    os.truncate(path, len(to_line(rated(1))))

    assert (await file.read(position)).events == (rated(1),)


async def test_concurrent_appends_are_all_kept(file: FeedbackFile, path: Path):
    async with open_feedback_file(path) as other, asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task((file if number % 2 else other).append([rated(number)]))

    events = await read_all(file)
    assert sorted(events, key=lambda event: event.ts) == [rated(n) for n in range(20)]


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StorageFailed, match="cannot be written"):
        async with open_feedback_file(tmp_path / "file" / "feedback.jsonl"):
            pass
