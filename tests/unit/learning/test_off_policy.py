"""Off-policy estimates: worked examples, and that they find the truth that was never run."""

import random
from statistics import fmean

import pytest

from app.learning.off_policy import OffPolicy, evaluate_policies
from app.learning.trials import Trial

SHARE = 0.2


def recorded(seed: int, workflows: int) -> list[Trial]:
    """Guided plans give 0.9 and 0.5 in two contexts, held-out ones 0.4 and 0.2."""
    chance = random.Random(seed)
    rates = {(False, 0): 0.9, (False, 1): 0.5, (True, 0): 0.4, (True, 1): 0.2}
    trials: list[Trial] = []
    for _ in range(workflows):
        arm, context = chance.random() < SHARE, int(chance.random() < 0.25)
        value = float(chance.random() < rates[arm, context])
        trials.append(Trial(arm, SHARE, value, context))
    return trials


def estimates(found: OffPolicy) -> tuple[float, float, float, float]:
    """Self-normalised and doubly robust of the guided policy, then of the other."""
    values = []
    for policy in (found.guided, found.held_out):
        assert policy.self_normalised is not None
        assert policy.doubly_robust is not None
        values += [policy.self_normalised.value, policy.doubly_robust.value]
    return values[0], values[1], values[2], values[3]


def test_weights_by_hand():
    one = [Trial(False, 0.5, 1.0), Trial(False, 0.2, 0.0), Trial(True, 0.2, 0.5)]
    found = evaluate_policies(one * 10)

    # Guided: weights 1/0.5 = 2 and 1/0.8 = 1.25, values 1 and 0, ten times.
    guided = found.guided
    assert guided.matching == 20
    assert guided.effective_sample_size == pytest.approx(10 * 3.25**2 / (4 + 1.5625))
    assert guided.self_normalised is not None
    value = 2 / 3.25
    assert guided.self_normalised.value == pytest.approx(value)
    error = (10 * (4 * (1 - value) ** 2 + 1.5625 * value**2)) ** 0.5 / 32.5
    assert guided.self_normalised.interval is not None
    assert guided.self_normalised.interval.low == pytest.approx(value - 1.96 * error, abs=1e-4)
    assert found.held_out.self_normalised is not None
    assert found.held_out.self_normalised.value == 0.5
    assert found.held_out.effective_sample_size == pytest.approx(10.0)


@pytest.mark.parametrize("workflows", [1, 2, 9])
def test_an_effective_sample_that_is_too_small_has_values_and_no_intervals(workflows: int):
    found = evaluate_policies([Trial(False, 0.1, 0.875)] * workflows).guided

    assert found.effective_sample_size == pytest.approx(workflows)
    assert found.self_normalised is not None
    assert found.doubly_robust is not None
    assert found.self_normalised.value == pytest.approx(0.875)
    assert (found.self_normalised.interval, found.doubly_robust.interval) == (None, None)


@pytest.mark.parametrize("value", [0.0, 0.875, 1.0])
def test_workflows_that_all_fared_alike_do_not_make_it_certain(value: float):
    found = evaluate_policies([Trial(False, 0.1, value)] * 30).guided

    assert found.self_normalised is not None
    interval = found.self_normalised.interval
    assert interval is not None
    assert interval.low <= value <= interval.high
    assert interval.high - interval.low > 0.1


def test_a_doubly_robust_score_by_hand():
    found = evaluate_policies([Trial(False, 0.2, 1.0)])

    # 0.5 was expected; the guided arm gave 0.5 more, with a probability of 0.8.
    assert found.guided.doubly_robust is not None
    assert found.guided.doubly_robust.value == 1.0
    assert found.held_out.doubly_robust is None
    assert found.held_out.effective_sample_size == 0.0


def test_equal_weights_are_worth_their_number():
    found = evaluate_policies(recorded(1, 500))

    assert found.guided.effective_sample_size == pytest.approx(found.guided.matching)
    assert found.guided.matching + found.held_out.matching == found.workflows == 500


def test_both_policies_are_found_from_the_mixture_that_was_run():
    found = estimates(evaluate_policies(recorded(2, 20_000)))

    assert found[:2] == pytest.approx((0.8, 0.8), abs=0.02)
    assert found[2:] == pytest.approx((0.35, 0.35), abs=0.03)


def test_the_intervals_hold_the_truth_about_as_often_as_they_say():
    hits = []
    for seed in range(200):
        found = evaluate_policies(recorded(seed, 600))
        for policy, truth in ((found.guided, 0.8), (found.held_out, 0.35)):
            for estimate in (policy.self_normalised, policy.doubly_robust):
                assert estimate is not None
                assert estimate.interval is not None
                hits.append(estimate.interval.low <= truth <= estimate.interval.high)

    assert 0.92 < fmean(hits) < 0.98


def test_knowing_the_context_makes_the_doubly_robust_interval_narrower():
    found = evaluate_policies(recorded(3, 5000)).held_out

    assert found.doubly_robust is not None
    assert found.self_normalised is not None
    assert found.doubly_robust.interval is not None
    assert found.self_normalised.interval is not None
    widths = [
        one.high - one.low for one in (found.doubly_robust.interval, found.self_normalised.interval)
    ]
    assert widths[0] < widths[1]


def test_without_records_nothing_is_claimed():
    found = evaluate_policies([])

    assert found.workflows == 0
    assert found.guided.self_normalised is None
