"""How long and how often a decision is reported, driven by a clock that nobody waits for."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.adapters.storage.approvals import SqlApprovals, open_approvals
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.reports import SqlReports
from app.approvals.changes import Changes
from app.approvals.reports import DecisionReports, pause_after
from app.domain.approval import Decision
from app.domain.errors import WebhookFailed, WebhookRefused
from app.domain.ids import ApprovalId, new_process_id
from app.domain.report import Backlog
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import CommandStatus
from tests.fakes.approvals import (
    GET,
    SCALE,
    DrivenClock,
    ScriptedSender,
    approval,
    command,
)
from tests.fakes.proofs import RECOVERED, proof

ONE = ApprovalId("one")
DOWN = WebhookFailed("The backend does not answer.")


@dataclass
class Office:
    """Store and outbox of one folder, and the clock."""

    store: SqlApprovals
    outbox: SqlReports
    clock: DrivenClock

    async def decided(self, pending: Approval, decision: Decision) -> None:
        """Keep a settled approval."""
        await self.store.create(pending, None, 100)
        decided = pending.decide(decision, "Ada", "too risky", self.clock.now())
        await self.store.decide(decided.without_cluster())

    async def approved(self, *commands: ReviewedCommand) -> None:
        """Keep an approval whose commands are to run."""
        pending = approval("one", *commands)
        await self.store.create(pending, None, 100)
        await self.store.decide(pending.decide(Decision.APPROVED, "Ada", None, self.clock.now()))

    async def run(self, number: int = 0) -> None:
        """Note that a command succeeded."""
        for status in (CommandStatus.EXECUTING, CommandStatus.SUCCEEDED):
            await self.store.move(ONE, number, status, "done")

    def reports(self, sender: ScriptedSender) -> DecisionReports:
        """Reports without jitter."""
        return DecisionReports(self.outbox, sender, self.clock, Changes(), jitter=lambda: 0)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    me = new_process_id()
    async with open_approvals(DatabaseLocation.of_file(tmp_path / "approvals.sqlite")) as database:
        clock = DrivenClock()
        yield Office(SqlApprovals(database, me, clock), SqlReports(database, me), clock)


async def test_an_approval_is_reported_with_honest_counts_and_each_command(office: Office):
    sender = ScriptedSender()
    pending = approval("one", command(), command(SCALE, is_refused=True))
    await office.decided(pending, Decision.APPROVED)

    pause = await office.reports(sender).deliver_due()

    (report,) = sender.delivered
    body = json.loads(report.body)
    assert pause is None
    assert (body["approval_id"], body["status"]) == ("one", "approved")
    assert (body["approved_count"], body["rejected_count"]) == (1, 1)
    assert "rejection_reason" not in body
    assert [(one["decision"], one["status"]) for one in body["commands"]] == [
        ("approved", "recorded"),
        ("rejected", "failed"),
    ]


async def test_a_rejection_carries_its_reason(office: Office):
    sender = ScriptedSender()
    await office.decided(approval(), Decision.REJECTED)

    await office.reports(sender).deliver_due()

    body = json.loads(sender.delivered[0].body)
    assert (body["status"], body["rejection_reason"]) == ("rejected", "too risky")
    assert (body["approved_count"], body["rejected_count"]) == (0, 1)


async def test_a_delivered_report_is_never_sent_again(office: Office):
    sender = ScriptedSender()
    await office.decided(approval(), Decision.REJECTED)

    for _ in range(3):
        await office.reports(sender).deliver_due()

    assert len(sender.attempts) == 1


async def test_an_outage_is_sat_out_with_longer_and_longer_pauses(office: Office):
    sender = ScriptedSender(*[DOWN] * 12)
    reports = office.reports(sender)
    await office.decided(approval(), Decision.REJECTED)
    pauses: list[float] = []

    while (pause := await reports.deliver_due()) is not None:
        pauses.append(pause.total_seconds())
        office.clock.advance(pause)

    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert len(sender.delivered) == 1


async def test_nothing_is_sent_before_its_time(office: Office):
    sender = ScriptedSender(DOWN)
    reports = office.reports(sender)
    await office.decided(approval(), Decision.REJECTED)

    await reports.deliver_due()
    await reports.deliver_due()

    assert len(sender.attempts) == 1
    assert (await reports.backlog()).waiting == 1


async def test_two_days_of_outage_end_in_a_report_that_is_given_up_and_still_counted(
    office: Office,
):
    sender = ScriptedSender(*[DOWN] * 1000)
    reports = office.reports(sender)
    await office.decided(approval(), Decision.REJECTED)
    began = office.clock.now()

    while (pause := await reports.deliver_due()) is not None:
        office.clock.advance(pause)

    assert timedelta(hours=47, minutes=50) < sender.attempts[-1] - began <= timedelta(hours=48)
    backlog = await reports.backlog()
    assert (backlog.waiting, backlog.abandoned) == (0, 1)
    assert "48 hours" in backlog.last_error


async def test_a_refused_report_is_not_tried_again_and_holds_nothing_up(office: Office):
    sender = ScriptedSender(WebhookRefused("The backend answers 401."))
    reports = office.reports(sender)
    await office.decided(approval("one"), Decision.REJECTED)
    await office.decided(approval("two"), Decision.REJECTED)

    pause = await reports.deliver_due()

    assert pause is None
    assert [report.approval_id for report in sender.delivered] == ["two"]
    assert (await reports.backlog()).abandoned == 1


async def test_hundreds_of_decisions_of_an_outage_are_all_delivered(office: Office):
    sender = ScriptedSender()
    reports = office.reports(sender)
    for number in range(250):
        pending = approval(f"a{number}")
        await office.store.create(pending, None, 1000)
        await office.store.decide(pending.decide(Decision.REJECTED, None, None, office.clock.now()))

    while await reports.deliver_due() is not None:
        continue

    assert len({report.approval_id for report in sender.delivered}) == 250


def test_jitter_takes_off_up_to_a_half():
    assert pause_after(3, 0) == timedelta(seconds=8)
    assert pause_after(3, 1) == timedelta(seconds=4)
    assert pause_after(10_000, 0) == timedelta(minutes=5)


def told(sender: ScriptedSender) -> list[tuple[str, bool]]:
    bodies = [json.loads(report.body) for report in sender.delivered]
    return [(body["type"], body["is_final"]) for body in bodies]


async def test_each_step_of_an_approval_is_reported_with_all_that_is_known_then(office: Office):
    sender = ScriptedSender()
    reports = office.reports(sender)
    await office.approved(command(), replace(command(SCALE), phase="VERIFY"))
    await office.store.keep_proof(ONE, 0, command().text, proof(undo=SCALE))

    await reports.deliver_due()
    await office.run()
    await reports.deliver_due()
    await office.run(1)
    await office.store.keep_verification(ONE, RECOVERED)
    await reports.deliver_due()
    approved = await office.store.get(ONE)
    assert approved is not None
    await office.store.begin_undo(
        approved.begin_undo("Bob", office.clock.now()), is_confirmed=False
    )
    await reports.deliver_due()
    assert len(sender.delivered) == 3
    for status in (CommandStatus.EXECUTING, CommandStatus.SUCCEEDED):
        await office.store.move_undo(ONE, 0, status, "undone")
    await reports.deliver_due()
    await reports.deliver_due()

    assert told(sender) == [
        ("approval.decided", False),
        ("approval.executed", False),
        ("approval.verified", True),
        ("approval.undone", True),
    ]
    bodies = [json.loads(report.body) for report in sender.delivered]
    assert [body["commands"][0]["status"] for body in bodies] == ["waiting", *["succeeded"] * 3]
    assert [body["verification"] is None for body in bodies] == [True, True, False, False]
    assert bodies[3]["commands"][0]["undo_status"] == "succeeded"
    assert [report.message_id for report in sender.delivered] == [
        "decided_one_1",
        "executed_one_1",
        "verified_one_1",
        "undone_one_1",
    ]


async def test_what_only_read_is_final_once_it_has_run(office: Office):
    sender = ScriptedSender()
    await office.approved(replace(command(), policy_risk="SAFE"))
    await office.reports(sender).deliver_due()
    await office.run()

    await office.reports(sender).deliver_due()

    assert told(sender) == [("approval.decided", False), ("approval.executed", True)]


async def test_where_nothing_changed_the_last_report_waits_for_the_later_checks(office: Office):
    sender = ScriptedSender()
    check = replace(command(GET), phase="VERIFY", policy_risk="SAFE")
    await office.approved(command(), check)
    await office.store.move(ONE, 0, CommandStatus.FAILED, "no such object")

    await office.reports(sender).deliver_due()
    before = [report.kind for report in sender.delivered]
    await office.store.move(ONE, 1, CommandStatus.SKIPPED, "nothing to check")
    await office.reports(sender).deliver_due()

    assert before == ["decided"]
    body = json.loads(sender.delivered[-1].body)
    assert (body["type"], body["is_final"]) == ("approval.executed", True)
    assert [one["status"] for one in body["commands"]] == ["failed", "skipped"]


async def test_a_server_that_was_down_meanwhile_reports_every_step_in_order(office: Office):
    sender = ScriptedSender()
    await office.approved(command())
    await office.run()
    await office.store.keep_verification(ONE, RECOVERED)

    await office.reports(sender).deliver_due()

    assert told(sender) == [
        ("approval.decided", False),
        ("approval.executed", False),
        ("approval.verified", True),
    ]


async def test_a_request_that_expired_and_one_that_was_asked_twice_are_told_apart(office: Office):
    sender = ScriptedSender()
    reports = office.reports(sender)
    await office.approved(command())
    await reports.deliver_due()
    approved = await office.store.get(ONE)
    assert approved is not None
    await office.store.void(approved.void("It has changed.", (command(),), office.clock.now()))
    await reports.deliver_due()
    assert len(sender.delivered) == 1
    await office.store.expire(office.clock.now())

    await reports.deliver_due()

    assert told(sender) == [("approval.decided", False), ("approval.expired", True)]
    assert [report.message_id for report in sender.delivered] == ["decided_one_1", "expired_one_2"]
    body = json.loads(sender.delivered[1].body)
    assert (body["status"], body["round"]) == ("expired", 2)
    assert (body["approved_count"], body["rejected_count"]) == (0, 0)


async def test_a_later_report_waits_for_an_earlier_one_of_its_approval_alone(office: Office):
    sender = ScriptedSender(DOWN, None)
    reports = office.reports(sender)
    await office.approved(replace(command(), policy_risk="SAFE"))
    await office.run()
    await office.decided(approval("other"), Decision.REJECTED)

    pause = await reports.deliver_due()
    assert [report.approval_id for report in sender.delivered] == ["other"]
    assert pause == timedelta(seconds=1)
    office.clock.advance(pause)
    await reports.deliver_due()

    assert [report.message_id for report in sender.delivered[1:]] == [
        "decided_one_1",
        "executed_one_1",
    ]


async def test_an_earlier_report_that_is_given_up_does_not_hold_up_the_next(office: Office):
    sender = ScriptedSender(WebhookRefused("The backend answers 401."))
    await office.approved(replace(command(), policy_risk="SAFE"))
    await office.run()

    await office.reports(sender).deliver_due()

    assert [report.message_id for report in sender.delivered] == ["executed_one_1"]


async def test_a_whole_day_of_outage_loses_nothing_and_keeps_the_order(office: Office):
    began = office.clock.now()
    sender = ScriptedSender()
    reports = office.reports(sender)
    sender.is_down = lambda at: at - began < timedelta(hours=24)
    for number in range(5):
        await office.decided(approval(f"a{number}"), Decision.REJECTED)
    await office.approved(command())
    await office.run()
    while office.clock.now() - began < timedelta(hours=12):
        pause = await reports.deliver_due()
        assert pause is not None
        office.clock.advance(pause)
    assert (await reports.backlog()).waiting == 6
    await office.store.keep_verification(ONE, RECOVERED)

    while (pause := await reports.deliver_due()) is not None:
        office.clock.advance(pause)

    assert len(sender.delivered) == 8
    assert [report.kind for report in sender.delivered if report.approval_id == ONE] == [
        "decided",
        "executed",
        "verified",
    ]
    assert office.clock.now() - began < timedelta(hours=24, minutes=6)
    assert await reports.backlog() == Backlog(0, 0, "")
