"""Changes of mind: found where the newer decisions contradict the older ones, not where chance does."""

import pytest

from app.learning.change import Word, validity

YES, NO = Word("restart", 1.0, 0.0), Word("restart", 0.0, 1.0)
OTHER = Word("undo", 0.0, 1.0)


def test_where_nothing_contradicts_everything_counts():
    assert validity([[YES], [OTHER], [YES]]) == [1.0, 1.0, 1.0]


def test_nothing_known_is_no_change():
    assert validity([]) == []


def test_the_example_by_hand():
    # One opinion explains a no after a yes with 1/6, two explain it with 1/2 x 1/2; a change
    # between two cases has 1/120 before looking.
    one, two = 119 / 120 / 6, 1 / 120 / 4

    assert validity([[NO], [YES]]) == pytest.approx([1.0, one / (one + two)])


def test_five_rejections_in_a_row_void_the_approvals_before_them():
    found = validity([[NO]] * 5 + [[YES]] * 10)

    assert min(found[:5]) > 0.9
    # The newest approval may yet have been a slip; the older ones hardly all.
    assert max(found[5:]) < 0.3
    assert max(found[7:]) < 0.15


def test_a_single_slip_voids_nothing():
    found = validity([[YES]] * 5 + [[NO]] + [[YES]] * 5)

    assert min(found) > 0.9


def test_no_case_counts_more_than_a_newer_one():
    found = validity([[NO], [YES], [OTHER, NO], [YES], [YES], [OTHER]])

    assert found == sorted(found, reverse=True)
