"""The lift as a sentence that claims no more than the interval does, and what is meant by it (pure)."""

from app.domain.words import counted
from app.learning.intervals import Interval
from app.learning.lift import LEAST_WORKFLOWS, Lift, Verdict

CLOSE = 0.05
"""A difference that is surely smaller than this is called none, in the measure's own unit."""


def sentence_of(lift: Lift, measure: str) -> str:
    """What is known of the difference in `measure`, such as `approval`."""
    if not lift.workflows:
        return "No workflow was decided yet that could have been held out: nothing can be told."
    workflows = counted(lift.workflows, "workflow")
    if lift.plain_difference is None:
        missing = "guided" if lift.held_out.workflows else "held out"
        return f"{workflows} decided and none of them {missing}: nothing can be told yet."
    sides = f"{workflows} ({lift.held_out.workflows} held out)"
    if lift.interval is None:
        return f"{sides} are too few to tell anything yet."
    if lift.verdict is Verdict.UNDECIDED:
        return _doubt(lift.interval, sides, measure)
    return f"{_claim(lift, measure)} Measured on {sides}; it holds however often one looks."


def explanation_of(lift: Lift) -> str:
    """What the difference is, beside the one that the averages have; nothing without both."""
    if lift.plain_difference is None:
        return ""
    plain = _signed(lift.plain_difference)
    if lift.difference is None:
        return (
            f"Nothing is claimed before each group has {LEAST_WORKFLOWS} decided workflows; the "
            f"plain difference of the two averages is {plain} points."
        )
    return (
        f"The difference, {_signed(lift.difference)} points, is adjusted for which incidents each "
        f"group happened to get; that of the two plain averages is {plain} points."
    )


def _doubt(interval: Interval, sides: str, measure: str) -> str:
    low, high = interval.low, interval.high
    if low <= -1 and high >= 1:
        return f"{sides} are too few to tell anything."
    if max(-low, high) <= CLOSE:
        return f"After {sides} {measure} differs by less than {_points(CLOSE)}, if at all."
    return (
        f"{sides} are too few to tell: what was learned changes {measure} by something between "
        f"{_signed(low)} and {_signed(high)} points."
    )


def _claim(lift: Lift, measure: str) -> str:
    assert lift.difference is not None
    assert lift.interval is not None
    ends = sorted((abs(lift.interval.low), abs(lift.interval.high)))
    verb = "raises" if lift.verdict is Verdict.BETTER else "lowers"
    return (
        f"What was learned {verb} {measure} by {_points(abs(lift.difference))} "
        f"(95 %: {round(100 * ends[0])} to {round(100 * ends[1])})."
    )


def _points(difference: float) -> str:
    """Percentage points."""
    return f"{round(100 * difference)} points"


def _signed(difference: float) -> str:
    """Percentage points, with a minus that is as wide as the plus."""
    points = round(100 * difference)
    return f"{points:+d}".replace("-", "\N{MINUS SIGN}") if points else "0"
