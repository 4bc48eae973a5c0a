"""Takes secrets out of what is said of plans, before anything keeps or tells it (pure)."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from app.domain.approval import ApprovalReport, CommandVerdict
from app.domain.course import Decided, Executed, Undone, Verified
from app.domain.feedback import (
    FeedbackEvent,
    Imported,
    Linked,
    PlannedCommand,
    Proposed,
    Rating,
    ShownExample,
)
from app.domain.proof import Verification
from app.security.redaction import is_suspicious, redact
from app.security.words import name_without_secrets, without_secrets

M = TypeVar("M", bound=BaseModel)
E = TypeVar("E", bound=FeedbackEvent)
WORDS = ("rejection_reason", "reason", "feedback_comments", "improvements_suggested")
"""People's own, wherever they stand."""
WORDS_OF_A_VERDICT = ("reason", "edited_to")
TEXTS_OF_A_VERDICT = ("command", "edited_to", "reason", "output")


def discreet_report(report: ApprovalReport) -> ApprovalReport:
    """A report as it may be kept; ids are made of this, so that it is known when it comes again.

    Commands are redacted here alone: what runs is at the approval server.
    """
    return replace(
        report,
        rejection_reason=without_secrets(report.rejection_reason),
        reviewer=name_without_secrets(report.reviewer),
        commands=_verdicts(report.commands, TEXTS_OF_A_VERDICT),
        verification=_verification(report.verification),
    )


def discreet_rating(rating: Rating) -> Rating:
    """A rating as it may be kept."""
    return replace(
        rating,
        comments=without_secrets(rating.comments),
        improvements=without_secrets(rating.improvements),
    )


def discreet_words(event: E) -> E:
    """An event of a log as it may be shown: earlier versions kept people's words as they came."""
    fields = type(event).model_fields
    words = {name: getattr(event, name) for name in WORDS if name in fields}
    verdicts = event.commands if isinstance(event, Decided | Executed | Undone) else ()
    of_verdicts = (getattr(one, name) for one in verdicts for name in WORDS_OF_A_VERDICT)
    texts = [text for text in (*words.values(), *of_verdicts) if text]
    if not texts or not is_suspicious(*texts):
        return event
    said = _with(event, {name: without_secrets(text) for name, text in words.items()})
    return _with(said, {"commands": _verdicts(verdicts, WORDS_OF_A_VERDICT)}) if verdicts else said


def discreet_import(event: FeedbackEvent) -> FeedbackEvent:
    """An event of somebody else's log as it may be kept in this one."""
    said = discreet_words(event)
    match said:
        case Decided():
            changes: dict[str, Any] = {
                "reviewer": name_without_secrets(said.reviewer),
                "commands": _verdicts(said.commands, TEXTS_OF_A_VERDICT),
            }
        case Executed() | Undone():
            changes = {"commands": _verdicts(said.commands, TEXTS_OF_A_VERDICT)}
        case Verified():
            changes = {"verification": _verification(said.verification)}
        case Proposed():
            changes = _plan(said) | {"shown": tuple(map(_example, said.shown))}
        case Linked():
            changes = {"commands": _commands(said.commands)}
        case Imported():
            changes = {name: _value(getattr(said, name)) for name in ("input_data", "output_data")}
        case _:
            changes = {}
    return _with(said, changes)


def _plan(event: Proposed) -> dict[str, Any]:
    texts = ("issue", "input_data", "output_data")
    changes: dict[str, Any] = {name: without_secrets(getattr(event, name)) for name in texts}
    return changes | {"commands": _commands(event.commands)}


def _example(shown: ShownExample) -> ShownExample:
    return replace(shown, reason=without_secrets(shown.reason) or "")


def _commands(commands: Sequence[PlannedCommand]) -> tuple[PlannedCommand, ...]:
    return tuple(replace(one, command=redact(one.command).text) for one in commands)


def _verdicts(
    verdicts: Sequence[CommandVerdict], texts: Sequence[str]
) -> tuple[CommandVerdict, ...]:
    return tuple(
        _with(verdict, {name: without_secrets(getattr(verdict, name)) for name in texts})
        for verdict in verdicts
    )


def _verification(verification: Verification | None) -> Verification | None:
    if verification is None:
        return None
    facts = tuple(
        _with(fact, {"name": redact(fact.name).text, "detail": redact(fact.detail).text})
        for fact in verification.facts
    )
    sentence = redact(verification.sentence).text
    return _with(verification, {"facts": facts, "sentence": sentence})


def _value(value: Any) -> Any:
    """Whatever JSON another system kept; a secret's key and value are seen together."""
    if isinstance(value, str):
        return redact(value).text
    redacted = redact(json.dumps(value, ensure_ascii=False))
    if not redacted.counts:
        return value
    try:
        return json.loads(redacted.text)
    except ValueError:
        return redacted.text


def _with(model: M, changes: dict[str, Any]) -> M:
    """The same model where nothing changes."""
    news = {name: value for name, value in changes.items() if getattr(model, name, None) != value}
    return model.model_copy(update=news) if news else model
