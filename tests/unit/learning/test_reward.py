"""The reward, one worked example per rule."""

from itertools import takewhile

import pytest

from app.domain.approval import CommandDecision, CommandVerdict
from app.domain.course import Outcome
from app.domain.feedback import CommandCredit, Rating
from app.learning.actions import planned_command
from app.learning.reward import credits_of, reward
from tests.fakes.servers import REPOSITORY

READ = planned_command("kubectl get pods -n shop")
RESTART = planned_command("kubectl rollout restart deployment/web -n shop")
SCALE = planned_command("kubectl scale deployment/web --replicas=4 -n shop")
UNDO = planned_command("kubectl rollout undo deployment/web -n shop")
NAMED = {"get": READ, "restart": RESTART, "scale": SCALE, "undo": UNDO}
NOTHING_SAID = Rating()


def judged(*verdicts: CommandVerdict) -> tuple[CommandCredit, ...]:
    """What becomes of a read and two changes under some verdicts."""
    said = {verdict.command: verdict for verdict in verdicts}
    return credits_of((READ, RESTART, SCALE), said, None)


def approved(text: str) -> CommandVerdict:
    return CommandVerdict(command=text, decision=CommandDecision.APPROVED)


def rejected(text: str) -> CommandVerdict:
    return CommandVerdict(command=text, decision=CommandDecision.REJECTED)


def edited(text: str, to: str) -> CommandVerdict:
    return CommandVerdict(command=text, decision=CommandDecision.EDITED, edited_to=to)


def examples_of_the_readme() -> list[list[str]]:
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith("| Rule | Said"))
    rows = takewhile(lambda line: line.startswith("|"), lines[begin + 2 :])
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def verdict_of(said: str) -> CommandVerdict:
    """Of `scale changed to undo`."""
    name, decision, *to = said.split()
    if decision == "changed":
        return edited(NAMED[name].command, NAMED[to[-1]].command)
    return CommandVerdict(command=NAMED[name].command, decision=CommandDecision(decision))


@pytest.mark.parametrize(
    ("rule", "said", "outcome", "rating", "expected"), examples_of_the_readme()
)
def test_the_readme_counts_right(rule: str, said: str, outcome: str, rating: str, expected: str):
    verdicts = [verdict_of(one) for one in said.split(", ") if one]
    commands = [planned_command(verdict.command) for verdict in verdicts]
    credits_ = credits_of(commands, {one.command: one for one in verdicts}, None)
    stars = [int(word.split()[0]) for word in rating.split(", ") if word.endswith("stars")]
    opinion = Rating(
        rating=stars[0] if stars else None, was_helpful=True if "helpful" in rating else None
    )

    found = reward(credits_, Outcome(outcome) if outcome else None, opinion)

    assert found == pytest.approx(float(expected)), rule


def test_nothing_known_is_no_reward():
    assert reward((), None, NOTHING_SAID) is None


def test_an_outcome_alone_is_no_reward():
    assert reward((), Outcome.RESOLVED, NOTHING_SAID) is None


def test_all_approved_is_one():
    said = judged(approved(READ.command), approved(RESTART.command), approved(SCALE.command))

    assert reward(said, None, NOTHING_SAID) == 1.0


def test_reads_do_not_lift_a_half_rejected_plan():
    said = judged(approved(READ.command), approved(RESTART.command), rejected(SCALE.command))

    assert reward(said, None, NOTHING_SAID) == 0.5


def test_a_rejected_read_counts_half_a_change_against_it():
    said = judged(rejected(READ.command), approved(RESTART.command), approved(SCALE.command))

    assert reward(said, None, NOTHING_SAID) == pytest.approx(2 / 2.5)


def test_undecided_commands_are_left_out():
    said = judged(approved(RESTART.command))

    assert reward(said, None, NOTHING_SAID) == 1.0


def test_an_edit_within_the_verb_is_three_quarters():
    said = judged(edited(SCALE.command, "kubectl scale deployment/web --replicas=2 -n shop"))

    assert reward(said, None, NOTHING_SAID) == 0.75


def test_an_edit_to_another_verb_is_a_quarter():
    said = judged(edited(SCALE.command, "kubectl rollout undo deployment/web -n shop"))

    assert reward(said, None, NOTHING_SAID) == 0.25


def test_a_plan_of_reads_alone_is_worth_half_at_most():
    said = credits_of((READ,), {READ.command: approved(READ.command)}, None)

    assert reward(said, None, NOTHING_SAID) == 0.5


def test_a_rejected_plan_of_reads_alone_is_worth_nothing():
    said = credits_of((READ,), {READ.command: rejected(READ.command)}, None)

    assert reward(said, None, NOTHING_SAID) == 0.0


def test_counts_without_names_reject_changes_before_reads():
    said = credits_of((READ, RESTART, SCALE), {}, 0.75)

    assert reward(said, None, NOTHING_SAID) == pytest.approx((2 - 0.75) / 2)


def test_one_rejection_among_many_reads_is_the_change():
    reads = [planned_command(f"kubectl get {kind} -n shop") for kind in ("pods", "events", "jobs")]

    said = credits_of((*reads, RESTART), {}, 3 / 4)

    assert reward(said, None, NOTHING_SAID) == 0.0
    assert {
        credit.command: credit.credit for credit in said if credit.credit == 1.0
    } == dict.fromkeys(reads, 1.0)


def test_more_rejections_than_changes_are_reads_as_well():
    said = credits_of((READ, RESTART, SCALE), {}, 0.0)

    assert {credit.command: credit.rejected for credit in said} == {
        READ: 1.0,
        RESTART: 1.0,
        SCALE: 1.0,
    }


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome.RESOLVED, 1.0),
        (Outcome.UNKNOWN, 0.9),
        (Outcome.UNRESOLVED, 0.6),
        (Outcome.EXECUTION_FAILED, 0.4),
        (Outcome.MADE_WORSE, 0.1),
    ],
)
def test_the_outcome_multiplies_the_decision(outcome: Outcome, expected: float):
    assert reward(judged(approved(RESTART.command)), outcome, NOTHING_SAID) == expected


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        (Rating(rating=1), 0.0),
        (Rating(rating=3), 0.5),
        (Rating(rating=5), 1.0),
        (Rating(was_helpful=True), 1.0),
        (Rating(was_helpful=False), 0.0),
        (Rating(rating=3, was_helpful=True), 0.75),
    ],
)
def test_an_opinion_alone_is_the_reward(rating: Rating, expected: float):
    assert reward((), None, rating) == expected


def test_a_decision_weighs_four_times_an_opinion():
    said = judged(approved(RESTART.command), rejected(SCALE.command))

    assert reward(said, None, Rating(rating=5)) == pytest.approx((4 * 0.5 + 1) / 5)


def test_a_comment_is_no_signal():
    assert reward((), None, Rating(comments="well")) is None
