"""Folding: the order and the repetition of events change nothing."""

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.approval import CommandDecision, CommandVerdict, Decision
from app.domain.course import Decided, Executed, Expired, Outcome, Undone, Verified
from app.domain.feedback import (
    FeedbackEvent,
    FeedbackRecord,
    Imported,
    Linked,
    PlanStatus,
    Proposed,
    Rated,
    Retracted,
    event_id,
)
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.actions import planned_command
from tests.fakes.feedback import FeedbackInMemory, folded, learning_on

START = datetime(2030, 1, 1, tzinfo=UTC)
COMMANDS = tuple(
    planned_command(text)
    for text in (
        "kubectl get pods -n shop",
        "kubectl rollout restart deployment/web -n shop",
        "kubectl delete pod web-1 -n shop",
    )
)

feedback_ids = st.sampled_from([FeedbackId("w_remediation_1"), FeedbackId("w_remediation_2")])
approval_ids = st.sampled_from([ApprovalId("a1"), ApprovalId("a2"), ApprovalId("a3")])
counts = st.integers(min_value=0, max_value=3)


def at(seconds: int) -> datetime:
    return START + timedelta(seconds=seconds)


times = st.integers(min_value=0, max_value=6).map(at)


def identified(event: FeedbackEvent) -> FeedbackEvent:
    """The same event with the id that its content gives."""
    return event.model_copy(update={"id": event_id(event.model_dump_json())})


about_an_approval: dict[str, st.SearchStrategy[Any]] = {
    "id": st.just("?"),
    "ts": times,
    "approval_id": approval_ids,
    "feedback_id": st.none() | feedback_ids,
    "round": st.integers(min_value=1, max_value=3),
    "is_final": st.booleans(),
}
verdicts = st.builds(
    CommandVerdict,
    command=st.sampled_from([command.command for command in COMMANDS]),
    decision=st.sampled_from(CommandDecision),
    status=st.sampled_from([None, "succeeded", "failed"]),
)
any_event: st.SearchStrategy[FeedbackEvent] = st.one_of(
    st.builds(
        Proposed,
        id=st.just("?"),
        ts=times,
        feedback_id=feedback_ids,
        workflow_id=st.just("w"),
        issue=st.sampled_from(["one", "two"]),
        commands=st.just(COMMANDS),
    ),
    st.builds(
        Linked, id=st.just("?"), ts=times, feedback_id=feedback_ids, approval_id=approval_ids
    ),
    st.builds(
        Decided,
        **about_an_approval,
        commands=st.just(()) | st.tuples(verdicts),
        decision=st.sampled_from(Decision),
        rejection_reason=st.none() | st.sampled_from(["too risky", "wrong namespace"]),
        approved_count=counts,
        rejected_count=counts,
    ),
    st.builds(
        Rated,
        id=st.just("?"),
        ts=times,
        feedback_id=feedback_ids,
        rating=st.none() | st.integers(min_value=1, max_value=5),
        was_helpful=st.none() | st.booleans(),
    ),
    st.builds(Executed, **about_an_approval, commands=st.tuples(verdicts)),
    st.builds(Verified, **about_an_approval, outcome=st.sampled_from(Outcome)),
    st.builds(Expired, **about_an_approval),
    st.builds(Undone, **about_an_approval),
    st.builds(Retracted, id=st.just("?"), ts=times, feedback_id=feedback_ids),
    st.builds(
        Imported,
        id=st.just("?"),
        ts=times,
        feedback_id=feedback_ids,
        output_data=st.just("kubectl scale deployment/web --replicas=2"),
        approval_status=st.none() | st.sampled_from(Decision),
        approval_id=st.none() | approval_ids,
        approved_commands_count=counts,
        rejected_commands_count=counts,
        reward_score=st.none() | st.floats(min_value=0, max_value=1),
    ),
).map(identified)


def by_id(events: list[FeedbackEvent]) -> dict[FeedbackId, FeedbackRecord]:
    return {record.feedback_id: record for record in folded(events)}


@settings(max_examples=150, deadline=None)
@given(st.lists(any_event, max_size=14), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(events: list[FeedbackEvent], chance: Random):
    mixed = [*events, *chance.sample(events, len(events) // 2)]
    chance.shuffle(mixed)

    assert by_id(mixed) == by_id(events)


@settings(max_examples=50, deadline=None)
@given(st.lists(any_event, max_size=12), st.randoms(use_true_random=False))
def test_looking_in_between_changes_nothing(events: list[FeedbackEvent], chance: Random):
    async def watched() -> list[FeedbackRecord]:
        store = FeedbackInMemory()
        learning = learning_on(store)
        for event in events:
            await store.append([event])
            if chance.random() < 0.5:
                await learning.report.statistics()
        return await learning.records()

    assert {record.feedback_id: record for record in asyncio.run(watched())} == by_id(events)


def proposed() -> Proposed:
    return Proposed(
        id="p", ts=at(0), feedback_id=FeedbackId("f"), workflow_id="w", commands=COMMANDS
    )


def linked() -> Linked:
    return Linked(id="l", ts=at(1), feedback_id=FeedbackId("f"), approval_id=ApprovalId("a"))


def decided(decision: Decision, second: int, approved: int = 0, rejected: int = 0) -> Decided:
    return Decided(
        id=f"d{second}",
        ts=at(second),
        approval_id=ApprovalId("a"),
        decision=decision,
        approved_count=approved,
        rejected_count=rejected,
    )


def rated(second: int, rating: int | None, was_helpful: bool | None = None) -> Rated:
    return Rated(
        id=f"r{second}",
        ts=at(second),
        feedback_id=FeedbackId("f"),
        rating=rating,
        was_helpful=was_helpful,
    )


def only(*events: FeedbackEvent) -> FeedbackRecord:
    (record,) = folded(events)
    return record


def test_a_decision_without_counts_stands_for_the_whole_plan():
    record = only(proposed(), linked(), decided(Decision.APPROVED, 2))

    assert (record.approved_count, record.rejected_count) == (3, 0)
    assert record.status is PlanStatus.APPROVED


def test_one_rejected_command_leaves_the_approved_ones_counted():
    said = decided(Decision.REJECTED, 2, approved=2, rejected=1)

    record = only(proposed(), linked(), said)

    assert (record.approved_count, record.rejected_count) == (2, 1)


def test_the_later_of_two_contradictory_decisions_counts():
    record = only(
        proposed(), linked(), decided(Decision.REJECTED, 5), decided(Decision.APPROVED, 3)
    )

    assert record.status is PlanStatus.REJECTED
    assert (record.approved_count, record.rejected_count) == (0, 3)


def test_a_decision_that_is_known_before_its_proposal_waits_for_it():
    record = only(decided(Decision.APPROVED, 2), linked(), proposed())

    assert record.status is PlanStatus.APPROVED


def test_a_rating_without_stars_keeps_the_earlier_stars():
    record = only(proposed(), rated(1, 4), rated(2, None, was_helpful=True))

    assert (record.rating.rating, record.rating.was_helpful) == (4, True)


def test_a_pending_plan_is_no_example_whatever_its_stars():
    record = only(proposed(), linked(), rated(2, 5))

    assert record.status is PlanStatus.PENDING
    assert record.reward == 1.0
    assert not record.is_example


def test_a_retracted_plan_is_no_example():
    retracted = Retracted(id="x", ts=at(9), feedback_id=FeedbackId("f"))

    assert only(proposed(), linked(), decided(Decision.APPROVED, 2)).is_example
    assert not only(proposed(), linked(), decided(Decision.APPROVED, 2), retracted).is_example


def test_an_expired_plan_is_neither_pending_nor_decided():
    expired = Expired(id="e", ts=at(3), feedback_id=FeedbackId("f"), approval_id=ApprovalId("a"))

    record = only(proposed(), linked(), expired)

    assert record.status is PlanStatus.EXPIRED
    assert record.reward is None


def test_a_decision_after_the_expiry_counts_and_is_marked_late_in_any_order():
    expired = Expired(id="e", ts=at(3), feedback_id=FeedbackId("f"), approval_id=ApprovalId("a"))
    late = decided(Decision.REJECTED, 4, rejected=3)

    orders: list[list[FeedbackEvent]] = [[expired, late], [late, expired]]
    for said in orders:
        record = only(proposed(), linked(), *said)

        assert (record.status, record.rejected_count) == (PlanStatus.REJECTED, 3)
        assert record.is_late
        assert record.is_example
    assert not only(proposed(), linked(), decided(Decision.REJECTED, 2), expired).is_late


def test_a_rating_of_a_pending_plan_counts_once_it_is_decided():
    pending = (proposed(), linked(), rated(2, 1))

    assert only(*pending).rating.rating == 1
    assert not only(*pending).is_example
    record = only(*pending, decided(Decision.APPROVED, 3))
    assert record.is_example
    assert record.reward == 0.8
