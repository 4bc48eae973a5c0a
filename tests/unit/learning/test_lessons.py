"""Lessons: mined from enough decisions, with their evidence, switchable, and gone when minds change."""

from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path

import pytest

from app.domain.answer import Entities
from app.domain.approval import Decision
from app.domain.errors import NotFound
from app.domain.feedback import FeedbackEvent
from app.domain.guidance import Guidance
from app.domain.incident import Analysis, Findings
from app.learning.lesson_desk import SwitchableRule
from app.learning.lessons import WINDOW, lower_bound
from tests.fakes.feedback import (
    OUT_OF_MEMORY,
    READ,
    RESTART,
    FeedbackInMemory,
    Learning,
    analysis_of,
    learning_on,
    open_learning,
    plan_of,
    report_of,
)

STATEFUL = "kubectl rollout restart statefulset/orders-db -n shop-prod"
POD = "kubectl delete pod orders-db-0 -n shop-prod"
DATABASE = analysis_of(kind="statefulset", service="orders-db")
OTHER_FAILURE = analysis_of(
    "unbound immediate PersistentVolumeClaims, no storage class",
    kind="statefulset",
    service="orders-db",
    mode="unbound_volume",
)
NO, YES = Decision.REJECTED, Decision.APPROVED


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "remediation_feedback.jsonl"


@pytest.fixture
async def learning(path: Path) -> AsyncIterator[Learning]:
    async with open_learning(path) as opened:
        yield opened


async def decide(
    learning: Learning,
    decisions: list[Decision],
    command: str = STATEFUL,
    analysis: Analysis = DATABASE,
    start: int = 1,
) -> None:
    for number, decision in enumerate(decisions, start):
        _, approval_id = await learning.plan(number, plan_of(READ, command), analysis)
        await learning.recorder.hear(report_of(approval_id, decision))


async def sentences(learning: Learning) -> list[str]:
    return [one.rule.lesson.sentence for one in await learning.lessons.lessons()]


async def the_lesson(learning: Learning) -> SwitchableRule:
    (found,) = await learning.lessons.lessons()
    return found


async def guide(learning: Learning, analysis: Analysis = DATABASE) -> Guidance:
    return await learning.selector.guide(analysis, Findings(), Entities())


async def test_what_was_rejected_six_of_seven_times_is_a_lesson(learning: Learning):
    await decide(learning, [NO, NO, YES, NO, NO, NO, NO])

    rule = (await the_lesson(learning)).rule

    assert rule.lesson.sentence == (
        "In production, rollout restart of a statefulset was rejected 6 of 7 times."
    )
    assert (rule.support, rule.contradictions, rule.is_against) == (6, 1, True)
    assert rule.contradicted_at is not None
    assert rule.since < rule.contradicted_at < rule.supported_at


@pytest.mark.parametrize(
    "decisions", [[NO] * 3, [NO] * 5 + [YES], [NO, YES] * 8, [YES] * 6 + [NO] * 4]
)
async def test_what_could_well_be_chance_is_no_lesson(
    learning: Learning, decisions: list[Decision]
):
    await decide(learning, decisions)

    assert await sentences(learning) == []


def test_a_lesson_claims_no_more_than_a_majority_of_its_decisions_shows():
    assert lower_bound(6, 7) == pytest.approx(0.548, abs=0.001)
    assert lower_bound(5, 6) < 0.5 < lower_bound(8, 10)


async def test_what_holds_for_several_kinds_is_said_of_stateful_workloads(learning: Learning):
    await decide(learning, [NO] * 4)
    volume = STATEFUL.replace("statefulset/orders-db", "persistentvolumeclaim/data")
    await decide(learning, [NO] * 2, volume, start=11)

    assert await sentences(learning) == [
        "In production, rollout restart of stateful workloads was rejected 6 of 6 times."
    ]


async def test_a_pod_is_what_its_workload_is(learning: Learning):
    await decide(learning, [NO] * 4, POD)
    await decide(learning, [YES] * 4, POD, analysis_of(), start=11)

    assert set(await sentences(learning)) == {
        "In production, delete of stateful workloads was rejected 4 of 4 times.",
        "In production, delete of stateless workloads was approved 4 of 4 times.",
    }


async def test_each_environment_has_its_own_lessons(learning: Learning):
    development = analysis_of(namespace="shop-dev")
    await decide(learning, [NO] * 4, RESTART, analysis_of())
    await decide(learning, [YES] * 4, RESTART, development, start=11)

    production, elsewhere = await guide(learning, analysis_of()), await guide(learning, development)

    assert [lesson.sentence for lesson in production.lessons] == [
        "In production, rollout restart of a deployment was rejected 4 of 4 times."
    ]
    assert [lesson.sentence for lesson in elsewhere.lessons] == [
        "In development, rollout restart of a deployment was approved 4 of 4 times."
    ]


async def test_taking_a_change_back_is_judged_apart_where_there_was_none(learning: Learning):
    undo = "kubectl rollout undo statefulset/orders-db -n shop-prod"
    changed = analysis_of(f"{OUT_OF_MEMORY} since the upgrade", kind="statefulset")
    await decide(learning, [YES] * 4, undo, changed)
    await decide(learning, [NO] * 4, undo, start=5)

    found = [lesson.sentence for lesson in (await guide(learning)).lessons]
    after = [lesson.sentence for lesson in (await guide(learning, changed)).lessons]

    what = "In production, rollout undo of a statefulset"
    assert found == [f"{what} without a change before was rejected 4 of 4 times."]
    assert after == [f"{what} after a change was approved 4 of 4 times."]


async def test_a_lesson_is_shown_for_a_failure_that_nobody_decided_yet(learning: Learning):
    await decide(learning, [NO] * 4)

    guidance = await guide(learning, OTHER_FAILURE)

    assert guidance.examples == ()
    assert [lesson.actions for lesson in guidance.lessons] == [("rollout restart/statefulset",)]


async def test_a_lesson_ends_when_people_have_changed_their_minds(learning: Learning):
    await decide(learning, [NO] * WINDOW)
    assert (await the_lesson(learning)).rule.support == WINDOW

    await decide(learning, [YES] * WINDOW, start=WINDOW + 1)

    rule = (await the_lesson(learning)).rule
    assert (rule.is_against, rule.support, rule.contradictions) == (False, WINDOW, 0)


async def test_a_changed_decision_changes_the_lesson(learning: Learning):
    await decide(learning, [NO] * 4)
    assert len(await sentences(learning)) == 1

    await learning.recorder.hear(report_of("approval-1", YES))

    assert await sentences(learning) == []


async def test_pending_plans_are_no_votes(learning: Learning):
    await decide(learning, [NO] * 3)
    await learning.plan(9, plan_of(STATEFUL), DATABASE)

    assert await sentences(learning) == []


async def test_a_lesson_that_is_switched_off_is_listed_and_not_shown(
    learning: Learning, path: Path
):
    await decide(learning, [NO] * 4)
    lesson_id = (await the_lesson(learning)).rule.lesson.id

    assert not (await learning.lessons.switch(lesson_id, active=False)).is_active

    assert (await guide(learning)).lessons == ()
    async with open_learning(path) as after_a_restart:
        assert not (await the_lesson(after_a_restart)).is_active
        assert (await guide(after_a_restart)).lessons == ()


async def test_switching_to_what_is_so_writes_nothing(learning: Learning, path: Path):
    await decide(learning, [NO] * 4)
    lesson_id = (await the_lesson(learning)).rule.lesson.id
    before = content(path)

    await learning.lessons.switch(lesson_id, active=True)

    assert content(path) == before


async def test_the_last_switch_counts_in_whatever_order_they_are_read():
    writer = learning_on(store := FeedbackInMemory())
    await decide(writer, [NO] * 4)
    lesson_id = (await the_lesson(writer)).rule.lesson.id
    for active in (False, True, False):
        await writer.lessons.switch(lesson_id, active=active)
    plans, switches = store.events[:-3], store.events[-3:]

    for order in permutations(switches):
        events: list[FeedbackEvent] = [*order[:2], *plans, *order[2:], order[0]]
        reader = learning_on(FeedbackInMemory(events))
        assert not (await the_lesson(reader)).is_active


async def test_what_is_no_lesson_cannot_be_switched(learning: Learning):
    with pytest.raises(NotFound, match="Lesson 'nothing' not found"):
        await learning.lessons.switch("nothing", active=False)


def content(path: Path) -> bytes:
    return path.read_bytes()
