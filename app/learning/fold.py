"""Folds one plan's events into its record: in any order, repeats ignored, the latest word counts (pure)."""

from collections.abc import Sequence
from typing import TypeVar

from app.domain.course import Executed, FeedbackEventBase, Report
from app.domain.feedback import (
    Declined,
    FeedbackRecord,
    Imported,
    Linked,
    PlanEvent,
    Proposed,
    Rated,
    Retracted,
)
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.course import Reports
from app.learning.discretion import discreet_words
from app.learning.legacy import expand
from app.learning.record import Facts, RatingField, record_of

E = TypeVar("E", bound=FeedbackEventBase)
L = TypeVar("L", Proposed, Imported)


def parts_of(event: PlanEvent) -> Sequence[PlanEvent]:
    """The event; a whole object of the earlier system also stands for several of ours."""
    return (event, *expand(event)) if isinstance(event, Imported) else (event,)


def tie_of(part: PlanEvent, plan: FeedbackId) -> ApprovalId | None:
    """The approval that is this plan's, as far as a part of an event says so."""
    if isinstance(part, Linked | Report) and part.feedback_id == plan:
        return part.approval_id
    return None


class Draft:
    """The events that won so far, for one plan."""

    __slots__ = (
        "_declined",
        "_imported",
        "_keeps_texts",
        "_links",
        "_owned",
        "_proposed",
        "_ratings",
        "_reports",
        "_retracted",
        "feedback_id",
    )

    def __init__(self, feedback_id: FeedbackId, *, keeps_texts: bool) -> None:
        """Nothing is known yet; without `keeps_texts` the record's two long texts are empty.

        With it, the record is made to be shown: people's words come without their secrets.
        """
        self.feedback_id = feedback_id
        self._keeps_texts = keeps_texts
        self._proposed: Proposed | None = None
        self._imported: Imported | None = None
        self._retracted: Retracted | None = None
        self._declined: Declined | None = None
        self._links: dict[ApprovalId, Linked] = {}
        self._owned: set[ApprovalId] = set()
        self._reports: dict[ApprovalId, Reports] = {}
        self._ratings: dict[RatingField, Rated] = {}

    def apply(self, *parts: PlanEvent) -> None:
        """Take parts of events in; what is said of another plan alone is passed over."""
        for part in map(discreet_words, parts) if self._keeps_texts else parts:
            if tie := tie_of(part, self.feedback_id):
                self._owned.add(tie)
            if isinstance(part, Report):
                reports = self._reports.setdefault(part.approval_id, Reports(part.approval_id))
                reports.take(self._without_outputs(part))
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
            courses=tuple(
                self._reports[approval_id].course()
                for approval_id in sorted(self._owned)
                if approval_id in self._reports
            ),
            declined=self._declined,
            ratings=self._ratings,
            retracted=self._retracted,
        )
        return record_of(facts)

    def _note(self, part: Proposed | Linked | Declined | Rated | Retracted | Imported) -> None:
        match part:
            case Proposed():
                self._proposed = later(self._proposed, self._lighter(part))
            case Imported():
                self._imported = later(self._imported, self._lighter(part))
            case Linked():
                self._links[part.approval_id] = later(self._links.get(part.approval_id), part)
            case Declined():
                self._declined = later(self._declined, part)
            case Rated():
                self._rate(part)
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

    def _without_outputs(self, part: Report) -> Report:
        """What commands printed is long, too."""
        if self._keeps_texts or not isinstance(part, Executed):
            return part
        commands = tuple(one.model_copy(update={"output": None}) for one in part.commands)
        return part.model_copy(update={"commands": commands})


def later(known: E | None, event: E) -> E:
    """The last writer; at the same moment the larger id, so that the order of arrival is nothing."""
    if known is None or (known.ts, known.id) < (event.ts, event.id):
        return event
    return known
