"""What an ApprovalStore promises beside the first decision: void ones, time limits, proofs, undos."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest

from app.adapters.storage.location import DatabaseLocation
from app.domain.approval import CommandDecision, Decision
from app.domain.audit import FIRST_HASH, AuditEntry, chained
from app.domain.errors import Conflict, ObjectBusy
from app.domain.ids import ApprovalId
from app.domain.proof import LeftState, Recovery
from app.domain.review import Approval
from app.domain.review_moves import ApprovalStatus, CommandStatus
from tests.fakes.approval_storage import LIMIT, ApprovalStorage, StoringServer
from tests.fakes.approvals import NOON, RESTART, SCALE, approval, command
from tests.fakes.proofs import CHECKOUT, RECOVERED, proof

ONE = ApprovalId("one")
CHECK = replace(command("kubectl get pods -n shop"), phase="VERIFY", policy_risk="SAFE")


@pytest.fixture
async def storage(location: DatabaseLocation) -> AsyncIterator[ApprovalStorage]:
    async with AsyncExitStack() as stack:
        yield ApprovalStorage(location, stack)


@pytest.fixture
async def server(storage: ApprovalStorage) -> StoringServer:
    return await storage.server()


async def found(server: StoringServer, approval_id: ApprovalId = ONE) -> Approval:
    kept = await server.store.get(approval_id)
    assert kept is not None
    return kept


async def run(server: StoringServer, approval_id: ApprovalId, number: int) -> None:
    await server.store.move(approval_id, number, CommandStatus.EXECUTING, "")
    await server.store.move(approval_id, number, CommandStatus.SUCCEEDED, "done")


async def test_all_that_is_known_of_an_approval_is_read_back(
    server: StoringServer, storage: ApprovalStorage
):
    known = replace(command(), phase="REMEDIATE", in_evidence=False, proof=proof("7", undo=SCALE))
    kept = replace(
        approval("one", known, CHECK),
        expires_at=NOON + timedelta(hours=1),
        round=3,
        void_reason="The cluster has changed.",
    )

    await server.store.create(kept, None, LIMIT)

    assert await found(await storage.restarted()) == kept


async def test_a_decision_about_another_version_is_not_kept(server: StoringServer):
    await server.store.create(approval(), None, LIMIT)
    seen = await found(server)
    assert await server.store.keep_proof(ONE, 0, RESTART, proof("1"))

    assert not await server.store.decide(seen.decide(Decision.APPROVED, "Ada", None, NOON))

    now = await found(server)
    assert now.status is ApprovalStatus.PENDING
    assert await server.store.decide(now.decide(Decision.APPROVED, "Ada", None, NOON))


async def test_an_edit_is_kept_beside_what_was_proposed(server: StoringServer):
    await server.store.create(approval("one", command(), command(SCALE)), None, LIMIT)
    pending = await found(server)
    edited = replace(pending.commands[0], edited_to=SCALE, risk="SAFE").approve()
    left = pending.commands[1].leave("Not run: nobody said anything.")
    decided = pending.decide(Decision.APPROVED, "Ada", None, NOON, (edited, left))

    assert await server.store.decide(decided)

    assert await found(server) == decided
    assert decided.commands[0].text == RESTART
    assert decided.commands[0].effective_text == SCALE
    assert (decided.approved_count, decided.rejected_count) == (1, 0)


async def test_what_nobody_decides_in_time_expires_once_and_can_not_be_decided(
    server: StoringServer,
):
    later = NOON + timedelta(hours=1)
    await server.store.create(replace(approval("one"), expires_at=later), None, LIMIT)
    await server.store.create(approval("without limit"), None, LIMIT)
    pending = await found(server)

    assert await server.store.expire(later - timedelta(seconds=1)) == 0
    assert await server.store.expire(later) == 1
    assert await server.store.expire(later) == 0

    assert not await server.store.decide(pending.decide(Decision.APPROVED, "Ada", None, later))
    expired = await found(server)
    assert (expired.status, expired.decided_at) == (ApprovalStatus.EXPIRED, later)
    assert expired.commands[0].decision is CommandDecision.UNDECIDED
    assert [one.approval_id for one in await server.store.pending()] == ["without limit"]


async def test_a_void_decision_is_asked_again_without_what_was_seen(server: StoringServer):
    await server.approve("one")
    approved = await found(server)
    again = approved.void("It has changed.", (command(),), NOON + timedelta(hours=2))

    assert await server.store.void(again)
    assert not await server.store.void(again)

    pending = await found(server)
    assert pending == again
    assert (pending.round, pending.void_reason) == (2, "It has changed.")
    assert await server.store.take_unsettled() == []
    assert await server.store.decide(pending.decide(Decision.APPROVED, "Bob", None, NOON))


async def test_a_decision_counts_as_soon_as_a_command_has_begun(server: StoringServer):
    await server.approve("one", command(), command(SCALE))
    before = await found(server)
    await server.store.move(ONE, 0, CommandStatus.EXECUTING, "")

    with pytest.raises(Conflict):
        (await found(server)).void("It has changed.", before.commands, None)
    late = before.void("It has changed.", (command(), command(SCALE)), None)
    assert not await server.store.void(late)

    assert await server.statuses(ONE) == ["executing", "waiting"]


async def test_proofs_are_for_commands_that_wait_with_that_text(server: StoringServer):
    await server.store.create(approval("one", command(), command(SCALE)), None, LIMIT)
    assert [one.approval_id for one in await server.store.unproven()] == ["one"]

    assert not await server.store.keep_proof(ONE, 0, SCALE, proof())
    assert not await server.store.keep_proof(ONE, 2, SCALE, proof())
    assert await server.store.keep_proof(ONE, 0, RESTART, proof("1"))
    assert [one.approval_id for one in await server.store.unproven()] == ["one"]
    assert await server.store.keep_proof(ONE, 1, SCALE, proof("1"))

    assert await server.store.unproven() == []
    kept = await found(server)
    assert [one.proof for one in kept.commands] == [proof("1"), proof("1")]


async def test_one_command_at_a_time_runs_on_an_object(server: StoringServer):
    one, two = await server.approve("one"), await server.approve("two")
    other = replace(command(), object_reference="shop/deployment/cart")
    three = await server.approve("three", other)

    await server.store.move(one, 0, CommandStatus.EXECUTING, "")
    with pytest.raises(ObjectBusy, match="shop/deployment/checkout"):
        await server.store.move(two, 0, CommandStatus.EXECUTING, "")
    await server.store.move(three, 0, CommandStatus.EXECUTING, "")
    await server.store.move(one, 0, CommandStatus.SUCCEEDED, "")

    await server.store.move(two, 0, CommandStatus.EXECUTING, "")


async def test_of_many_that_want_an_object_at_once_one_has_it(
    server: StoringServer, storage: ApprovalStorage
):
    others = [await storage.server() for _ in range(2)] if storage.location.is_postgres else []
    servers = [server, *others]
    for number in range(12):
        await servers[number % len(servers)].approve(f"a{number}")

    outcomes = await asyncio.gather(
        *(
            servers[n % len(servers)].store.move(
                ApprovalId(f"a{n}"), 0, CommandStatus.EXECUTING, ""
            )
            for n in range(12)
        ),
        return_exceptions=True,
    )

    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, ObjectBusy) for outcome in outcomes) == 11


async def test_an_outcome_is_due_once_everything_but_the_checks_has_run(server: StoringServer):
    one = await server.approve("one", command(), CHECK)
    assert await server.store.take_unverified() == []
    assert [kept.approval_id for kept in await server.store.take_unsettled()] == ["one"]

    await run(server, one, 0)

    assert await server.store.take_unsettled() == []
    assert (await found(server)).is_settled
    assert [kept.approval_id for kept in await server.store.take_unverified()] == ["one"]
    await run(server, one, 1)
    assert [kept.approval_id for kept in await server.store.take_unverified()] == ["one"]
    assert await server.store.keep_verification(one, RECOVERED)
    assert not await server.store.keep_verification(one, RECOVERED)
    assert await server.store.take_unverified() == []
    assert (await found(server)).verification == RECOVERED


async def test_what_changed_nothing_has_no_outcome_unless_a_check_waits(server: StoringServer):
    read = replace(command("kubectl get pods -n shop"), policy_risk="SAFE")
    one, two = await server.approve("one", read), await server.approve("two", read, CHECK)
    await run(server, one, 0)
    await run(server, two, 0)

    assert [kept.approval_id for kept in await server.store.take_unverified()] == ["two"]


async def test_an_undo_is_begun_once_and_goes_through_its_states(
    server: StoringServer, storage: ApprovalStorage
):
    one = await server.approve("one", command(), replace(command(), object_reference=None))
    await server.store.keep_proof(one, 0, RESTART, proof(undo=SCALE))
    await run(server, one, 0)
    await run(server, one, 1)
    begun = (await found(server)).begin_undo("Ada", NOON)

    assert await server.store.begin_undo(begun, is_confirmed=False)
    assert not await server.store.begin_undo(begun, is_confirmed=False)
    with pytest.raises(Conflict):
        (await found(server)).begin_undo("Bob", NOON)

    assert await server.store.take_undoing() == [begun]
    await server.store.move_undo(one, 0, CommandStatus.EXECUTING, "")
    with pytest.raises(Conflict):
        await server.store.move_undo(one, 1, CommandStatus.EXECUTING, "")
    after = await storage.restarted()
    assert await after.store.interrupt(lambda *_: "nobody saw it") == 1
    undone = await found(after)
    assert undone.commands[0].undo_status is CommandStatus.UNKNOWN
    assert (undone.commands[0].undo_output, undone.undone_by) == ("nobody saw it", "Ada")
    assert await after.store.take_undoing() == []


async def test_that_it_helped_is_not_kept_once_it_is_being_taken_back(server: StoringServer):
    one = await server.approve("one", command())
    await server.store.keep_proof(one, 0, RESTART, proof(undo=SCALE))
    await run(server, one, 0)
    await server.store.take_unverified()
    await server.store.begin_undo((await found(server)).begin_undo("Ada", NOON), is_confirmed=False)
    unknown = RECOVERED.model_copy(update={"recovery": Recovery.UNKNOWN})

    assert not await server.store.keep_verification(one, RECOVERED)
    assert await server.store.keep_verification(one, unknown)

    assert (await found(server)).verification == unknown


async def test_how_a_command_left_its_object_stands_on_its_card(server: StoringServer):
    left = LeftState(reference=CHECKOUT, is_there=True, digests={"spec.replicas": "1"})
    one = await server.approve("one", command())
    await server.store.keep_proof(one, 0, RESTART, proof("7", undo=SCALE))
    await server.store.move(one, 0, CommandStatus.EXECUTING, "")

    await server.store.move(one, 0, CommandStatus.SUCCEEDED, "done", left)

    kept = (await found(server)).commands[0].proof
    assert kept == proof("7", undo=SCALE).model_copy(update={"left": left})


async def test_an_undo_keeps_others_from_the_object(server: StoringServer):
    one = await server.approve("one")
    await server.store.keep_proof(one, 0, RESTART, proof(undo=SCALE))
    await run(server, one, 0)
    two = await server.approve("two")
    await server.store.begin_undo((await found(server)).begin_undo("Ada", NOON), is_confirmed=False)
    await server.store.take_undoing()
    await server.store.move_undo(one, 0, CommandStatus.EXECUTING, "")

    with pytest.raises(ObjectBusy):
        await server.store.move(two, 0, CommandStatus.EXECUTING, "")


async def test_pending_requests_come_in_pages_from_the_oldest(server: StoringServer):
    for number in range(5):
        await server.store.create(approval(f"a{number}"), None, LIMIT)

    first, cursor = await server.store.pending_page(None, 3)
    second, end = await server.store.pending_page(cursor, 3)

    assert [one.approval_id for one in [*first, *second]] == ["a0", "a1", "a2", "a3", "a4"]
    assert end is None


async def test_every_change_is_in_the_audit_trail_and_what_failed_is_not(
    server: StoringServer, storage: ApprovalStorage
):
    one = await server.approve("one", replace(command(), reasons=("ü\u2028\0\ud83d",)))
    await server.store.move(one, 0, CommandStatus.EXECUTING, "")
    with pytest.raises(Conflict):
        await server.store.move(one, 0, CommandStatus.EXECUTING, "")
    await server.store.move(one, 0, CommandStatus.SUCCEEDED, "done")
    await server.store.keep_verification(one, RECOVERED)
    await server.store.note_void(one, "Bob", "Too late.")

    entries = await (await storage.restarted()).audit.after(0)

    told = [json.loads(entry.line) for entry in entries]
    assert [entry["type"] for entry in told] == [
        "proposed",
        "decided",
        "execution_started",
        "execution_ended",
        "verified",
        "decision_void",
    ]
    assert [entry["by"] for entry in told] == [None, "Ada", *[server.me] * 3, "Bob"]
    assert {entry["approval_id"] for entry in told} == {"one"}
    assert is_chain(entries)


async def test_servers_write_one_chain_without_gaps(
    server: StoringServer, storage: ApprovalStorage
):
    others = [await storage.server() for _ in range(2)] if storage.location.is_postgres else []
    servers = [server, *others]

    await asyncio.gather(
        *(servers[n % len(servers)].store.create(approval(f"a{n}"), None, LIMIT) for n in range(60))
    )

    entries = await server.audit.after(0)
    assert len(entries) == 60
    assert is_chain(entries)


def is_chain(entries: Sequence[AuditEntry]) -> bool:
    hashes = [FIRST_HASH, *(entry.hash for entry in entries)]
    return [entry.seq for entry in entries] == [*range(1, len(entries) + 1)] and all(
        entry.prev == prev and entry.hash == chained(prev, entry.line)
        for prev, entry in zip(hashes, entries, strict=False)
    )
