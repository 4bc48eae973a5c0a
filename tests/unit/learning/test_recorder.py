"""Recording: each fact once, nothing lost, whatever comes early or twice."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path

import pytest

from app.domain.approval import (
    ApprovalReport,
    CommandDecision,
    CommandVerdict,
    Decision,
    Delivery,
)
from app.domain.course import Outcome
from app.domain.errors import NotFound, Unauthorized
from app.domain.feedback import FeedbackRecord, PlanStatus, Rating
from app.domain.guidance import Example, ExampleRole, Guidance
from app.domain.ids import ApprovalId, FeedbackId
from app.domain.proof import Recovery, Verification
from app.domain.report import ReportKind
from tests.fakes.feedback import (
    READ,
    RESTART,
    UNDO,
    WORKFLOW,
    Learning,
    analysis_of,
    open_learning,
    plan_of,
    report_of,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feedback" / "remediation_feedback.jsonl"


@pytest.fixture
async def learning(path: Path) -> AsyncIterator[Learning]:
    async with open_learning(path) as opened:
        yield opened


def written(path: Path) -> bytes:
    return path.read_bytes()


async def the_record(learning: Learning) -> FeedbackRecord:
    (record,) = await learning.records()
    return record


async def test_a_plan_gets_the_visible_id(learning: Learning):
    feedback_id, _ = await learning.plan(2)

    assert feedback_id == f"{WORKFLOW}_remediation_2"


async def test_proposing_and_linking_again_writes_nothing(learning: Learning, path: Path):
    await learning.plan(1)
    before = written(path)

    await learning.plan(1)

    assert written(path) == before


async def test_a_plan_that_people_see_is_not_replaced(learning: Learning):
    await learning.plan(1)

    await learning.plan(1, plan_of(UNDO))

    assert [command.command for command in (await the_record(learning)).commands] == [READ, RESTART]


async def test_the_examples_that_were_shown_are_kept(learning: Learning, path: Path):
    example = Example("f", ExampleRole.REJECTED, "Because.", 0.9, 0.0, "", (), (), "")

    await learning.recorder.propose(
        WORKFLOW, 1, analysis_of(), plan_of(), Guidance(examples=(example,))
    )

    assert b'"shown":[{"feedback_id":"f","role":"rejected","reason":"Because."}]' in written(path)


async def test_a_decision_counts_commands(learning: Learning):
    _, approval_id = await learning.plan(1)

    assert await learning.recorder.hear(report_of(approval_id, approved=1, rejected=1))

    record = await the_record(learning)
    assert (record.approved_count, record.rejected_count) == (1, 1)


async def test_the_same_decision_twice_changes_nothing(learning: Learning, path: Path):
    _, approval_id = await learning.plan(1)
    await learning.recorder.hear(report_of(approval_id, approved=2))
    before = written(path)

    assert not await learning.recorder.hear(report_of(approval_id, approved=2))

    assert written(path) == before


async def test_an_old_delivery_again_does_not_undo_a_newer_decision(learning: Learning):
    _, approval_id = await learning.plan(1)
    first = report_of(approval_id, Decision.APPROVED)
    await learning.recorder.hear(first)
    await learning.recorder.hear(report_of(approval_id, Decision.REJECTED, reason="No"))

    await learning.recorder.hear(first)

    assert (await the_record(learning)).status is PlanStatus.REJECTED


async def test_an_early_decision_is_refused_but_counts_once_its_plan_is_linked(learning: Learning):
    with pytest.raises(NotFound, match="No feedback found for approval_id: approval-1"):
        await learning.recorder.hear(report_of("approval-1", Decision.REJECTED, reason="Not now"))

    await learning.plan(1)

    record = await the_record(learning)
    assert (record.status, record.rejection_reason) == (PlanStatus.REJECTED, "Not now")


async def test_an_early_decision_survives_a_restart(path: Path):
    async with open_learning(path) as before:
        with pytest.raises(NotFound):
            await before.recorder.hear(report_of("approval-1", approved=2))

    async with open_learning(path) as after:
        await after.plan(1)

        assert (await the_record(after)).approved_count == 2


async def test_a_repeated_early_decision_counts_once(learning: Learning):
    for _ in range(3):
        with pytest.raises(NotFound):
            await learning.recorder.hear(report_of("approval-1", approved=2))

    await learning.plan(1)
    assert not await learning.recorder.hear(report_of("approval-1", approved=2))

    assert (await the_record(learning)).approved_count == 2


async def test_strangers_decisions_do_not_grow_the_feedback_file(learning: Learning, path: Path):
    await learning.plan(1)
    before = written(path)

    for number in range(5):
        with pytest.raises(NotFound):
            await learning.recorder.hear(report_of(f"stranger-{number}"))

    assert written(path) == before


async def test_what_was_submitted_is_what_counts(learning: Learning):
    feedback_id = await learning.recorder.propose(WORKFLOW, 1, analysis_of(), plan_of(), Guidance())
    await learning.recorder.link(feedback_id, ApprovalId("a"), [UNDO])

    await learning.recorder.hear(report_of("a"))

    record = await the_record(learning)
    assert record.approved_count == 1
    assert [credit.command.action for credit in record.credits] == ["rollout undo/deployment"]


async def test_verdicts_per_command_decide_the_reward(learning: Learning):
    _, approval_id = await learning.plan(1, plan_of(READ, RESTART, UNDO))
    verdicts = [
        CommandVerdict(command=READ, decision=CommandDecision.APPROVED),
        CommandVerdict(command=RESTART, decision=CommandDecision.REJECTED, reason="It loses carts"),
        CommandVerdict(command=UNDO, decision=CommandDecision.APPROVED, status="succeeded"),
    ]

    await learning.recorder.hear(report_of(approval_id, commands=verdicts))

    record = await the_record(learning)
    assert (record.approved_count, record.rejected_count, record.reward) == (2, 1, 0.5)
    assert record.rejection_reason == "It loses carts"


def executed(command: str, status: str) -> CommandVerdict:
    return CommandVerdict(command=command, decision=CommandDecision.APPROVED, status=status)


def measured(recovery: Recovery) -> Verification:
    return Verification(recovery=recovery, at=datetime(2030, 5, 1, tzinfo=UTC))


async def test_a_failed_execution_lowers_the_reward_until_the_outcome_is_measured(
    learning: Learning,
):
    _, approval_id = await learning.plan(1)
    failed = report_of(approval_id, commands=[executed(RESTART, "failed")])
    await learning.recorder.hear(failed)
    assert (await the_record(learning)).reward == pytest.approx(0.4)

    for recovery, reward in (
        (Recovery.UNKNOWN, 0.4),
        (Recovery.NOT_RECOVERED, 0.6),
        (Recovery.RECOVERED, 1.0),
    ):
        await learning.recorder.hear(
            replace(failed, kind=ReportKind.VERIFIED, verification=measured(recovery))
        )
        assert (await the_record(learning)).reward == pytest.approx(reward)


async def test_a_rating_leaves_what_it_does_not_say(learning: Learning):
    feedback_id, _ = await learning.plan(1)
    await learning.recorder.rate(feedback_id, Rating(rating=4, comments="good"))

    await learning.recorder.rate(feedback_id, Rating(was_helpful=False))

    assert (await the_record(learning)).rating == Rating(4, was_helpful=False, comments="good")


async def test_a_person_may_change_the_rating_and_back(learning: Learning):
    feedback_id, _ = await learning.plan(1)

    for stars in (5, 2, 5):
        await learning.recorder.rate(feedback_id, Rating(rating=stars))

    assert (await the_record(learning)).rating.rating == 5


async def test_a_rating_for_an_unknown_id_is_refused(learning: Learning):
    with pytest.raises(NotFound, match="Feedback ID 'nobody' not found"):
        await learning.recorder.rate(FeedbackId("nobody"), Rating(rating=5))


async def test_two_processes_see_each_others_facts(learning: Learning, path: Path):
    async with open_learning(path) as other:
        _, approval_id = await learning.plan(1)
        await other.recorder.hear(report_of(approval_id, approved=2))

        assert (await the_record(learning)).approved_count == 2


def story(approval_id: str, round_: int = 1) -> list[ApprovalReport]:
    """What our own server reports of an approval that was carried out."""
    decided = replace(
        report_of(approval_id, commands=[executed(READ, "waiting"), executed(RESTART, "waiting")]),
        round=round_,
        is_final=False,
    )
    ended = (executed(READ, "succeeded"), executed(RESTART, "succeeded"))
    after = replace(decided, kind=ReportKind.EXECUTED, commands=ended)
    verification = measured(Recovery.RECOVERED)
    verified = replace(after, kind=ReportKind.VERIFIED, verification=verification, is_final=True)
    return [decided, after, verified]


async def heard_early(learning: Learning, report: ApprovalReport) -> None:
    with pytest.raises(NotFound):
        await learning.recorder.hear(report)


async def test_reports_that_come_before_their_proposal_count_in_any_order(tmp_path: Path):
    for number, order in enumerate(permutations(story("approval-1"))):
        async with open_learning(tmp_path / f"{number}.jsonl") as learning:
            for report in order:
                await heard_early(learning, report)
            await learning.plan(1)

            record = await the_record(learning)
            (course,) = record.courses
            assert record.outcome is Outcome.RESOLVED
            assert record.reward == 1.0
            assert [one.status for one in course.ended] == ["succeeded", "succeeded"]
            assert course.is_final


@pytest.mark.parametrize(
    ("recovery", "ended", "outcome"),
    [
        (Recovery.RECOVERED, "succeeded", Outcome.UNKNOWN),
        (Recovery.RECOVERED, "unknown", Outcome.UNKNOWN),
        (Recovery.RECOVERED, "skipped", Outcome.RESOLVED),
        (Recovery.NOT_RECOVERED, "succeeded", Outcome.UNRESOLVED),
    ],
)
async def test_that_it_helped_does_not_count_when_it_was_taken_back(
    learning: Learning, recovery: Recovery, ended: str, outcome: Outcome
):
    await learning.plan(1)
    *earlier, last = story("approval-1")
    verified = replace(last, verification=measured(recovery))
    commands = (last.commands[0], last.commands[1].model_copy(update={"undo_status": ended}))
    undone = replace(verified, kind=ReportKind.UNDONE, commands=commands)

    for report in (*earlier, verified, undone, verified):
        await learning.recorder.hear(report)

    assert (await the_record(learning)).outcome is outcome


async def test_a_report_makes_up_for_those_that_were_lost(learning: Learning):
    await learning.plan(1)

    await learning.recorder.hear(story("approval-1")[-1])

    record = await the_record(learning)
    assert (record.status, record.outcome) == (PlanStatus.APPROVED, Outcome.RESOLVED)


async def test_every_report_again_writes_nothing(learning: Learning, path: Path):
    await learning.plan(1)
    news = [await learning.recorder.hear(report) for report in story("approval-1")]
    before = written(path)

    again = [await learning.recorder.hear(report) for report in story("approval-1")]

    assert [[event.type for event in events] for events in news] == [
        ["decided"],
        ["executed"],
        ["verified"],
    ]
    assert again == [[], [], []]
    assert written(path) == before


async def test_a_decision_that_was_void_gives_way_to_the_next_round(learning: Learning):
    await learning.plan(1)
    second = replace(report_of("approval-1", Decision.REJECTED, reason="Changed"), round=2)
    await learning.recorder.hear(second)

    for late in story("approval-1"):
        await learning.recorder.hear(late)

    record = await the_record(learning)
    assert (record.status, record.outcome, record.reward) == (PlanStatus.REJECTED, None, 0.0)


async def test_a_void_decision_that_nobody_made_again_expires(learning: Learning):
    await learning.plan(1)
    await learning.recorder.hear(story("approval-1")[0])
    expired = replace(report_of("approval-1"), kind=ReportKind.EXPIRED, decision=None, round=2)

    await learning.recorder.hear(expired)

    record = await the_record(learning)
    assert (record.status, record.reward) == (PlanStatus.EXPIRED, None)


async def test_a_command_that_nobody_decided_is_left_out_of_the_reward(learning: Learning):
    await learning.plan(1, plan_of(RESTART, UNDO))
    verdicts = [
        CommandVerdict(command=RESTART, decision=CommandDecision.APPROVED),
        CommandVerdict(command=UNDO, decision=CommandDecision.UNDECIDED),
    ]

    await learning.recorder.hear(report_of("approval-1", commands=verdicts))

    record = await the_record(learning)
    assert (record.approved_count, record.rejected_count, record.reward) == (1, 0, 1.0)


async def test_an_edit_is_kept_as_the_pair(learning: Learning):
    await learning.plan(1, plan_of(RESTART))
    edit = CommandVerdict(command=RESTART, decision=CommandDecision.EDITED, edited_to=UNDO)

    await learning.recorder.hear(report_of("approval-1", commands=[edit]))

    (verdict,) = (await the_record(learning)).verdicts
    assert (verdict.command, verdict.edited_to) == (RESTART, UNDO)


async def test_a_message_that_comes_again_with_other_content_changes_nothing(learning: Learning):
    await learning.plan(1)
    approved = replace(report_of("approval-1"), delivery=Delivery("msg-1"))
    await learning.recorder.hear(approved)

    assert not await learning.recorder.hear(replace(approved, decision=Decision.REJECTED))

    assert (await the_record(learning)).status is PlanStatus.APPROVED


async def test_a_signed_delivery_is_not_played_back(learning: Learning):
    await learning.plan(1)
    first = replace(
        report_of("approval-1"), is_signed=True, delivery=Delivery("msg-1", signed_at=1000)
    )
    await learning.recorder.hear(first)

    assert await learning.recorder.hear(first) == []
    with pytest.raises(Unauthorized):
        await learning.recorder.hear(
            replace(first, delivery=Delivery("msg-1", signed_at=1000, is_recent=False))
        )
    later = Delivery("msg-1", signed_at=1200, is_recent=False)
    assert await learning.recorder.hear(replace(first, delivery=later)) == []
