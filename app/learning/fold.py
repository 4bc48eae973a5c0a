"""Folds one plan's events into its record: in any order, repeats ignored, the latest word counts (pure)."""

from collections.abc import Sequence
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
from app.learning.legacy import expand
from app.learning.record import Facts, RatingField, record_of

E = TypeVar("E", bound=FeedbackEventBase)
L = TypeVar("L", Proposed, Imported)


def parts_of(event: FeedbackEvent) -> Sequence[FeedbackEvent]:
    """The event; a whole object of the earlier system also stands for several of ours."""
    return (event, *expand(event)) if isinstance(event, Imported) else (event,)


def tie_of(part: FeedbackEvent, plan: FeedbackId) -> ApprovalId | None:
    """The approval that is this plan's, as far as a part of an event says so."""
    if isinstance(part, Linked | Decided) and part.feedback_id == plan:
        return part.approval_id
    return None


class Draft:
    """The events that won so far, for one plan."""

    __slots__ = (
        "_decisions",
        "_expired",
        "_imported",
        "_keeps_texts",
        "_links",
        "_owned",
        "_proposed",
        "_ratings",
        "_retracted",
        "_verified",
        "feedback_id",
    )

    def __init__(self, feedback_id: FeedbackId, *, keeps_texts: bool) -> None:
        """Nothing is known yet; without `keeps_texts` the record's two long texts are empty."""
        self.feedback_id = feedback_id
        self._keeps_texts = keeps_texts
        self._proposed: Proposed | None = None
        self._imported: Imported | None = None
        self._verified: Verified | None = None
        self._retracted: Retracted | None = None
        self._links: dict[ApprovalId, Linked] = {}
        self._owned: set[ApprovalId] = set()
        self._decisions: dict[ApprovalId, Decided] = {}
        self._expired: set[ApprovalId] = set()
        self._ratings: dict[RatingField, Rated] = {}

    @property
    def is_decided(self) -> bool:
        """Whether a decision was heard."""
        return bool(self._decisions)

    def apply(self, *parts: FeedbackEvent) -> None:
        """Take parts of events in; what is said of another plan alone is passed over."""
        for part in parts:
            if tie := tie_of(part, self.feedback_id):
                self._owned.add(tie)
            if isinstance(part, Decided):
                known = self._decisions.get(part.approval_id)
                self._decisions[part.approval_id] = later(known, part)
            elif part.feedback_id == self.feedback_id:
                self._note(part)

    def record(self) -> FeedbackRecord | None:
        """The record; None while the proposal is not known."""
        if self._proposed is None:
            return None
        facts = Facts(
            proposed=self._proposed,
            imported=self._imported,
            links=dict(sorted(self._links.items())),
            decisions={
                approval_id: self._decisions[approval_id]
                for approval_id in sorted(self._owned)
                if approval_id in self._decisions
            },
            expired=frozenset(self._expired),
            ratings=self._ratings,
            verified=self._verified,
            retracted=self._retracted,
        )
        return record_of(facts)

    def _note(
        self, part: Proposed | Linked | Rated | Verified | Expired | Retracted | Imported
    ) -> None:
        match part:
            case Proposed():
                self._proposed = later(self._proposed, self._lighter(part))
            case Imported():
                self._imported = later(self._imported, self._lighter(part))
            case Linked():
                self._links[part.approval_id] = later(self._links.get(part.approval_id), part)
            case Rated():
                self._rate(part)
            case Verified():
                self._verified = later(self._verified, part)
            case Expired():
                self._expired.add(part.approval_id)
            case Retracted():
                self._retracted = later(self._retracted, part)

    def _rate(self, part: Rated) -> None:
        """Let it speak for the fields it fills."""
        for name in RatingField:
            if getattr(part, name) is not None:
                self._ratings[name] = later(self._ratings.get(name), part)

    def _lighter(self, part: L) -> L:
        """Texts are long, and no decision depends on them."""
        if self._keeps_texts:
            return part
        return part.model_copy(update={"input_data": "", "output_data": ""})


def later(known: E | None, event: E) -> E:
    """The last writer; at the same moment the larger id, so that the order of arrival is nothing."""
    if known is None or (known.ts, known.id) < (event.ts, event.id):
        return event
    return known
