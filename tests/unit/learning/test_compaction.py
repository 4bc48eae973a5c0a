"""Compaction changes nothing of what is learned; forgetting leaves no word and no name."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.adapters.storage.feedback_lines import parse_line, to_line
from app.domain.approval import ApprovalReport, CommandDecision, CommandVerdict, Decision
from app.domain.course import Decided
from app.domain.feedback import FeedbackEvent, Proposed, Rated, Rating
from app.domain.housekeeping import Forgotten, LessonSwitched
from app.domain.ids import ApprovalId, FeedbackId, WorkflowId
from app.learning.compaction import Compaction
from app.learning.details import clip
from app.learning.forgetting import ForgetReviewer, ForgetWorkflow
from app.learning.utterances import holds
from tests.fakes.feedback import (
    RESTART,
    WORKFLOW,
    FeedbackInMemory,
    folded,
    learning_on,
    plan_of,
    report_of,
)
from tests.fakes.rewriting import rewritten, rewritten_lines
from tests.unit.learning.test_fold import any_event

NOW = datetime(2031, 1, 1, tzinfo=UTC)
OTHER = WorkflowId("11111111-3f4e-4c5a-9d52-2f1f0d3c9a11")
WORDS = "Ada Lovelace says: it drops the open carts"
COMMENT = "please call Grace before"


@settings(max_examples=150, deadline=None)
@given(st.lists(any_event, max_size=14), st.randoms(use_true_random=False))
def test_the_fold_is_the_same_after_compaction(events: list[FeedbackEvent], chance: Random):
    mixed = [*events, *chance.sample(events, len(events) // 2)]
    chance.shuffle(mixed)

    kept = rewritten(mixed, Compaction())

    before = sorted(folded(mixed), key=lambda record: record.feedback_id)
    assert sorted(folded(kept), key=lambda record: record.feedback_id) == before
    assert len(kept) <= len({event.id for event in mixed})


def story() -> list[FeedbackEvent]:
    return asyncio.run(_story())


async def _story() -> list[FeedbackEvent]:
    """Two workflows; Ada rejects the first one's plan, whose words the other one's plan quotes."""
    learning = learning_on(store := FeedbackInMemory())
    feedback_id, approval_id = await learning.plan(1, plan_of(RESTART))
    rejection = CommandVerdict(command=RESTART, decision=CommandDecision.REJECTED, reason="No")
    said = report_of(approval_id, Decision.REJECTED, reason=WORDS, commands=[rejection])
    await learning.recorder.hear(_by("Ada Lovelace", said))
    await learning.recorder.rate(feedback_id, Rating(rating=1, comments=COMMENT))
    plan = plan_of(RESTART).model_copy(
        update={"issue": f"again? “{WORDS}” and “{COMMENT}”", "root_cause": "No memory"}
    )
    _, approval_id = await learning.plan(2, plan, workflow_id=OTHER)
    await learning.recorder.hear(_by("Grace", report_of(approval_id, approved=1)))
    return store.events


def _by(name: str, report: ApprovalReport) -> ApprovalReport:
    return replace(report, reviewer=name)


def test_the_older_words_on_the_same_go():
    store = FeedbackInMemory()

    async def write() -> None:
        learning = learning_on(store)
        feedback_id, _ = await learning.plan(1)
        for stars in (1, 2, 5):
            await learning.recorder.rate(feedback_id, Rating(rating=stars))

    asyncio.run(write())

    kept = rewritten(store.events, Compaction())

    assert [event.type for event in kept] == ["proposed", "linked", "rated"]
    assert folded(kept)[0].rating == Rating(rating=5)


def test_what_does_not_parse_and_what_is_newer_stays():
    lines = [b"not json", b'{"v":2,"id":"x","ts":"2030-01-01T00:00:00Z","type":"rated"}']

    assert rewritten_lines(lines, Compaction()) == lines


def test_a_forgotten_workflow_leaves_neither_plan_nor_word():
    events = story()
    forgetting = ForgetWorkflow(WORKFLOW, NOW)

    kept = rewritten(events, forgetting)

    assert forgetting.is_known
    text = b"".join(map(to_line, kept)).decode()
    for gone in (WORDS, COMMENT, "Ada"):
        assert gone not in text
    assert [event.type for event in kept] == ["forgotten", "proposed", "linked", "decided"]
    (record,) = folded(kept)
    assert record.workflow_id == OTHER
    assert record.issue == "again? “[forgotten]” and “[forgotten]”"
    assert "No memory" in record.output_data


def test_a_forgotten_reviewer_leaves_the_decision_and_no_name():
    events = story()

    kept = rewritten(events, ForgetReviewer("ada lovelace", NOW))

    text = b"".join(map(to_line, kept)).decode()
    assert "lovelace" not in text.casefold()
    assert "open carts" not in text
    hers, other = sorted(folded(kept), key=lambda record: record.workflow_id)
    assert (hers.rejected_count, hers.rejection_reason) == (1, None)
    assert other.courses[0].decided is not None
    assert other.courses[0].decided.reviewer == "Grace"
    assert hers.rating.comments == COMMENT


def test_a_tombstone_cannot_be_read_and_is_known_again():
    (tombstone,) = ForgetReviewer("Yuri", NOW).news()
    again = story()
    events = [_named(event, "YURI") for event in again]

    kept = rewritten([tombstone, *events], Compaction())

    assert isinstance(tombstone, Forgotten)
    assert "yuri" not in to_line(tombstone).decode().casefold()
    assert b"YURI" not in b"".join(map(to_line, kept))


def _named(event: FeedbackEvent, name: str) -> FeedbackEvent:
    return event.model_copy(update={"reviewer": name}) if event.type == "decided" else event


def test_a_report_that_came_before_its_proposal_is_forgotten_with_it():
    events = story()
    early = [
        event.model_copy(update={"feedback_id": None}) if event.type == "decided" else event
        for event in events
    ]
    early.sort(key=lambda event: event.type != "decided")

    kept = rewritten(early, ForgetWorkflow(WORKFLOW, NOW))

    assert WORDS not in b"".join(map(to_line, kept)).decode()
    assert [event.type for event in kept].count("decided") == 1


def test_what_brings_a_forgotten_workflow_back_goes_with_the_next_compaction():
    events = story()
    once = rewritten(events, ForgetWorkflow(WORKFLOW, NOW))

    again = rewritten([*once, *events], Compaction())

    assert [record.workflow_id for record in folded(again)] == [OTHER]


def test_a_damaged_line_keeps_no_forgotten_name():
    lines = [b'{"type":"decided","reviewer":"Ada  Lovelace","rea', b"Adamant"]

    _, damaged, other = rewritten_lines(lines, ForgetReviewer("ada lovelace", NOW))

    assert b"Ada" not in damaged
    assert other == b"Adamant"


def test_a_name_inside_other_words_and_in_old_records_is_found_where_it_stands_alone():
    old = {
        "feedback_id": "w_remediation_1",
        "workflow_id": "w",
        "rejection_reason": "Ada says no",
        "input_data": "metadata of the canada cluster",
    }

    lines = [json.dumps(old).encode(), to_line(decided_by("Ada")).strip()]
    _, line, _ = rewritten_lines(lines, ForgetReviewer("Ada", NOW))

    assert json.loads(line)["rejection_reason"] == "[forgotten] says no"
    assert json.loads(line)["input_data"] == old["input_data"]
    assert parse_line(line) is not None


def decided_by(name: str, reason: str | None = None) -> Decided:
    return Decided(
        id=f"by {name}",
        ts=NOW,
        approval_id=ApprovalId("approval-9"),
        decision=Decision.REJECTED,
        rejection_reason=reason,
        reviewer=name,
    )


def spoken(comment: str) -> Rated:
    feedback_id = FeedbackId(f"{OTHER}_remediation_2")
    return Rated(id="spoken", ts=NOW, feedback_id=feedback_id, feedback_comments=comment)


def structure(events: list[FeedbackEvent]) -> list[object]:
    """What is learned: no text of anybody."""
    proposed = (event for event in events if isinstance(event, Proposed))
    return [(one.signature, one.commands, json.loads(one.output_data)["steps"]) for one in proposed]


@pytest.mark.parametrize(
    "name", ["deployment", "checkout", "oom_killed", "unknown", "a", "restart"]
)
def test_a_name_that_no_record_has_takes_nothing_away_and_is_remembered(name: str):
    events = [*story(), spoken(f"a {name} too many, says the deployment")]
    forgetting = ForgetReviewer(name, NOW)

    tombstone, *kept = rewritten(events, forgetting)

    assert not forgetting.is_known
    assert kept == events
    later = rewritten([tombstone, *events, decided_by(name, "mine alone, for ever")], Compaction())
    assert isinstance(later[-1], Decided)
    assert (later[-1].reviewer, later[-1].rejection_reason) == (None, None)


@pytest.mark.parametrize(
    "name", ["deployment", "checkout", "kubectl", "approved", "production", "A"]
)
def test_the_name_of_a_reviewer_is_taken_out_of_words_and_never_out_of_what_is_learned(name: str):
    events = [
        *story(),
        decided_by(name, "mine alone, for ever"),
        spoken(f"ask {name} about a plan"),
    ]
    forgetting = ForgetReviewer(name, NOW)

    _, *kept = rewritten(events, forgetting)

    assert forgetting.is_known
    assert structure(kept) == structure(events)
    assert kept[-1] == spoken("ask [forgotten] about a plan")
    (his,) = [one for one in kept if one.id == f"by {name}"]
    assert isinstance(his, Decided)
    assert (his.reviewer, his.rejection_reason) == (None, None)
    assert [one.status for one in folded(kept)] == [one.status for one in folded(events)]


def test_another_reviewers_longer_name_stays_whole():
    events: list[FeedbackEvent] = [decided_by("Ada"), decided_by("Ada Lovelace")]

    _, _, other = rewritten(events, ForgetReviewer("Ada", NOW))

    assert other == decided_by("Ada Lovelace")


def test_a_name_goes_from_where_somebodys_words_about_it_are_quoted():
    said = "Ada Lovelace would never do this"
    quoting = story()[-3].model_copy(update={"issue": f"it was said: “{said}”"})

    _, *kept = rewritten(
        [quoting, spoken(said), decided_by("Ada Lovelace")], ForgetReviewer("Ada Lovelace", NOW)
    )

    assert isinstance(kept[0], Proposed)
    assert kept[0].issue == "it was said: “[forgotten] would never do this”"


@pytest.mark.parametrize(
    "words", ["drops carts", "不要在白天重启数据库吗", "不要重启", "verworfen", "No"]
)
@pytest.mark.parametrize("whose", ["workflow", "reviewer"])
def test_short_words_go_from_where_they_are_quoted_and_are_found_while_they_stand_there(
    words: str, whose: str
):
    own = decided_by("Yuri", words).model_copy(update={"feedback_id": f"{WORKFLOW}_remediation_1"})
    quoting = story()[-3].model_copy(
        update={"issue": f"again? “{words}”", "root_cause": "No memory", "input_data": f"“{words}”"}
    )
    forgetting = (
        ForgetWorkflow(WORKFLOW, NOW) if whose == "workflow" else ForgetReviewer("Yuri", NOW)
    )

    *_, kept = rewritten([own, quoting], forgetting)

    assert isinstance(kept, Proposed)
    assert (kept.issue, kept.input_data) == ("again? “[forgotten]”", "“[forgotten]”")
    assert holds(to_line(quoting), forgetting.texts, ())
    assert not holds(to_line(kept), forgetting.texts, ())


def test_words_that_are_a_command_leave_the_commands_alone():
    events = [*story(), decided_by("Yuri", RESTART), decided_by("Grace", "checkout")]

    kept = rewritten(rewritten(events, ForgetReviewer("Yuri", NOW)), ForgetReviewer("Grace", NOW))

    assert structure(kept) == structure(events)


def test_a_quote_that_was_cut_off_goes_as_well():
    long = " ".join(f"reason number {number} is private" for number in range(40))
    rating = {"v": 1, "id": "r", "ts": "2030-01-01T00:00:00Z", "type": "rated"}
    lines = [
        rating | {"feedback_id": "w_remediation_1", "feedback_comments": long},
        rating | {"id": "s", "feedback_id": "v_remediation_1", "feedback_comments": clip(long)},
    ]

    kept = rewritten_lines(map(orjson.dumps, lines), ForgetWorkflow("w", NOW))

    assert b"private" not in b"".join(kept)
    assert len(kept) == 2


def test_the_last_word_on_a_lesson_stays():
    switches = [
        LessonSwitched(id=str(second), ts=NOW + timedelta(seconds=second), lesson_id="1", active=on)
        for second, on in ((3, False), (1, True), (2, True))
    ]

    assert rewritten(switches, Compaction()) == [switches[0]]
