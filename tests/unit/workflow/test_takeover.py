"""Whom a process takes for dead, and what it does then."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from app.domain.errors import StorageFailed
from app.domain.ids import ProcessId, WorkflowId
from app.domain.ports import JobQueue, ProcessTable, WorkflowStore
from app.workflow.takeover import Takeover
from tests.fakes.waiting import until

BEAT_SECONDS = 0.02
ME, OTHER, THIRD = ProcessId("m"), ProcessId("o"), ProcessId("a")
LIVING = 1_000_000


@dataclass
class SharedDatabase:
    """ProcessTable, JobQueue and WorkflowStore, as far as they are used here."""

    lives: dict[ProcessId, int] = field(default_factory=dict)
    """How many beats each of the others makes."""
    me: ProcessId = ME
    failing: int = 0
    """So many calls fail, from now on."""
    fail_once_at: set[str] = field(default_factory=set)
    stray: list[tuple[WorkflowId, int]] = field(default_factory=list)
    holding: set[ProcessId] = field(default_factory=set)
    done: list[tuple[str, object]] = field(default_factory=list)
    beats: int = 0
    counts: dict[ProcessId, int] = field(default_factory=dict)

    async def beat(self) -> Sequence[tuple[ProcessId, int]]:
        self._may_fail()
        self.beats += 1
        for process, left in self.lives.items():
            self.counts[process] = min(self.counts.get(process, 0) + 1, left)
        return [(self.me, self.beats), *self.counts.items()]

    async def bury(self, dead: ProcessId) -> None:
        self._do("bury", dead)

    async def holders(self) -> frozenset[ProcessId]:
        self._may_fail()
        return frozenset(self.holding)

    async def recover(self, dead: ProcessId) -> None:
        self._do("recover", dead)
        self.holding.discard(dead)

    async def forget(self, process: ProcessId) -> None:
        self._do("forget", process)
        self.lives.pop(process, None)
        self.counts.pop(process, None)

    async def strays(self) -> Sequence[tuple[WorkflowId, int]]:
        self._may_fail()
        return self.stray

    async def enqueue(self, workflow_id: WorkflowId, attempt: int) -> None:
        self._do(f"enqueue {attempt}", workflow_id)

    def _do(self, what: str, whom: object) -> None:
        self._may_fail()
        if what in self.fail_once_at:
            self.fail_once_at.remove(what)
            raise StorageFailed("away")
        self.done.append((what, whom))

    def _may_fail(self) -> None:
        if self.failing:
            self.failing -= 1
            raise StorageFailed("away")


@asynccontextmanager
async def taking_over(database: SharedDatabase) -> AsyncIterator[Takeover]:
    takeover = Takeover(
        cast(ProcessTable, database),
        cast(JobQueue, database),
        cast(WorkflowStore, database),
        BEAT_SECONDS,
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(takeover.run())
        try:
            yield takeover
        finally:
            running.cancel()


async def after_beats(database: SharedDatabase, count: int) -> None:
    target = database.beats + count
    await until(lambda: database.beats >= target)


async def test_the_silent_are_buried_their_work_is_queued_and_they_are_forgotten():
    database = SharedDatabase({OTHER: 3, THIRD: LIVING})

    async with taking_over(database) as takeover:
        await until(lambda: len(database.done) == 3)
        assert takeover.has_peers
        await after_beats(database, 10)

        assert database.done == [("bury", OTHER), ("recover", OTHER), ("forget", OTHER)]


async def test_what_is_held_by_a_process_that_nobody_knows_is_queued_again():
    database = SharedDatabase({OTHER: LIVING}, holding={ME, OTHER, THIRD})

    async with taking_over(database):
        await until(lambda: database.done)
        await after_beats(database, 20)

        assert database.done == [("recover", THIRD)]


async def test_a_process_that_is_alone_has_no_peers():
    database = SharedDatabase({OTHER: 1})

    async with taking_over(database) as takeover:
        await until(lambda: takeover.has_peers)
        await until(lambda: ("forget", OTHER) in database.done)

        assert not takeover.has_peers


async def test_a_takeover_that_fails_half_way_is_done_again():
    database = SharedDatabase({OTHER: 1}, fail_once_at={"recover"})

    async with taking_over(database):
        await until(lambda: ("forget", OTHER) in database.done)

        steps = [step for step, _ in database.done]
    assert steps == ["bury", "bury", "recover", "forget"]


async def test_time_in_which_the_database_was_away_makes_nobody_dead():
    database = SharedDatabase({OTHER: LIVING})

    async with taking_over(database):
        await after_beats(database, 2)
        database.lives[OTHER] = database.counts[OTHER]
        database.failing = 20
        await until(lambda: not database.failing)
        await after_beats(database, 2)
        database.lives[OTHER] = LIVING
        await after_beats(database, 10)

        assert database.done == []


async def test_who_comes_first_by_name_takes_over_first():
    first = SharedDatabase({OTHER: 1, THIRD: LIVING}, me=ProcessId("0"))
    second = SharedDatabase({OTHER: 1, THIRD: LIVING}, me=ProcessId("z"))

    async with taking_over(first):
        await until(lambda: bool(first.done))
    async with taking_over(second):
        await until(lambda: bool(second.done))

    assert second.beats > first.beats


async def test_strays_are_queued_for_their_next_attempt():
    database = SharedDatabase(stray=[(WorkflowId("w"), 0), (WorkflowId("v"), 2)])

    async with taking_over(database):
        await until(lambda: len(database.done) == 2)

        assert database.done == [("enqueue 1", "w"), ("enqueue 3", "v")]


async def test_whoever_leaves_hands_its_work_back():
    database = SharedDatabase()

    async with taking_over(database):
        await after_beats(database, 1)

    assert database.done == [("bury", ME), ("recover", ME), ("forget", ME)]


async def test_leaving_takes_no_longer_for_a_database_that_is_away():
    database = SharedDatabase()

    async with taking_over(database):
        await after_beats(database, 1)
        database.failing = 1

    assert database.done == []
