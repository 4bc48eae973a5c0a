"""Intervals at one look: worked examples, and what commands of one plan are worth."""

import pytest

from app.learning.intervals import CommandTally, Interval, wilson


def tally(*plans: tuple[int, int]) -> CommandTally:
    """Of plans given as approved and rejected commands."""
    counted = CommandTally()
    for approved, rejected in plans:
        counted.add(approved, rejected)
    return counted


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_wilsons_interval_is_the_published_one():
    # Newcombe, Statistics in Medicine 17 (1998) 857, table I, method 3.
    assert ends(wilson(81 / 263, 263)) == pytest.approx((0.2553, 0.3662), abs=5e-4)
    assert ends(wilson(15 / 148, 148)) == pytest.approx((0.0624, 0.1605), abs=5e-4)
    assert ends(wilson(0 / 20, 20)) == pytest.approx((0.0000, 0.1611), abs=5e-4)
    assert ends(wilson(1 / 29, 29)) == pytest.approx((0.0061, 0.1718), abs=5e-4)


def test_without_trials_everything_is_possible():
    assert wilson(0.0, 0) == Interval(0.0, 1.0)
    assert tally().interval == Interval(0.0, 1.0)


def test_plans_of_one_command_each_are_independent():
    counted = tally(*[(1, 0)] * 15, *[(0, 1)] * 5)

    # 20/19: the sample's own spread is used.
    assert counted.effective == pytest.approx(19.0)
    assert counted.interval == wilson(0.75, counted.effective)


def test_ten_commands_decided_alike_in_each_plan_count_as_one():
    counted = tally(*[(10, 0)] * 15, *[(0, 10)] * 5)

    assert counted.rate == 0.75
    assert counted.effective == pytest.approx(19.0)


def test_commands_that_were_decided_evenly_are_not_worth_more_than_they_are():
    counted = tally(*[(3, 1)] * 10)

    assert counted.effective == 40


def test_where_nothing_was_rejected_a_plan_counts_as_one():
    assert tally((9, 0), (6, 0)).effective == 2
    assert tally((9, 0), (6, 0)).interval.low == pytest.approx(wilson(1.0, 2).low)


def test_tallies_merge_into_what_they_would_be_together():
    first, second = tally((3, 1), (0, 2)), tally((5, 0))

    first.merge(second)

    assert first == tally((3, 1), (0, 2), (5, 0))
