"""The case index: kept up to date record by record."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log, sqrt
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
from app.learning.case import LIKE, LIKE_FACETS
from app.learning.cases import NEAREST, RELATIVE_FLOOR, SIMILARITY_FLOOR, CaseIndex
from app.learning.entries import microseconds
from app.learning.facets import facet_factor
from app.learning.modes import likeness, recognize
from app.learning.tokens import tokens_of_signature
from tests.fakes.feedback import folded

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


def test_the_nearest_are_those_that_a_look_at_every_case_finds():
    chance = Random(11)
    records = {number: _some_record(chance, number) for number in range(90)}
    index = CaseIndex()
    for number, record in records.items():
        index.update(number, record)
    for number in chance.sample([*records], 40):
        records[number] = _some_record(chance, number)
        index.update(number, records[number])
    restored = CaseIndex()
    restored.restore(index.parts())

    for signature in _few_signatures(chance, 60):
        expected = nearest_of_all(signature, records)
        for found in (index.nearest(signature), restored.nearest(signature)):
            assert [one.case.plan for one in found] == [plan for plan, _, _ in expected]
            values = [value for one in found for value in (one.anywhere, one.here)]
            assert values == pytest.approx([value for _, *both in expected for value in both])


def test_a_restored_index_adds_up_people_s_words_as_before():
    chance = Random(12)
    index, restored = CaseIndex(), CaseIndex()
    for number in [*range(60), *range(20)]:
        index.update(number, _some_record(chance, number))

    restored.restore(index.parts())

    assert len(restored) == len(index) > 0
    for environment in Environment:
        for action in (RESTART.action, SCALE.action):
            before = index.tolerance(environment, action)
            after = restored.tolerance(environment, action)
            assert (after.cases, after.approved) == (before.cases, before.approved)
            for kind in ("deployment", "statefulset"):
                ours = Signature(tokens=(), environment=environment, kind=kind)
                trusted = restored.trusted_tolerance(ours, action)
                assert trusted == pytest.approx(index.trusted_tolerance(ours, action))


def nearest_of_all(
    signature: Signature, records: Mapping[int, FeedbackRecord]
) -> list[tuple[int, float, float]]:
    """By plan both similarities, straight from their definition."""
    cases = {plan: record for plan, record in records.items() if record.is_example}
    tokens = {plan: tokens_of_signature(record.signature) for plan, record in cases.items()}
    counts = Counter(token for own in tokens.values() for token in own)

    def square(token: str) -> float:
        emphasis = 2.0 if token.startswith("mode:") else 0.5 if " " in token else 1.0
        return (emphasis * log(1 + len(cases) / max(counts[token], 1))) ** 2

    def similarities(signature: Signature) -> dict[int, float]:
        wanted, found = tokens_of_signature(signature), {}
        for plan, own in tokens.items():
            lengths = [sqrt(sum(map(square, some))) or 1.0 for some in (wanted, own)]
            found[plan] = sum(map(square, wanted & own)) / (lengths[0] * lengths[1])
        return found

    alike = similarities(signature).items()
    ours = recognize(signature, ((cases[plan].signature, similar) for plan, similar in alike))
    found = []
    for plan, similar in similarities(ours).items():
        theirs = cases[plan].signature
        anywhere = likeness(similar, ours, theirs)
        if anywhere >= SIMILARITY_FLOOR:
            found.append((plan, anywhere, anywhere * facet_factor(ours, theirs)))

    def nearness(one: tuple[int, float, float]) -> tuple[float, int]:
        plan, anywhere, here = one
        is_like = anywhere >= LIKE and here >= LIKE_FACETS * anywhere
        return 1.0 if is_like else here, microseconds(cases[plan].decided_at)

    best = max((here for _, _, here in found), default=0.0)
    kept = [one for one in found if one[2] >= RELATIVE_FLOOR * best]
    return sorted(kept, key=nearness, reverse=True)[:NEAREST]


def _some_record(chance: Random, number: int) -> FeedbackRecord:
    (signature,) = _few_signatures(chance, 1)
    decision = chance.choice([*Decision])
    events = list(events_of(number, signature, decision))
    if chance.random() < 0.2:
        at = START + timedelta(days=1)
        events.append(Retracted(id="x", ts=at, feedback_id=FeedbackId(f"f{number}")))
    return record_of(*events)


def _few_signatures(chance: Random, count: int) -> Iterator[Signature]:
    """Of so few words that many cases share each of them."""
    words = [f"word{number}" for number in range(30)]
    for _ in range(count):
        tokens = chance.sample(words, 6)
        yield Signature(
            tokens=tuple(tokens + [f"{token} {token}" for token in tokens[:3]]),
            failure_mode=chance.choice(["crash_loop", "dns", "unknown"]),
            environment=chance.choice([*Environment]),
            kind=chance.choice(["deployment", "statefulset"]),
            severity=chance.choice(["HIGH", "LOW"]),
            has_recent_change=chance.random() < 0.3,
        )
