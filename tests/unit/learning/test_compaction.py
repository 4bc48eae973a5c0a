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
from app.domain.feedback import FeedbackEvent, Rating
from app.domain.housekeeping import Forgotten, LessonSwitched
from app.domain.ids import WorkflowId
from app.learning.compaction import Compaction
from app.learning.details import clip
from app.learning.forgetting import ForgetReviewer, ForgetWorkflow
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


@pytest.mark.parametrize("name", ["Ada", "Ada Lovelace"])
def test_a_damaged_line_keeps_no_forgotten_name(name: str):
    lines = [b'{"type":"decided","reviewer":"Ada  Lovelace","rea', b"Adamant"]

    _, damaged, other = rewritten_lines(lines, ForgetReviewer(name, NOW))

    assert b"Ada" not in damaged
    assert other == b"Adamant"


def test_a_name_inside_other_words_and_in_old_records_is_found_where_it_stands_alone():
    old = {
        "feedback_id": "w_remediation_1",
        "workflow_id": "w",
        "rejection_reason": "Ada says no",
        "input_data": "metadata of the canada cluster",
    }

    _, line = rewritten_lines([json.dumps(old).encode()], ForgetReviewer("Ada", NOW))

    assert json.loads(line)["rejection_reason"] == "[forgotten] says no"
    assert json.loads(line)["input_data"] == old["input_data"]
    assert parse_line(line) is not None


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
