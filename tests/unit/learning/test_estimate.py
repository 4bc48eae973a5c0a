"""The estimator's worked examples: every number can be counted again by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.approval import CommandDecision, CommandVerdict, Decision
from app.domain.course import Decided
from app.domain.feedback import Environment, FeedbackRecord, Proposed, Signature
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.actions import planned_command
from app.learning.cases import NEAREST, CaseIndex
from app.learning.estimate import OPTIMISM, estimates, scoreboard
from app.learning.selector import NOTHING_GOOD, choose
from tests.fakes.feedback import RESTART, UNDO, folded

START = datetime(2030, 1, 1, tzinfo=UTC)
SIGNATURE = Signature(
    tokens=("memory", "limit"),
    failure_mode="oom_killed",
    environment=Environment.PRODUCTION,
    kind="deployment",
)


def decided(
    number: int,
    command: str,
    decision: CommandDecision,
    reviewer: str | None = None,
    *,
    signature: Signature = SIGNATURE,
) -> FeedbackRecord:
    """A plan of one command for the same failure each time unless told, an hour apart."""
    feedback_id = FeedbackId(f"f{number}")
    at = START + timedelta(hours=number)
    is_approved = decision is CommandDecision.APPROVED
    (record,) = folded(
        [
            Proposed(
                id=f"p{number}",
                ts=at,
                feedback_id=feedback_id,
                workflow_id="w",
                signature=signature,
                commands=(planned_command(command),),
            ),
            Decided(
                id=f"d{number}",
                ts=at,
                approval_id=ApprovalId(f"a{number}"),
                feedback_id=feedback_id,
                decision=Decision.APPROVED if is_approved else Decision.REJECTED,
                commands=(CommandVerdict(command=command, decision=decision),),
                reviewer=reviewer,
            ),
        ]
    )
    return record


def index_of(*records: FeedbackRecord) -> CaseIndex:
    index = CaseIndex()
    for number, record in enumerate(records):
        index.update(number, record)
    return index


def scores(
    index: CaseIndex, optimism: float = 0.0, signature: Signature = SIGNATURE
) -> dict[str, float]:
    found = estimates(signature, index.nearest(signature), index)
    return {line.action: line.score for line in scoreboard(found, optimism)}


APPROVED, REJECTED = CommandDecision.APPROVED, CommandDecision.REJECTED
DELETE = "kubectl delete pod checkout-1 -n shop"
RESTARTED, UNDONE, DELETED = (planned_command(text).action for text in (RESTART, UNDO, DELETE))


def test_one_approval_raises_the_prior_level_by_level():
    index = index_of(decided(1, RESTART, APPROVED))

    # In production (2 x .5 + 1) / 3, on such failures (2 x .667 + 1) / 3, here (.5 x .778 + 1) / 1.5.
    assert scores(index)[RESTARTED] == pytest.approx(25 / 27)


def test_only_what_was_decided_in_like_circumstances_is_told_as_if_from_here():
    elsewhere = replace(SIGNATURE, environment=Environment.DEVELOPMENT)
    index = index_of(
        decided(1, RESTART, REJECTED),
        *(decided(number, RESTART, APPROVED, signature=elsewhere) for number in range(2, 6)),
    )

    (line,) = scoreboard(estimates(SIGNATURE, index.nearest(SIGNATURE), index))

    assert (line.approved, line.rejected) == (0, 1)


def test_one_rejection_lowers_it_as_much():
    assert scores(index_of(decided(1, RESTART, REJECTED)))[RESTARTED] == pytest.approx(2 / 27)


def test_a_newer_word_on_the_same_counts_more_than_an_older_one():
    index = index_of(decided(1, RESTART, APPROVED), decided(2, RESTART, REJECTED))

    # Its weight is .9 by age, and .988 for the doubt whether people still think so.
    approval = 0.9 * (119 / 720) / (119 / 720 + 1 / 480)
    # .5 in production, then on such failures, then here.
    anywhere = (2 * 0.5 + approval) / (2 + 1 + approval)
    here = (0.5 * anywhere + approval) / (0.5 + 1 + approval)
    assert scores(index)[RESTARTED] == pytest.approx(here)
    assert here < 0.5


def test_what_is_less_known_gets_the_larger_bonus():
    often = [decided(number, RESTART, APPROVED) for number in range(1, 9)]
    index = index_of(*often, decided(9, UNDO, APPROVED))

    plain, hopeful = scores(index), scores(index, OPTIMISM)

    assert hopeful[UNDONE] - plain[UNDONE] > hopeful[RESTARTED] - plain[RESTARTED] > 0
    # A tenth of a Beta's deviation: the mean 25/27, its weight .5 + 1.
    assert hopeful[UNDONE] - plain[UNDONE] == pytest.approx(0.1 * (50 / 729 / 2.5) ** 0.5)


def test_the_bonus_never_outweighs_what_people_said():
    index = index_of(decided(1, RESTART, APPROVED), decided(2, UNDO, REJECTED))

    assert [*scores(index, OPTIMISM)] == [RESTARTED, UNDONE]


def test_where_nothing_may_be_tried_out_nothing_else_is_asked_for():
    index = index_of(decided(1, RESTART, REJECTED))

    assert choose([SIGNATURE], index).note == NOTHING_GOOD
    assert choose([SIGNATURE], index, optimism=0.0).note == ""


def test_who_contradicts_everybody_does_not_move_a_score():
    words = [(RESTART, APPROVED), (UNDO, REJECTED)] * 6
    team = [
        decided(12 * place + number, command, decision, reviewer)
        for place, reviewer in enumerate(("Ada", "Ben", "Cem"))
        for number, (command, decision) in enumerate(words)
    ]
    opposite = [
        decided(100 + number, command, REJECTED if decision is APPROVED else APPROVED, "Mallory")
        for number, (command, decision) in enumerate(words)
    ]

    before, after = scores(index_of(*team)), scores(index_of(*team, *opposite))

    assert before[RESTARTED] > 0.9
    assert after[RESTARTED] > 0.85
    assert after[UNDONE] < 0.15


def test_of_equally_similar_cases_the_newest_count():
    old = [decided(number, RESTART, APPROVED) for number in range(2 * NEAREST)]
    new = [decided(number, RESTART, REJECTED) for number in range(2 * NEAREST, 3 * NEAREST)]

    found = index_of(*old, *new).nearest(SIGNATURE)

    assert {neighbour.case.judgement.rejected for neighbour in found} == {(RESTARTED,)}


def test_rejections_in_a_row_make_earlier_approvals_count_less_than_their_age_alone():
    before = [decided(number, RESTART, APPROVED) for number in range(10)]
    lately = [decided(number, RESTART, REJECTED) for number in range(10, 13)]

    found = scores(index_of(*before, *lately))

    # By age alone, 3 rejections of weight 2.71 against 10 approvals of weight 4.75 leave .64.
    assert found[RESTARTED] < 0.5


def test_one_rejection_among_approvals_is_taken_for_chance():
    before = [decided(number, RESTART, APPROVED) for number in range(10)]

    found = scores(index_of(*before, decided(10, RESTART, REJECTED)))

    assert found[RESTARTED] > 0.75


def test_after_a_change_of_mind_what_was_refused_before_is_open_again():
    refused = [decided(number, UNDO, REJECTED) for number in range(4)]
    approved = [decided(number, RESTART, APPROVED) for number in range(4, 14)]
    lately = [decided(number, RESTART, REJECTED) for number in range(14, 19)]

    before = scores(index_of(*refused, *approved))[UNDONE]
    after = scores(index_of(*refused, *approved, *lately))[UNDONE]

    assert after > before + 0.05


def test_where_something_good_is_known_nothing_else_gets_a_bonus():
    index = index_of(decided(1, RESTART, APPROVED), decided(2, UNDO, REJECTED))

    found = choose([SIGNATURE], index)

    assert {line.action: line.score for line in found.scoreboard} == scores(index)
    assert found.note == ""


def test_what_was_just_rejected_goes_behind_the_rest():
    doubtful = [decided(1, UNDO, REJECTED), decided(2, UNDO, APPROVED)]
    approved = [decided(number, RESTART, APPROVED) for number in range(3, 5)]
    index = index_of(*doubtful, *approved, decided(9, RESTART, REJECTED))

    found = choose([SIGNATURE], index)

    assert scores(index)[RESTARTED] > scores(index)[UNDONE]
    assert [(line.action, line.is_put_down) for line in found.scoreboard] == [
        (UNDONE, False),
        (RESTARTED, True),
    ]
    assert [action for action, _ in found.just_rejected] == [RESTARTED]


def test_a_long_record_outlasts_one_rejection():
    approved = [decided(number, RESTART, APPROVED) for number in range(10)]
    index = index_of(*approved, decided(10, RESTART, REJECTED))

    found = choose([SIGNATURE], index)

    # It is marked all the same, so that a plan says why.
    assert [line.is_put_down for line in found.scoreboard] == [False]
    assert [action for action, _ in found.just_rejected] == [RESTARTED]


def test_a_rejection_before_the_last_decision_is_a_matter_of_the_score_alone():
    approved = [decided(number, RESTART, APPROVED) for number in range(2)]
    index = index_of(*approved, decided(10, RESTART, REJECTED), decided(11, UNDO, APPROVED))

    found = choose([SIGNATURE], index)

    assert found.just_rejected == ()
    assert {line.action: line.score for line in found.scoreboard} == scores(index)


def test_a_few_decisions_from_just_here_outweigh_dozens_from_elsewhere():
    elsewhere = replace(SIGNATURE, environment=Environment.DEVELOPMENT)
    index = index_of(
        *(decided(number, RESTART, REJECTED) for number in range(3)),
        *(decided(number, RESTART, APPROVED, signature=elsewhere) for number in range(3, 43)),
    )

    assert scores(index)[RESTARTED] < 0.5


def test_what_was_said_on_a_workload_carries_over_to_another_kind_of_it():
    stateful = replace(SIGNATURE, kind="statefulset")
    index = index_of(decided(1, RESTART, APPROVED), decided(2, DELETE, REJECTED))

    found = scores(index, signature=stateful)

    assert found.keys() == {"rollout restart/statefulset", DELETED}
    assert found["rollout restart/statefulset"] > 0.5 > found[DELETED]


def test_what_a_team_allows_is_counted_apart_for_workloads_that_keep_data():
    stateful = replace(SIGNATURE, kind="statefulset", failure_mode="other", tokens=("other",))
    index = index_of(
        decided(1, DELETE, APPROVED),
        *(decided(number, DELETE, REJECTED, signature=stateful) for number in range(2, 9)),
    )

    # As if no other failure had been decided: the rejections are about stateful workloads.
    assert scores(index)[DELETED] == pytest.approx(25 / 27)
