"""What is counted over all plans: rates by group, the experiment's workflows, the examples' use."""

import tracemalloc
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.feedback import Environment, Rated, Signature
from app.domain.ids import FeedbackId
from app.learning.columns import NAMES_LIMIT, OTHER, Names, Shown
from app.learning.directory import Hashes
from app.learning.entries import Entries
from app.learning.evaluator import Evaluated, Evaluator
from app.learning.intervals import wilson
from app.learning.report import FeedbackReport
from tests.fakes.feedback import FeedbackInMemory, learning_on
from tests.fakes.past import MONDAY, Past, avoid, decided, follow

PLANS = 20_000


async def test_rates_are_counted_by_mode_environment_and_iso_week():
    past = Past()
    past.plan("a", (3, 1), mode="oom_killed", environment=Environment.PRODUCTION)
    past.plan("b", (2, 0), mode="oom_killed", at=MONDAY + timedelta(days=6, hours=23))
    past.plan("c", (0, 2), mode="image_pull", at=MONDAY + timedelta(days=7))
    past.plan("d", None, mode="image_pull")

    rates = (await past.evaluation()).rates

    assert (rates.total.plans, rates.total.approved_commands) == (3, 5)
    assert rates.total.approval_rate == 5 / 8
    modes = [(rate.name, rate.plans, rate.approval_rate) for rate in rates.failure_modes]
    assert modes == [("oom_killed", 2, 5 / 6), ("image_pull", 1, 0.0)]
    environments = [(rate.name, rate.approved_commands) for rate in rates.environments]
    assert environments == [("production", 3), ("staging", 2)]
    # The last day of 2029 belongs to the first week of 2030.
    assert [(rate.name, rate.plans) for rate in rates.weeks] == [("2030-W01", 2), ("2030-W02", 1)]


async def test_a_rates_interval_is_wilsons():
    past = Past()
    for number in range(20):
        past.plan(f"p{number}", (1, 0) if number < 15 else (0, 1))

    total = (await past.evaluation()).rates.total

    assert total.interval == wilson(0.75, total.effective_commands)
    assert total.effective_commands == pytest.approx(19)


async def test_without_plans_nothing_is_claimed():
    found = await Past().evaluation()

    assert found.rates.total.plans == 0
    assert (found.rates.total.interval.low, found.rates.total.interval.high) == (0.0, 1.0)
    assert found.approval.lift.interval is None
    assert found.examples == ()


async def test_the_experiment_has_the_workflows_that_chance_could_have_put_on_either_side():
    past = Past()
    past.plan("guided", (1, 0), is_held_out=False)
    past.plan("held-out", (0, 1), is_held_out=True)
    past.plan("protected", (1, 0), is_held_out=False, share=0.0)
    past.plan("nothing-known", (1, 0), is_held_out=True, propensity=1.0)
    past.plan("before-the-holdout", (1, 0), share=None)

    found = await past.evaluation()

    assert (found.approval.lift.guided.workflows, found.approval.lift.guided.mean) == (1, 1.0)
    assert (found.approval.lift.held_out.workflows, found.approval.lift.held_out.mean) == (1, 0.0)
    assert found.approval.off_policy.workflows == 2


async def test_an_event_with_the_propensity_alone_tells_the_share():
    past = Past()
    past.plan("guided", (1, 0), is_held_out=False, share=None, propensity=0.8)
    past.plan("held-out", (0, 1), is_held_out=True, share=None, propensity=0.2)

    async with past.learning().ledger.reading() as turn:
        entries = turn.entries

    assert entries.shares.tolist() == pytest.approx([0.2, 0.2])
    assert [*entries.is_randomised] == [1, 1]


async def test_several_plans_of_a_workflow_are_one_observation():
    past = Past()
    past.plan("a1", (1, 0), workflow="a", is_held_out=False)
    past.plan("a2", (1, 1), workflow="a", is_held_out=False)
    past.plan("b", (0, 1), is_held_out=True)

    lift = (await past.evaluation()).approval.lift

    assert (lift.guided.workflows, lift.guided.mean) == (1, 0.75)


async def test_the_reward_has_a_lift_of_its_own():
    past = Past()
    past.plan("a", (1, 0), is_held_out=False)
    past.plan("b", (1, 0), is_held_out=True)
    past.events.append(Rated(id="r", ts=MONDAY, feedback_id=FeedbackId("a"), rating=1))

    found = await past.evaluation()

    assert found.approval.lift.guided.mean == 1.0
    assert found.reward.lift.guided.mean == pytest.approx(0.8)
    assert found.reward.lift.held_out.mean == 1.0


async def test_undecided_plans_of_the_experiment_are_counted_apart():
    past = Past()
    past.plan("a", None, is_held_out=False)
    past.plan("b", None, is_held_out=False)
    past.plan("c", None, is_held_out=True)
    past.plan("d", None, share=None)

    found = await past.evaluation()

    assert (found.undecided_guided, found.undecided_held_out) == (2, 1)


async def test_examples_are_listed_with_how_the_plans_fared_that_used_them():
    past = Past()
    past.plan("first", (1, 0))
    past.plan("second", (0, 1))
    past.plan("third", (3, 1), shown=[follow("first"), avoid("second")])
    past.plan("fourth", (0, 4), shown=[follow("first")])
    past.plan("fifth", None, shown=[follow("first"), avoid("never-heard-of")])

    examples = (await past.learning().report.evaluated()).examples

    assert [one.feedback_id for one in examples] == ["first", "second"]
    first, second = examples
    assert first.issue == "Issue of first"
    assert (first.use.followed, first.use.avoided, first.use.rate.plans) == (3, 0, 2)
    assert first.use.rate.approval_rate == 3 / 8
    assert first.use.average_reward == pytest.approx(0.375)
    assert (second.use.followed, second.use.avoided, second.use.rate.plans) == (0, 1, 1)


async def test_a_figure_is_counted_anew_once_something_was_decided():
    past = Past()
    past.plan("a", None)
    store = FeedbackInMemory(past.events)
    report = FeedbackReport(learning_on(store).ledger)
    before, again = await report.evaluated(), await report.evaluated()

    await store.append([decided("a", (1, 0), MONDAY)])

    assert again is before
    assert (await report.evaluated()).evaluation.rates.total.plans == 1


async def test_what_took_long_is_not_counted_again_at_once():
    """The clock says that each evaluation takes two seconds."""
    past = Past()
    past.plan("a", None)
    store = FeedbackInMemory(past.events)
    ticks = iter([0.0, 2.0, 21.9, 22.0, 22.0, 24.0])
    evaluator = Evaluator(learning_on(store).ledger, lambda: next(ticks))
    before = await evaluator.evaluated()
    await store.append([decided("a", (1, 0), MONDAY)])

    early: Evaluated = await evaluator.evaluated()
    late = await evaluator.evaluated()

    assert early is before
    assert late.evaluation.rates.total.plans == 1


async def test_a_plan_takes_few_bytes_whatever_is_counted_of_it():
    past = Past()
    past.plan("a", (3, 1), is_held_out=False, shown=[follow(f"e{n}") for n in range(4)])
    (record,) = await past.learning().records()
    entries = Entries()

    tracemalloc.start()
    for number in range(PLANS):
        entries.put(number, replace(record, workflow_id=f"w{number}"))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken / PLANS < 200


async def test_a_copy_stays_as_it_is():
    past = Past()
    past.plan("a", (1, 0), is_held_out=False, shown=[follow("b")])
    (record,) = await past.learning().records()
    entries = Entries()
    entries.put(0, record)
    copied = entries.copy()

    entries.put(0, replace(record, approved_count=7, shown=(), is_held_out=True))
    entries.put(1, replace(record, signature=Signature(failure_mode="another")))

    assert (len(copied), [*copied.approved], [*copied.is_held_out]) == (1, [1], [0])
    assert len([*copied.shown.of(0)]) == 1
    assert copied.mode_names.all() == ["oom_killed"]


def test_names_over_the_limit_share_one():
    names = Names()
    for number in range(NAMES_LIMIT + 2):
        names.number(f"mode-{number}")

    assert names.number("mode-0") == 0
    assert names.number("mode-yet-another") == names.number(OTHER) == NAMES_LIMIT
    assert len(names.all()) == NAMES_LIMIT + 1


def test_what_a_plan_was_shown_is_replaced_by_what_it_was_shown_later():
    shown = Shown(Hashes())
    for _ in range(2):
        shown.append()
    shown.put(0, [follow("a")])
    shown.put(1, [follow("b")])
    shown.put(0, [avoid("c"), follow("d")])

    copied = shown.copy()
    shown.put(0, [])

    assert [is_avoided for _, is_avoided in copied.of(0)] == [True, False]
    assert [*shown.of(0)] == []
    assert [*shown.of(1)] == [*copied.of(1)]
    assert len(copied.most_used(10)) == 3
