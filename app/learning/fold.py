"""Folds feedback events into records: in any order, repeats ignored, the latest word counts (pure)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from app.domain.feedback import (
    Decided,
    Expired,
    FeedbackEvent,
    FeedbackEventBase,
    FeedbackRecord,
    Imported,
    Linked,
    Proposed,
    Rated,
    Retracted,
    Verified,
)
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.legacy import expand, text_of
from app.learning.record import Facts, RatingField, record_of

CLOCK_DRIFT = timedelta(hours=1)

TEXTS = ("input_data", "output_data")
TEXT_LIMIT = 400
"""Characters; more than any view of many records shows."""

E = TypeVar("E", bound=FeedbackEventBase)
L = TypeVar("L", Proposed, Imported)


@dataclass(slots=True)
class _Draft:
    """The events that won so far, for one plan."""

    proposed: Proposed | None = None
    imported: Imported | None = None
    verified: Verified | None = None
    retracted: Retracted | None = None
    links: dict[ApprovalId, Linked] = field(default_factory=dict)
    owned: set[ApprovalId] = field(default_factory=set)
    expired: set[ApprovalId] = field(default_factory=set)
    ratings: dict[RatingField, Rated] = field(default_factory=dict)

    def rate(self, event: Rated) -> None:
        """Let it speak for the fields it fills."""
        for name in RatingField:
            if getattr(event, name) is not None:
                self.ratings[name] = later(self.ratings.get(name), event)


class FeedbackFold:
    """The records as the events seen so far tell them."""

    def __init__(self, *, keeps_texts: bool = False) -> None:
        """Nothing is known yet. Without `keeps_texts` a record holds the beginning of its texts."""
        self._keeps_texts = keeps_texts
        self._drafts: dict[FeedbackId, _Draft] = {}
        self._decisions: dict[ApprovalId, Decided] = {}
        self._owners: dict[ApprovalId, set[FeedbackId]] = {}
        self._heard: set[str] = set()
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._records: dict[FeedbackId, FeedbackRecord] = {}

    def apply(self, event: FeedbackEvent) -> frozenset[FeedbackId]:
        """Take an event in; the records it may have changed, none while they are not known."""
        self._latest = max(self._latest, event.ts)
        match event:
            case Decided():
                changed = self._decide(event)
            case Imported():
                changed = self._import(event)
            case _:
                changed = frozenset({event.feedback_id})
                self._note(self._draft(event.feedback_id), event)
        for feedback_id in changed:
            self._records.pop(feedback_id, None)
        return changed

    def record(self, feedback_id: FeedbackId) -> FeedbackRecord | None:
        """The record of a plan whose proposal is known."""
        draft = self._drafts.get(feedback_id)
        if draft is None or draft.proposed is None:
            return None
        if feedback_id not in self._records:
            self._records[feedback_id] = record_of(self._facts(draft, draft.proposed))
        return self._records[feedback_id]

    def records(self) -> Iterator[FeedbackRecord]:
        """Every record, in the order in which they were first heard of."""
        found = (self.record(feedback_id) for feedback_id in self._drafts)
        return (record for record in found if record is not None)

    def feedback_of(self, approval_id: ApprovalId) -> FeedbackId | None:
        """Whose plan stands under an approval id."""
        return min(self._owners.get(approval_id, ()), default=None)

    def has_decision(self, event_id: str) -> bool:
        """Whether this very decision was heard, be it the one that counts or not."""
        return event_id in self._heard

    def stamp(self, now: datetime) -> datetime:
        """Now, or just after the latest event where another clock is a little ahead."""
        if now <= self._latest < now + CLOCK_DRIFT:
            return self._latest + timedelta(microseconds=1)
        return now

    def _facts(self, draft: _Draft, proposed: Proposed) -> Facts:
        decisions = {
            approval_id: self._decisions[approval_id]
            for approval_id in sorted(draft.owned)
            if approval_id in self._decisions
        }
        return Facts(
            proposed=proposed,
            imported=draft.imported,
            links=dict(sorted(draft.links.items())),
            decisions=decisions,
            expired=frozenset(draft.expired),
            ratings=draft.ratings,
            verified=draft.verified,
            retracted=draft.retracted,
        )

    def _draft(self, feedback_id: FeedbackId) -> _Draft:
        return self._drafts.setdefault(feedback_id, _Draft())

    def _own(self, feedback_id: FeedbackId, approval_id: ApprovalId) -> None:
        self._draft(feedback_id).owned.add(approval_id)
        self._owners.setdefault(approval_id, set()).add(feedback_id)

    def _decide(self, event: Decided) -> frozenset[FeedbackId]:
        self._heard.add(event.id)
        self._decisions[event.approval_id] = later(self._decisions.get(event.approval_id), event)
        if event.feedback_id is not None:
            self._own(event.feedback_id, event.approval_id)
        return frozenset(self._owners.get(event.approval_id, ()))

    def _import(self, event: Imported) -> frozenset[FeedbackId]:
        draft = self._draft(event.feedback_id)
        draft.imported = later(draft.imported, self._lighter(event))
        return frozenset({event.feedback_id}).union(*map(self.apply, expand(event)))

    def _note(
        self, draft: _Draft, event: Proposed | Linked | Rated | Verified | Expired | Retracted
    ) -> None:
        match event:
            case Proposed():
                draft.proposed = later(draft.proposed, self._lighter(event))
            case Linked():
                draft.links[event.approval_id] = later(draft.links.get(event.approval_id), event)
                self._own(event.feedback_id, event.approval_id)
            case Rated():
                draft.rate(event)
            case Verified():
                draft.verified = later(draft.verified, event)
            case Expired():
                draft.expired.add(event.approval_id)
            case Retracted():
                draft.retracted = later(draft.retracted, event)

    def _lighter(self, event: L) -> L:
        """Thousands of plans would fill the memory; their texts stay in the store."""
        if self._keeps_texts:
            return event
        begun = {name: text_of(getattr(event, name))[:TEXT_LIMIT] for name in TEXTS}
        return event.model_copy(update=begun)


def fold(events: Iterable[FeedbackEvent]) -> FeedbackFold:
    """All of them, folded."""
    folded = FeedbackFold()
    for event in events:
        folded.apply(event)
    return folded


def later(known: E | None, event: E) -> E:
    """The last writer; at the same moment the larger id, so that the order of arrival is nothing."""
    if known is None or (known.ts, known.id) < (event.ts, event.id):
        return event
    return known
