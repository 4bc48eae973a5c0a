"""The sentence about the lift claims no more than the interval does."""

from app.learning.intervals import Interval
from app.learning.lift import Arm, Lift
from app.learning.lift_words import explanation_of, sentence_of


def lift(difference: float, low: float, high: float) -> Lift:
    return Lift(Arm(90, 0.8), Arm(10, 0.5), difference, Interval(low, high))


def test_a_sure_gain_is_called_one():
    assert sentence_of(lift(0.3, 0.12, 0.48), "approval") == (
        "What was learned raises approval by 30 points (95 %: 12 to 48). "
        "Measured on 100 workflows (10 held out); it holds however often one looks."
    )


def test_a_sure_loss_is_called_one():
    sentence = sentence_of(lift(-0.3, -0.48, -0.12), "the reward")

    assert sentence.startswith("What was learned lowers the reward by 30 points (95 %: 12 to 48).")


def test_a_wide_interval_is_too_few_to_tell():
    assert sentence_of(lift(0.3, -0.2, 0.8), "approval") == (
        "100 workflows (10 held out) are too few to tell: what was learned changes approval by "
        "something between \N{MINUS SIGN}20 and +80 points."
    )


def test_an_interval_of_everything_is_not_read_out():
    sentence = sentence_of(lift(0.4, -1.0, 1.0), "approval")

    assert sentence == "100 workflows (10 held out) are too few to tell anything."


def test_a_narrow_interval_around_nothing_is_no_difference():
    assert sentence_of(lift(0.0, -0.04, 0.03), "approval") == (
        "After 100 workflows (10 held out) approval differs by less than 5 points, if at all."
    )


def test_one_side_alone_tells_nothing():
    found = Lift(Arm(7, 0.8), Arm(0, None), None, None)

    assert sentence_of(found, "approval") == (
        "7 workflows decided and none of them held out: nothing can be told yet."
    )


def test_without_the_experiment_nothing_is_told():
    assert "nothing can be told" in sentence_of(
        Lift(Arm(0, None), Arm(0, None), None, None), "approval"
    )


def test_the_adjusted_difference_is_told_beside_that_of_the_averages():
    assert explanation_of(lift(0.34, 0.12, 0.48)) == (
        "The difference, +34 points, is adjusted for which incidents each group happened to get; "
        "that of the two plain averages is +30 points."
    )


def test_too_few_workflows_claim_nothing_but_the_averages():
    found = Lift(Arm(14, 0.875), Arm(2, 0.875), None, None)

    assert sentence_of(found, "approval") == (
        "16 workflows (2 held out) are too few to tell anything yet."
    )
    assert explanation_of(found) == (
        "Nothing is claimed before each group has 10 decided workflows; the plain difference of "
        "the two averages is 0 points."
    )


def test_without_both_groups_there_is_nothing_to_explain():
    assert explanation_of(Lift(Arm(7, 0.8), Arm(0, None), None, None)) == ""
