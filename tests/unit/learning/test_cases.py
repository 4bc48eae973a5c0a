"""The case index: kept up to date record by record, and fast."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from app.domain.approval import Decision
from app.domain.course import Decided
from app.domain.feedback import (
    Environment,
    FeedbackEvent,
    FeedbackRecord,
    Proposed,
    Retracted,
    Signature,
)
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.actions import planned_command
from app.learning.cases import NEAREST, CaseIndex
from app.learning.selector import choose
from tests.fakes.feedback import folded

EVENT_LOOP_SECONDS = 0.02
"""What takes longer belongs into a thread; measured it is 2 ms, more under coverage."""
START = datetime(2030, 1, 1, tzinfo=UTC)
RESTART = planned_command("kubectl rollout restart deployment/web -n shop")
SCALE = planned_command("kubectl scale deployment/web --replicas=3 -n shop")


def events_of(
    number: int, signature: Signature, decision: Decision = Decision.APPROVED
) -> tuple[FeedbackEvent, ...]:
    feedback_id = FeedbackId(f"f{number}")
    at = START + timedelta(minutes=number)
    command = RESTART if number % 3 else SCALE
    return (
        Proposed(
            id=f"p{number}",
            ts=at,
            feedback_id=feedback_id,
            workflow_id="w",
            signature=signature,
            commands=(command,),
        ),
        Decided(
            id=f"d{number}",
            ts=at,
            approval_id=ApprovalId(f"a{number}"),
            feedback_id=feedback_id,
            decision=decision,
        ),
    )


def record_of(*events: FeedbackEvent) -> FeedbackRecord:
    (record,) = folded(events)
    return record


def signature_of(words: str, environment: Environment = Environment.PRODUCTION) -> Signature:
    return Signature(tokens=tuple(words.split()), environment=environment, kind="deployment")


def test_a_changed_decision_replaces_its_evidence():
    index, signature = CaseIndex(), signature_of("memory limit reached")

    index.update(1, record_of(*events_of(1, signature)))
    index.update(1, record_of(*events_of(1, signature, Decision.REJECTED)))

    tally = index.tolerance(Environment.PRODUCTION, RESTART.action)
    assert (tally.cases, tally.approved, tally.rejected) == (1, 0, 1)
    assert len(index.nearest(signature)) == 1


def test_a_changed_incident_is_found_under_its_new_words_only():
    index = CaseIndex()
    before, after = signature_of("memory limit reached"), signature_of("image pull refused")

    index.update(1, record_of(*events_of(1, before)))
    index.update(1, record_of(*events_of(1, after)))

    assert len(index) == 1
    assert index.nearest(before) == []
    assert len(index.nearest(after)) == 1


def test_a_retracted_record_leaves_no_trace():
    index, signature = CaseIndex(), signature_of("memory limit reached")
    events = events_of(1, signature)
    retracted = Retracted(id="x", ts=START + timedelta(days=1), feedback_id=FeedbackId("f1"))

    index.update(1, record_of(*events))
    index.update(1, record_of(*events, retracted))

    assert len(index) == 0
    assert index.nearest(signature) == []
    assert index.tolerance(Environment.PRODUCTION, RESTART.action).cases == 0


def test_another_environment_is_less_near():
    index, words = CaseIndex(), "memory limit reached"
    index.update(1, record_of(*events_of(1, signature_of(words))))

    (here,) = index.nearest(signature_of(words))
    (elsewhere,) = index.nearest(signature_of(words, Environment.DEVELOPMENT))

    assert (here.here, elsewhere.here) == pytest.approx((1.0, 0.45))
    assert elsewhere.anywhere == pytest.approx(1.0)


def test_a_failure_of_the_same_name_is_alike_in_other_words():
    index, named = (
        CaseIndex(),
        replace(signature_of("memory limit of container reached"), failure_mode="oom_killed"),
    )
    index.update(1, record_of(*events_of(1, named)))
    other_words = replace(
        signature_of("process was killed by the kernel"), failure_mode="oom_killed"
    )

    (found,) = index.nearest(other_words)

    assert found.anywhere > 0.5
    assert index.nearest(signature_of("process was killed by the kernel")) == []


def test_a_failure_without_a_name_has_that_of_cases_in_the_same_words():
    index, named = CaseIndex(), replace(signature_of("memory limit"), failure_mode="oom_killed")
    other_words = replace(signature_of("killed by kernel"), failure_mode="oom_killed")
    index.update(1, record_of(*events_of(1, named)))
    index.update(2, record_of(*events_of(2, other_words)))

    found = index.nearest(signature_of("memory limit"))

    assert {neighbour.case.plan for neighbour in found} == {1, 2}


def test_of_more_like_cases_than_count_the_newest_are_kept():
    index, signature = CaseIndex(), replace(signature_of("memory limit"), severity="HIGH")
    for number in range(NEAREST):
        index.update(number, record_of(*events_of(number, signature)))
    last = replace(signature, severity="CRITICAL")
    index.update(NEAREST, record_of(*events_of(NEAREST, last)))

    found = index.nearest(signature)

    assert len(found) == NEAREST
    assert NEAREST in {neighbour.case.plan for neighbour in found}


def test_a_word_that_few_cases_have_tells_more_than_a_common_one():
    index = CaseIndex()
    for number in range(1, 9):
        index.update(
            number, record_of(*events_of(number, signature_of(f"pod failed plain{number}")))
        )
    index.update(9, record_of(*events_of(9, signature_of("unbound claim failed"))))

    nearest = index.nearest(signature_of("pod unbound"))

    assert nearest[0].case.plan == 9


def test_guidance_from_a_thousand_records_is_quick_enough_for_the_event_loop():
    index = CaseIndex()
    signatures = [*_signatures(Random(7), 1000)]
    for number, signature in enumerate(signatures):
        decision = Decision.REJECTED if number % 4 == 0 else Decision.APPROVED
        index.update(number, record_of(*events_of(number, signature, decision)))
    choose(signatures[:1], index)

    spent = min(_seconds(signature, index) for signature in signatures[:30])

    assert choose(signatures[:1], index).shown
    assert spent < EVENT_LOOP_SECONDS


def _seconds(signature: Signature, index: CaseIndex) -> float:
    begun = time.process_time()
    choose((signature,), index)
    return time.process_time() - begun


def _signatures(chance: Random, count: int) -> Iterator[Signature]:
    """Eighteen failure modes with words of their own, among words that all share."""
    shared = [f"common{number}" for number in range(40)]
    modes = [[f"mode{mode}word{number}" for number in range(25)] for mode in range(18)]
    for _ in range(count):
        mode = chance.randrange(18)
        tokens = chance.sample(modes[mode], 18) + chance.sample(shared, 20)
        yield Signature(
            tokens=tuple(tokens + [f"{token} {token}" for token in tokens]),
            failure_mode=f"mode{mode}",
            environment=chance.choice([*Environment]),
            kind=chance.choice(["deployment", "statefulset"]),
        )
