"""Two approval servers on one database: each thing is done by one of them, and nothing by none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from app.adapters.storage.location import DatabaseLocation
from app.approvals.changes import Changes
from app.approvals.execution import Execution
from app.approvals.judging import CommandJudge
from app.approvals.presence import SILENT_LOOKS, Presence
from app.approvals.reports import DecisionReports
from app.approvals.running import Running
from app.domain.approval import Decision
from app.domain.errors import Conflict, TooBusy
from app.domain.ports import CommandRunner
from app.domain.review_moves import CommandStatus
from app.kubectl.policy import load_policy
from tests.fakes.approval_storage import LIMIT, ApprovalStorage, StoringServer, to_readiness
from tests.fakes.approvals import (
    NOON,
    RESTART,
    SCALE,
    DrivenClock,
    ScriptedRunner,
    ScriptedSender,
    always_run,
    approval,
    command,
)

Pair = tuple[StoringServer, StoringServer]


@pytest.fixture
async def pair(postgres_url: str) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        storage = ApprovalStorage(DatabaseLocation.of_url(postgres_url), stack)
        yield await storage.server(), await storage.server()


def execution_on(server: StoringServer, runner: CommandRunner) -> Execution:
    judge, clock = CommandJudge(load_policy()), DrivenClock()
    readiness = to_readiness(server.store, judge, clock)
    return Execution(server.store, judge, Running(runner, always_run), readiness, clock, Changes())


async def strike_off(dead: StoringServer, by: StoringServer) -> None:
    """As when it has been silent for too long."""
    counts = await by.servers.beat()
    assert await by.servers.strike_off(dead.me, counts[dead.me])


async def execute(execution: Execution) -> None:
    """All that it may run now."""
    async with asyncio.TaskGroup() as group:
        await execution.begin(group)


async def test_the_same_key_at_two_servers_is_one_proposal(pair: Pair):
    ids = await asyncio.gather(
        *(pair[n % 2].store.create(approval(f"try-{n}"), "key", LIMIT) for n in range(40))
    )

    assert len(set(ids)) == 1
    assert len(await pair[0].store.pending()) == 1


async def test_the_limit_of_pending_proposals_holds_over_both(pair: Pair):
    outcomes = await asyncio.gather(
        *(pair[n % 2].store.create(approval(f"a{n}"), None, 7) for n in range(30)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, TooBusy) for outcome in outcomes) == 23
    assert len(await pair[0].store.pending()) == 7


async def test_of_decisions_at_two_servers_one_wins(pair: Pair):
    await pair[0].store.create(approval(), None, LIMIT)
    decisions = [
        approval().decide(decision, f"reviewer {n}", "no", NOON)
        for n, decision in enumerate([Decision.APPROVED, Decision.REJECTED] * 10)
    ]

    won = await asyncio.gather(
        *(pair[n // 2 % 2].store.decide(decision) for n, decision in enumerate(decisions))
    )

    assert won.count(True) == 1
    assert await pair[0].store.get(approval().approval_id) == decisions[won.index(True)]


async def test_what_both_see_approved_runs_once_and_in_order(pair: Pair):
    runners = ScriptedRunner(), ScriptedRunner()
    for number in range(20):
        name = f"a{number}"
        restart, scale = (text.replace("checkout", name) for text in (RESTART, SCALE))
        await pair[number % 2].approve(name, command(restart), command(scale))

    async with asyncio.TaskGroup() as group:
        for server, runner in zip(pair, runners, strict=True):
            await execution_on(server, runner).begin(group)

    ran = [*runners[0].ran, *runners[1].ran]
    assert len(ran) == len(set(ran)) == 40
    for number in range(20):
        verbs = [argv[0] for argv in ran if f"deployment/a{number}" in argv]
        assert verbs == ["rollout", "scale"]


async def test_who_took_the_decision_runs_it_as_long_as_it_lives(pair: Pair):
    told, other = pair
    one = await told.approve("one", command())
    runner = ScriptedRunner()

    await execute(execution_on(other, runner))
    assert (runner.ran, await told.statuses(one)) == ([], ["waiting"])

    await strike_off(told, by=other)
    await execute(execution_on(other, runner))
    assert (len(runner.ran), await other.statuses(one)) == (1, ["succeeded"])


async def test_what_another_living_server_executes_is_left_alone(pair: Pair):
    told, other = pair
    one = await told.approve("one", command(), command(SCALE))
    await told.store.move(one, 0, CommandStatus.EXECUTING, "")
    runner = ScriptedRunner()

    await execute(execution_on(other, runner))

    assert runner.ran == []
    assert await told.statuses(one) == ["executing", "waiting"]
    await told.store.move(one, 0, CommandStatus.SUCCEEDED, "")


async def test_what_a_dead_server_was_executing_is_unknown_and_stops_the_rest(pair: Pair):
    dead, other = pair
    one = await dead.approve("one", command(), command(SCALE))
    await dead.store.move(one, 0, CommandStatus.EXECUTING, "")
    runner = ScriptedRunner()

    await strike_off(dead, by=other)
    await execute(execution_on(other, runner))

    assert runner.ran == []
    assert await other.statuses(one) == ["unknown", "skipped"]


async def test_a_server_that_was_taken_for_dead_begins_nothing_that_another_has(pair: Pair):
    paused, other = pair
    one = await paused.approve("one", command())
    await strike_off(paused, by=other)
    await other.store.take_unsettled()
    await paused.servers.beat()

    with pytest.raises(Conflict):
        await paused.store.move(one, 0, CommandStatus.EXECUTING, "")

    assert await paused.store.take_unsettled() == []
    await other.store.move(one, 0, CommandStatus.EXECUTING, "")


async def test_a_report_is_sent_by_one_of_both(pair: Pair):
    senders = ScriptedSender(), ScriptedSender()
    for number in range(20):
        await pair[number % 2].store.create(approval(f"a{number}"), None, LIMIT)
        rejected = approval(f"a{number}").decide(Decision.REJECTED, None, None, NOON)
        await pair[number % 2].store.decide(rejected)

    async with asyncio.TaskGroup() as group:
        for server, sender in zip(pair, senders, strict=True):
            reports = DecisionReports(server.outbox, sender, DrivenClock(), Changes())
            group.create_task(reports.deliver_due())

    sent = [report.approval_id for sender in senders for report in sender.delivered]
    assert sorted(sent) == sorted(f"a{number}" for number in range(20))


async def test_a_report_that_another_server_is_sending_is_not_waited_for(pair: Pair):
    one = await pair[0].report("one")
    assert await pair[0].outbox.take_due(NOON)

    assert await pair[1].outbox.take_due(NOON) is None
    assert await pair[1].outbox.next_due() is None

    await strike_off(pair[0], by=pair[1])
    taken = await pair[1].outbox.take_due(NOON)
    assert taken == one


async def test_an_attempt_that_ends_late_changes_nothing_any_more(pair: Pair):
    slow, other = pair
    one = await slow.report("one")
    await slow.outbox.take_due(NOON)
    await strike_off(slow, by=other)
    await other.outbox.take_due(NOON)
    await other.outbox.delivered(one)

    await slow.outbox.postpone(one, NOON + timedelta(minutes=1), "timed out")

    assert await other.outbox.next_due() is None
    assert (await other.outbox.backlog()).waiting == 0


async def test_a_server_that_falls_silent_is_struck_off_by_one_that_looks(pair: Pair):
    silent, looking = pair
    presence = Presence(looking.servers, Changes())

    for _ in range(SILENT_LOOKS):
        await presence.look()
    assert silent.me in await looking.servers.beat()
    await presence.look()

    assert silent.me not in await looking.servers.beat()


async def test_a_server_that_goes_on_beating_stays(pair: Pair):
    living, looking = pair
    presence = Presence(looking.servers, Changes())

    for _ in range(3 * SILENT_LOOKS):
        await presence.look()
        await living.servers.beat()

    assert living.me in await looking.servers.beat()


async def test_a_server_that_beats_at_the_last_moment_is_not_struck_off(pair: Pair):
    late, looking = pair
    seen = (await looking.servers.beat())[late.me]
    await late.servers.beat()

    assert not await looking.servers.strike_off(late.me, seen)


async def test_who_stops_leaves_its_work_to_the_others_at_once(pair: Pair):
    leaving, staying = pair
    one = await leaving.approve("one", command())
    task = asyncio.ensure_future(Presence(leaving.servers, Changes()).run())
    while (await staying.servers.beat())[leaving.me] < 2:
        continue

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    (taken,) = await staying.store.take_unsettled()
    assert taken.approval_id == one
