"""What a decision makes of each command, to what it is bound, and for how long it can be made."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue

from app.adapters.storage.approvals import SqlApprovals, open_approvals
from app.adapters.storage.audit import SqlAudit
from app.adapters.storage.location import DatabaseLocation
from app.approvals.changes import Changes
from app.approvals.desk import AlreadyDecided, ApprovalDesk, DecisionVoid
from app.approvals.expiry import Expiry
from app.approvals.judging import CommandJudge
from app.approvals.looking import Looking
from app.approvals.proposing import IncomingCommand, IncomingProposal
from app.approvals.ruling import CommandChoice, IncomingDecision
from app.approvals.running import Running
from app.approvals.undo_look import UndoUnsure
from app.approvals.voiding import Voiding
from app.domain.approval import CommandDecision, Decision
from app.domain.errors import ClusterFailed, Conflict, ExternalFailed, InvalidField
from app.domain.ids import ApprovalId, new_process_id
from app.domain.proof import LeftState
from app.domain.review import Approval
from app.domain.review_moves import ApprovalStatus, CommandStatus
from app.kubectl.cluster_object import Target
from app.kubectl.left_state import left_state
from app.kubectl.policy import load_policy
from tests.fakes.approvals import (
    DELETE_VOLUME,
    GET,
    RESTART,
    SCALE,
    DrivenClock,
    ScriptedRunner,
    always_run,
)
from tests.fakes.proofs import CHECKOUT, TableCluster, live, proof

APPROVE = IncomingDecision(Decision.APPROVED, reviewer="Ada")
REJECT = IncomingDecision(Decision.REJECTED, reviewer="Ada", reason="no")
EXPIRY = timedelta(hours=1)
YES, NO, EDIT = CommandDecision.APPROVED, CommandDecision.REJECTED, CommandDecision.EDITED


@dataclass
class Office:
    """A desk over one folder, its clock and its cluster."""

    desk: ApprovalDesk
    store: SqlApprovals
    audit: SqlAudit
    clock: DrivenClock
    cluster: TableCluster

    async def proposed(self, *commands: str, **metadata: JsonValue) -> ApprovalId:
        """A request with these commands."""
        incoming = [IncomingCommand(text, "", "CAUTION") for text in commands or (RESTART, SCALE)]
        proposal = IncomingProposal("Restart", incoming, {"namespace": "shop", **metadata})
        return await self.desk.propose(proposal, None)

    async def ran(self, one: ApprovalId, left: LeftState | None) -> None:
        """It was approved and has run; `left` is how its object was then."""
        await self.store.keep_proof(one, 0, RESTART, proof(undo=SCALE))
        await self.desk.decide(one, APPROVE)
        await self.store.move(one, 0, CommandStatus.EXECUTING, "")
        await self.store.move(one, 0, CommandStatus.SUCCEEDED, "", left)

    async def audited(self) -> list[str]:
        """The types of all entries."""
        return [json.loads(entry.line)["type"] for entry in await self.audit.after(0)]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_approvals(DatabaseLocation.of_file(tmp_path / "approvals.sqlite")) as database:
        clock, cluster, judge = DrivenClock(), TableCluster(), CommandJudge(load_policy())
        store = SqlApprovals(database, new_process_id(), clock)
        running = Running(ScriptedRunner(), always_run)
        looking = Looking(store, judge, cluster, running, has_cluster=True)
        desk = ApprovalDesk(store, judge, clock, Changes(), looking, EXPIRY)
        yield Office(desk, store, SqlAudit(database), clock, cluster)


def decisions(approval: Approval) -> list[str | None]:
    return [command.decision for command in approval.commands]


def choosing(*choices: CommandChoice, confirm: tuple[int, ...] = ()) -> IncomingDecision:
    return IncomingDecision(Decision.APPROVED, reviewer="Ada", choices=choices, confirm=confirm)


async def test_commands_are_approved_rejected_and_edited_one_by_one(office: Office):
    one = await office.proposed(RESTART, GET, GET)

    edit = "kubectl scale deployment/checkout --replicas=2"
    decided = await office.desk.decide(
        one, choosing(CommandChoice(1, NO, reason="not needed"), CommandChoice(0, EDIT, edit))
    )

    assert await office.desk.get(one) == decided
    assert decisions(decided) == ["edited", "rejected", "undecided"]
    assert (decided.approved_count, decided.rejected_count) == (1, 1)
    edited, rejected, left = decided.commands
    assert (edited.text, edited.edited_to, edited.status) == (RESTART, edit, "waiting")
    assert edited.object_reference == "shop/deployment/checkout"
    assert edited.reasons[-1] == "runs in namespace shop, which the proposal names"
    assert (rejected.status, rejected.reason) == ("skipped", "not needed")
    assert left.status is CommandStatus.SKIPPED


async def test_an_edit_that_the_policy_refuses_decides_nothing(office: Office):
    one = await office.proposed()

    with pytest.raises(InvalidField, match="data can be lost") as refusal:
        await office.desk.decide(
            one, choosing(CommandChoice(1, YES), CommandChoice(0, EDIT, DELETE_VOLUME))
        )

    assert refusal.value.field == "body.commands.1.edited_to"
    assert (await office.desk.get(one)).status is ApprovalStatus.PENDING
    assert await office.audited() == ["proposed"]


async def test_an_edit_to_the_same_words_is_none(office: Office):
    one = await office.proposed()

    decided = await office.desk.decide(one, choosing(CommandChoice(0, EDIT, f" {RESTART} ")))

    assert (decided.commands[0].decision, decided.commands[0].edited_to) == ("approved", None)


async def test_rejecting_every_command_is_a_rejection_with_their_reasons(office: Office):
    one = await office.proposed()

    decided = await office.desk.decide(
        one, choosing(CommandChoice(0, NO, reason="risky"), CommandChoice(1, NO, reason="useless"))
    )

    assert (decided.status, decided.reason) == (ApprovalStatus.REJECTED, "risky; useless")


async def test_what_is_not_in_evidence_runs_only_when_it_is_confirmed(office: Office):
    one = await office.proposed(RESTART, SCALE, not_in_evidence=[SCALE])
    two = await office.proposed(RESTART, SCALE, not_in_evidence=[SCALE])
    three = await office.proposed(RESTART, SCALE, not_in_evidence=[SCALE])

    plain = await office.desk.decide(one, APPROVE)
    confirmed = await office.desk.decide(two, IncomingDecision(Decision.APPROVED, confirm=(1,)))
    chosen = await office.desk.decide(three, choosing(CommandChoice(1, YES)))

    assert decisions(plain) == ["approved", "undecided"]
    assert plain.commands[1].output == "Not run: not in evidence, and nobody confirmed it."
    assert decisions(confirmed) == ["approved", "approved"]
    assert decisions(chosen) == ["undecided", "approved"]


async def test_an_approval_that_approves_nothing_is_none(office: Office):
    one = await office.proposed(RESTART, not_in_evidence=[RESTART])

    with pytest.raises(Conflict, match="Nothing was approved"):
        await office.desk.decide(one, APPROVE)
    with pytest.raises(InvalidField, match="No command is named"):
        await office.desk.decide(one, choosing())

    assert (await office.desk.get(one)).status is ApprovalStatus.PENDING


@pytest.mark.parametrize(
    ("incoming", "field"),
    [
        (choosing(CommandChoice(2, YES)), "body.commands.0.number"),
        (choosing(CommandChoice(0, YES), CommandChoice(0, NO)), "body.commands.1.number"),
        (IncomingDecision(Decision.APPROVED, confirm=(0, 9)), "body.confirm.1"),
    ],
)
async def test_a_number_that_is_none_decides_nothing(
    office: Office, incoming: IncomingDecision, field: str
):
    one = await office.proposed()

    with pytest.raises(InvalidField) as refusal:
        await office.desk.decide(one, incoming)

    assert refusal.value.field == field
    assert (await office.desk.get(one)).status is ApprovalStatus.PENDING


async def test_phases_and_evidence_come_from_metadata_and_nonsense_there_does_no_harm(
    office: Office,
):
    said = await office.proposed(
        RESTART, GET, phases=["REMEDIATE", "VERIFY"], not_in_evidence=[GET]
    )
    nonsense = await office.proposed(
        RESTART, GET, phases=["REMEDIATE"], not_in_evidence="all", namespace=["shop"]
    )
    odd = await office.proposed(RESTART, GET, phases=[{"a": 1}, "SOMETIMES"])

    first, second, third = [await office.desk.get(one) for one in (said, nonsense, odd)]
    assert [(one.phase, one.in_evidence) for one in first.commands] == [
        ("REMEDIATE", True),
        ("VERIFY", False),
    ]
    assert {(one.phase, one.in_evidence) for one in (*second.commands, *third.commands)} == {
        ("", None)
    }


async def test_a_decision_about_an_earlier_version_is_void_and_noted(office: Office):
    one = await office.proposed(RESTART)
    seen = (await office.desk.get(one)).version
    await office.store.keep_proof(one, 0, RESTART, proof("1"))
    now = (await office.desk.get(one)).version

    for decision in (Decision.APPROVED, Decision.REJECTED):
        with pytest.raises(DecisionVoid) as void:
            await office.desk.decide(one, IncomingDecision(decision, seen=seen))
        assert void.value.approval.version == now != seen

    assert await office.audited() == ["proposed", "decision_void", "decision_void"]
    decided = await office.desk.decide(one, IncomingDecision(Decision.APPROVED, seen=now))
    assert decided.status is ApprovalStatus.APPROVED


@pytest.mark.parametrize("version", ["2", None])
async def test_an_approval_of_an_object_that_changed_is_void_and_shows_what_is_there(
    office: Office, version: str | None
):
    one = await office.proposed(RESTART)
    await office.desk.refresh(one)
    office.cluster.version = version

    with pytest.raises(DecisionVoid, match="the cluster has changed") as void:
        await office.desk.decide(one, APPROVE)

    pending = await office.desk.get(one)
    assert pending.status is ApprovalStatus.PENDING
    assert pending.commands[0].proof == proof(version or "gone")
    assert void.value.approval.version == pending.version
    assert (await office.desk.decide(one, REJECT)).status is ApprovalStatus.REJECTED


async def test_nothing_is_approved_while_the_cluster_cannot_be_asked(office: Office):
    one = await office.proposed(RESTART)
    await office.desk.refresh(one)
    office.cluster.trouble = ExternalFailed("connection refused")

    with pytest.raises(ClusterFailed, match="connection refused"):
        await office.desk.decide(one, APPROVE)

    assert (await office.desk.get(one)).status is ApprovalStatus.PENDING
    assert (await office.desk.decide(one, REJECT)).status is ApprovalStatus.REJECTED


async def test_a_decision_that_comes_too_late_finds_it_expired(office: Office):
    one, two = await office.proposed(), await office.proposed()
    office.clock.advance(EXPIRY - timedelta(seconds=1))
    await office.desk.decide(two, APPROVE)
    office.clock.advance(timedelta(seconds=1))

    with pytest.raises(AlreadyDecided) as late:
        await office.desk.decide(one, APPROVE)

    assert late.value.approval.status is ApprovalStatus.EXPIRED
    assert late.value.approval.decided_at == office.clock.now()
    assert (await office.desk.get(two)).status is ApprovalStatus.APPROVED


async def test_requests_expire_without_anybody_asking(office: Office):
    ids = [await office.proposed() for _ in range(130)]
    expiry = Expiry(office.store, office.clock, Changes())
    await expiry.expire()
    assert len(await office.desk.pending()) == 130
    office.clock.advance(EXPIRY)

    await expiry.expire()

    assert await office.desk.pending() == []
    assert {(await office.desk.get(one)).status for one in ids} == {ApprovalStatus.EXPIRED}


async def test_a_void_approval_is_asked_again_as_it_was_proposed_and_for_as_long(office: Office):
    one = await office.proposed(RESTART, GET, not_in_evidence=[])
    before = await office.desk.get(one)
    edit = choosing(CommandChoice(0, EDIT, "kubectl get deploy -n shop"), CommandChoice(1, NO))
    decided = await office.desk.decide(one, edit)
    office.clock.advance(timedelta(minutes=50))
    judge = CommandJudge(load_policy())
    voiding = Voiding(office.store, judge, office.clock, Changes(), EXPIRY)

    assert await voiding.void(decided, "The deployment has changed.")
    assert not await voiding.void(decided, "The deployment has changed.")

    again = await office.desk.get(one)
    assert again.commands == before.commands
    assert (again.status, again.round) == (ApprovalStatus.PENDING, 2)
    assert again.version != before.version
    assert again.expires_at == office.clock.now() + EXPIRY
    assert await office.audited() == ["proposed", "decided", "decision_void"]


async def test_an_undo_needs_something_that_ran_and_is_begun_once(office: Office):
    one = await office.proposed(RESTART)
    with pytest.raises(Conflict, match="nothing to undo"):
        await office.desk.undo(one, "Ada")
    await office.ran(one, left_state(Target.of_reference(CHECKOUT), live()))

    begun = await office.desk.undo(one, "Ada")

    assert begun.commands[0].undo_status is CommandStatus.WAITING
    assert await office.desk.get(one) == begun
    with pytest.raises(Conflict, match="begun already"):
        await office.desk.undo(one, "Bob")


async def test_an_undo_of_what_nobody_looked_at_afterwards_has_to_be_confirmed(office: Office):
    one = await office.proposed(RESTART)
    await office.ran(one, None)

    with pytest.raises(UndoUnsure, match="not known whether somebody changed deployment/checkout"):
        await office.desk.undo(one, "Ada")

    assert (await office.desk.get(one)).undone_at is None
    assert (await office.desk.undo(one, "Ada", is_confirmed=True)).undone_by == "Ada"


async def test_an_undo_of_what_the_cluster_does_not_show_is_not_begun(office: Office):
    one = await office.proposed(RESTART)
    await office.ran(one, left_state(Target.of_reference(CHECKOUT), live()))
    office.cluster.trouble = ClusterFailed("The cluster does not answer in time.")

    for is_confirmed in (False, True):
        with pytest.raises(ClusterFailed, match="does not answer"):
            await office.desk.undo(one, "Ada", is_confirmed=is_confirmed)

    assert (await office.desk.get(one)).undone_at is None
