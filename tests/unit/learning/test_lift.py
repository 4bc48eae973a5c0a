"""The lift: worked examples, and that nobody finds one by looking often."""

import random
from collections.abc import Iterator
from dataclasses import replace
from math import exp, log, sqrt
from statistics import fmean

import pytest

from app.learning.anytime import anytime_radius
from app.learning.intervals import Z_95
from app.learning.lift import Comparison, Verdict, lift_of
from app.learning.trials import Trial, expected

SHARE = 0.1
WORLDS = 150
WORKFLOWS = 1500
LOOK_EVERY = 30


def world(
    seed: int, guided: float, held_out: float, share: float = SHARE, workflows: int = WORKFLOWS
) -> list[Trial]:
    """Workflows whose single plan is approved or not, easier in one context than in another."""
    chance = random.Random(seed)
    trials: list[Trial] = []
    for _ in range(workflows):
        context = chance.randrange(3)
        is_held_out = chance.random() < share
        rate = (held_out if is_held_out else guided) + (context - 1) * 0.15
        trials.append(Trial(is_held_out, share, float(chance.random() < rate), context))
    return trials


def looks(trials: list[Trial]) -> Iterator[tuple[int, Comparison]]:
    """How many trials there are at every look, and the comparison so far."""
    comparison = Comparison()
    for number, one in enumerate(expected(trials), 1):
        comparison.add(one)
        if number % LOOK_EVERY == 0:
            yield number, comparison


def ordinary_interval_excludes_zero(so_far: Comparison) -> bool:
    """The usual 95 % interval of a difference of two shares, as after one look."""
    if min(so_far.counts) < 2:
        return False
    shares = [total / count for total, count in zip(so_far.totals, so_far.counts, strict=True)]
    errors = [
        share * (1 - share) / count for share, count in zip(shares, so_far.counts, strict=True)
    ]
    return abs(shares[0] - shares[1]) > Z_95 * sqrt(sum(errors))


def test_the_radius_solves_the_mixtures_equation():
    radius = anytime_radius(400.0, 10.0)

    rates = [0.9 * 0.75**step / 10 for step in range(20)]
    mixture = fmean(
        exp(rate * radius - 400 * (-log(1 - 10 * rate) - 10 * rate) / 100) for rate in rates
    )
    assert mixture == pytest.approx(2 / 0.05, rel=1e-6)


def test_the_radius_goes_with_the_unit_and_grows_with_the_variation():
    assert anytime_radius(400.0, 10.0) == pytest.approx(10 * anytime_radius(4.0, 1.0))
    assert anytime_radius(400.0, 10.0) < anytime_radius(800.0, 10.0)
    assert anytime_radius(400.0, 10.0, alpha=0.05) < anytime_radius(400.0, 10.0, alpha=0.01)


def test_two_trials_by_hand():
    lift = lift_of([Trial(False, 0.25, 1.0), Trial(True, 0.25, 0.0)])

    # First: both arms are expected to give 0.5; guided gives 1, so 0.5 / 0.75 more: 0.6667.
    # Then: overall (1 + 1)/3 = 2/3, guided arm (2·2/3 + 1)/3 = 7/9, in its context (14/9 + 1)/3
    # = 23/27; the holdout still 2/3, and 0 came: 23/27 - 2/3 + (2/3)/0.25 = 2.8519.
    assert lift.plain_difference == 1.0
    assert (lift.guided.mean, lift.held_out.mean) == (1.0, 0.0)
    comparison = Comparison()
    for one in expected([Trial(False, 0.25, 1.0), Trial(True, 0.25, 0.0)]):
        comparison.add(one)
    assert comparison.score == pytest.approx(0.5 / 0.75 + 23 / 27 - 2 / 3 + 2 / 3 / 0.25)
    assert comparison.variation == pytest.approx((0.5 / 0.75) ** 2 + (2 / 3 / 0.25) ** 2)
    assert comparison.scale == 4.0


def test_with_one_arm_alone_nothing_is_claimed():
    lift = lift_of([Trial(False, 0.1, 1.0)] * 50)

    assert (lift.difference, lift.interval) == (None, None)
    assert lift.verdict is Verdict.UNDECIDED
    assert (lift.workflows, lift.held_out.workflows) == (50, 0)


def test_ten_workflows_are_too_few_to_tell():
    lift = lift_of(world(1, 0.8, 0.3, share=0.5, workflows=10))

    assert (lift.difference, lift.interval) == (None, None)
    assert lift.verdict is Verdict.UNDECIDED


def test_few_workflows_of_which_all_fared_alike_have_no_difference_that_their_means_have_not():
    """The adjusted estimate alone, made of guesses that start at a half, would be some points."""
    trials = [Trial(number % 4 == 0, 0.25, 0.875, number % 3) for number in range(16)]

    lift = lift_of(trials)

    assert abs(sum(one.guided_score - one.held_out_score for one in expected(trials))) / 16 > 0.01
    assert (lift.guided.mean, lift.held_out.mean) == (0.875, 0.875)
    assert (lift.plain_difference, lift.difference, lift.interval) == (0.0, None, None)


def test_the_interval_of_forty_workflows_still_leaves_it_open():
    lift = lift_of(world(1, 0.8, 0.3, share=0.5, workflows=40))

    assert lift.interval is not None
    assert lift.interval.low < 0 < lift.interval.high
    assert lift.verdict is Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("guided", "held_out", "verdict"), [(0.8, 0.4, Verdict.BETTER), (0.4, 0.8, Verdict.WORSE)]
)
def test_a_large_difference_is_found_with_one_workflow_in_ten_held_out(
    guided: float, held_out: float, verdict: Verdict
):
    lift = lift_of(world(2, guided, held_out))

    assert lift.verdict is verdict
    assert lift.difference == pytest.approx(guided - held_out, abs=0.1)


def test_a_share_that_was_changed_on_the_way_is_weighed_as_it_was():
    first, later = world(3, 0.8, 0.4, share=0.5), world(4, 0.8, 0.4, share=0.1)

    lift = lift_of([*first, *later])

    # Plain means would mix an early holdout with late guidance; the weights do not.
    assert lift.difference == pytest.approx(0.4, abs=0.06)


def test_peeking_finds_differences_that_are_not_there_only_with_ordinary_intervals():
    """The seeds are fixed: 150 worlds without a difference, looked at 50 times each."""
    ordinary = anytime = 0
    for seed in range(WORLDS):
        alarms = [
            (
                ordinary_interval_excludes_zero(so_far),
                so_far.lift().verdict is not Verdict.UNDECIDED,
            )
            for _, so_far in looks(world(seed, 0.6, 0.6))
        ]
        ordinary += any(alarm for alarm, _ in alarms)
        anytime += any(alarm for _, alarm in alarms)

    assert ordinary / WORLDS > 0.25
    assert anytime / WORLDS <= 0.05


def test_the_interval_holds_the_truth_while_learning_makes_the_difference_grow():
    """The truth is the average difference so far, and has to be inside at every look."""
    missed = 0
    for seed in range(40):
        chance = random.Random(seed)
        trials, truths = [], []
        for number in range(WORKFLOWS):
            gain = 0.4 * number / WORKFLOWS
            is_held_out = chance.random() < SHARE
            rate = 0.4 if is_held_out else 0.4 + gain
            trials.append(Trial(is_held_out, SHARE, float(chance.random() < rate)))
            truths.append(gain)
        for seen, comparison in looks(trials):
            interval = comparison.lift().interval
            truth = fmean(truths[:seen])
            if interval is not None and not interval.low <= truth <= interval.high:
                missed += 1
                break

    assert missed / 40 <= 0.05


def test_what_is_known_of_the_context_makes_the_interval_narrower():
    chance = random.Random(5)
    trials = [
        Trial(chance.random() < SHARE, SHARE, (0.2, 0.9)[context], context)
        for context in (number % 2 for number in range(WORKFLOWS))
    ]
    told = lift_of(trials).interval
    untold = lift_of(replace(trial, context=0) for trial in trials).interval

    assert told is not None
    assert untold is not None
    assert told.high - told.low < untold.high - untold.low
