"""An approval's states and what they count for."""

import pytest

from app.domain.approval import Decision
from app.domain.errors import Conflict
from app.domain.review_moves import COMMAND_MOVES, CommandStatus
from tests.fakes.approvals import NOON, SCALE, approval, command


def test_refused_commands_of_an_approved_request_fail_and_count_as_rejected():
    decided = approval("one", command(), command(SCALE, is_refused=True)).decide(
        Decision.APPROVED, "Ada", None, NOON
    )

    assert [one.status for one in decided.commands] == ["waiting", "failed"]
    assert decided.commands[1].output == "refused by policy: data can be lost"
    assert (decided.approved_count, decided.rejected_count) == (1, 1)
    assert not decided.is_settled


def test_a_rejected_request_is_settled_and_all_of_it_counts_as_rejected():
    decided = approval("one", command(), command(SCALE, is_refused=True)).decide(
        Decision.REJECTED, None, None, NOON
    )

    assert decided.reason == "Rejected by user"
    assert (decided.approved_count, decided.rejected_count) == (0, 2)
    assert decided.is_settled


def test_nothing_is_counted_before_the_decision():
    assert (approval().approved_count, approval().rejected_count) == (0, 0)
    assert not approval().is_settled


def test_without_a_cluster_approved_commands_are_recorded_and_refused_ones_stay_failed():
    decided = (
        approval("one", command(), command(SCALE, is_refused=True))
        .decide(Decision.APPROVED, None, None, NOON)
        .without_cluster()
    )

    assert [one.status for one in decided.commands] == ["recorded", "failed"]
    assert decided.is_settled


def test_a_decision_is_for_good():
    decided = approval().decide(Decision.REJECTED, None, "no", NOON)

    with pytest.raises(Conflict):
        decided.decide(Decision.APPROVED, None, None, NOON)


def test_every_command_status_has_its_moves_and_nothing_runs_twice():
    assert set(COMMAND_MOVES) == set(CommandStatus)
    assert CommandStatus.EXECUTING not in COMMAND_MOVES[CommandStatus.UNKNOWN]
    with pytest.raises(Conflict):
        command().move(CommandStatus.SUCCEEDED)
