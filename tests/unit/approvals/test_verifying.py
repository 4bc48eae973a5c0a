"""An outcome follows from facts, and never says more than they do."""

import pytest
from pydantic import JsonValue

from app.approvals.verifying import Pace, recovery_of
from app.approvals.watching import error_patterns
from app.domain.proof import Fact
from tests.fakes.approvals import approval


def facts(**holds: bool | None) -> list[Fact]:
    return [
        Fact(reference="shop/deployment/checkout", name=name.replace("_", " "), holds=each)
        for name, each in holds.items()
    ]


@pytest.mark.parametrize(
    ("found", "recovery"),
    [
        (facts(rollout_complete=True, no_restarts=True), "recovered"),
        (facts(rollout_complete=True, no_restarts=None), "unknown"),
        (facts(rollout_complete=True, error_gone=False), "not_recovered"),
        (facts(rollout_complete=None, error_gone=False), "not_recovered"),
        (facts(check=True), "recovered"),
        (facts(is_there=True), "unknown"),
        (facts(is_gone=True, rollout_complete=True), "recovered"),
        (facts(is_gone=False), "not_recovered"),
        ([], "unknown"),
    ],
)
def test_everything_known_must_hold_and_something_must_tell_of_health(
    found: list[Fact], recovery: str
):
    assert recovery_of(found) == recovery


def test_patterns_are_the_proposers_and_bounded():
    pending = approval("one")
    listed: list[JsonValue] = [
        "refused by orders-db",
        "",
        " ",
        7,
        *(f"pattern {number}" for number in range(20)),
    ]
    proposed = type(pending)(
        pending.approval_id,
        pending.action,
        pending.commands,
        {"error_patterns": listed},
        pending.proposed_at,
    )

    assert error_patterns(pending) == ()
    assert error_patterns(proposed)[:2] == ("refused by orders-db", "pattern 0")
    assert len(error_patterns(proposed)) == 10


def test_looks_are_a_few_seconds_apart_whatever_the_time_limit():
    assert [Pace(15, limit).pause_seconds for limit in (300, 30, 1)] == [5.0, 3.0, 0.2]
