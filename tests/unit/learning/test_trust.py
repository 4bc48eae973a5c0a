"""Trust: who contradicts everybody counts little, who has no chance to agree is believed."""

from random import Random

import pytest

from app.domain.feedback import Environment
from app.learning.trust import FLOOR, LikeCases, ReviewerTrust

Word = tuple[str, int, bool]
"""An action, a reviewer, and whether it was approved."""
GOOD, BAD = ("a", "b", "c", "d"), ("w", "x", "y", "z")
TEAM = range(5)
OTHER = 9


def cases(action: str, quarter: int = 0) -> LikeCases:
    return LikeCases("oom_killed", Environment.PRODUCTION, False, action, quarter)


def everybody_says(reviewers: range = TEAM) -> list[Word]:
    """All of them approve the good actions and reject the bad ones, three times each."""
    said = [(action, one, True) for one in reviewers for action in GOOD]
    said += [(action, one, False) for one in reviewers for action in BAD]
    return said * 3


def counted(words: list[Word]) -> ReviewerTrust:
    trust = ReviewerTrust()
    for action, reviewer, is_approval in words:
        trust.count(cases(action), reviewer, is_approval=is_approval, times=1)
    return trust


def inverted(reviewer: int = OTHER) -> list[Word]:
    return [(action, reviewer, not said) for action, _, said in everybody_says(range(1))]


def stamped(reviewer: int = OTHER) -> list[Word]:
    return [(action, reviewer, True) for action, _, _ in everybody_says(range(1))]


def test_where_all_agree_all_are_trusted():
    trust = counted(everybody_says())

    assert [trust.of(one) for one in TEAM] == [1.0] * 5


def test_a_reviewer_who_says_the_opposite_keeps_the_least_trust_and_costs_nobody_else():
    trust = counted([*everybody_says(), *inverted()])

    assert trust.of(OTHER) == FLOOR
    assert [trust.of(one) for one in TEAM] == [1.0] * 5


def test_a_rubber_stamp_agrees_half_of_the_time_and_is_seen_through():
    trust = counted([*everybody_says(), *stamped()])

    # Twenty-four decisions prove that it follows nobody, up to two standard errors.
    assert trust.of(OTHER) < 0.2
    assert trust.of(0) == 1.0


def test_a_few_contradictions_prove_nothing():
    trust = counted([*everybody_says(), *inverted()[:4]])

    assert trust.of(OTHER) == 1.0


def test_nobody_is_doubted_for_what_only_they_decide():
    alone = [(f"alone{number}", OTHER, False) for number in range(50)]

    assert counted([*everybody_says(), *alone]).of(OTHER) == 1.0


def test_of_two_who_contradict_each_other_both_are_believed():
    trust = counted([*everybody_says(range(1)), *inverted()])

    assert (trust.of(0), trust.of(OTHER)) == (1.0, 1.0)


def test_a_change_of_mind_in_another_quarter_is_no_contradiction():
    trust = counted(everybody_says())
    for action, _, said in inverted():
        trust.count(cases(action, quarter=1), OTHER, is_approval=said, times=1)

    assert trust.of(OTHER) == 1.0


def test_noise_costs_the_honest_next_to_nothing():
    chance = Random(3)
    words = [
        (action, one, said is not (chance.random() < 0.1)) for action, one, said in everybody_says()
    ]

    trust = counted(words)

    assert min(trust.of(one) for one in TEAM) > 0.8


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_decisions_does_not_matter(seed: int):
    words = [*everybody_says(), *inverted(), *stamped(8)]
    shuffled = Random(seed).sample(words, len(words))
    in_order, in_disorder = counted(words), counted(shuffled)

    assert [in_disorder.of(one) for one in range(10)] == [in_order.of(one) for one in range(10)]


@pytest.mark.parametrize("asked_every", [1, 7])
def test_being_asked_in_between_and_taking_back_leave_no_trace(asked_every: int):
    expected = counted(everybody_says())
    trust = ReviewerTrust()
    words = [*inverted(), *everybody_says()]
    for number, (action, reviewer, said) in enumerate(words):
        trust.count(cases(action), reviewer, is_approval=said, times=1)
        if number % asked_every == 0:
            trust.of(reviewer)
    for action, reviewer, said in inverted():
        trust.count(cases(action), reviewer, is_approval=said, times=-1)

    assert [trust.of(one) for one in range(10)] == [expected.of(one) for one in range(10)]
