"""Forgets one workflow or one reviewer: a tombstone, and a log without their words."""

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from app.domain.course import Report
from app.domain.feedback import FeedbackEvent, Linked, event_id
from app.domain.housekeeping import Forgotten
from app.domain.ids import ApprovalId
from app.domain.rewriting import StoredLine
from app.learning.compaction import Compaction
from app.learning.fingerprint import fingerprint_of
from app.learning.utterances import mention, words_of


class ForgetWorkflow(Compaction):
    """Everything about one workflow goes; what people said there goes from everywhere."""

    names: tuple[str, ...] = ()

    def __init__(self, workflow_id: str, now: datetime) -> None:
        """Only the id is known yet."""
        super().__init__()
        self._now = now
        self._workflow_id = workflow_id
        self._approvals: set[ApprovalId] = set()
        self._of_nobody: defaultdict[ApprovalId, list[str]] = defaultdict(list)
        """What was said under approvals that no plan is known for yet."""
        self.is_known = False
        self.texts: set[str] = set()
        """What must not be found afterwards; logs and plans may be the same in another workflow."""
        self.oblivion.bury(self._tombstone())

    def look(self, line: StoredLine) -> None:
        """Gather what is to go."""
        super().look(line)
        event = line.event
        if self.oblivion.is_about(event):
            self.is_known = True
            self.texts |= {*words_of(event)}
            self.oblivion.forget_quotes(words_of(event))
            if isinstance(event, Linked | Report):
                self._approvals.add(event.approval_id)
        elif isinstance(event, Report) and event.feedback_id is None:
            self._of_nobody[event.approval_id] += words_of(event)

    def news(self) -> Sequence[FeedbackEvent]:
        """The tombstone; by now every approval is known."""
        said = [text for one in self._approvals for text in self._of_nobody[one]]
        self.texts |= {*said}
        self.oblivion.forget_quotes(said)
        tombstone = self._tombstone()
        self.oblivion.bury(tombstone)
        return (tombstone,)

    def _tombstone(self) -> Forgotten:
        approvals = tuple(sorted(self._approvals))
        return Forgotten(
            id=event_id("forgotten", self._workflow_id, *approvals),
            ts=self._now,
            workflow_id=self._workflow_id,
            approval_ids=approvals,
        )


class ForgetReviewer(Compaction):
    """What somebody decided stays, but not who it was, nor in which words.

    A name that no record has as its reviewer is anybody's word: it takes nothing out of texts.
    """

    def __init__(self, name: str, now: datetime) -> None:
        """The name is kept nowhere, only its fingerprint."""
        super().__init__()
        print_ = fingerprint_of(name)
        identity = event_id("forgotten", print_.digest)
        self._tombstone = Forgotten(id=identity, ts=now, reviewer=print_)
        self._name = name
        self._mention = re.compile(mention(name), re.IGNORECASE)
        self.texts: set[str] = set()
        """What must not be found afterwards."""
        self.oblivion.bury(self._tombstone)

    @property
    def is_known(self) -> bool:
        """Whether anybody of that name was met."""
        return self.oblivion.knows_forgotten

    @property
    def names(self) -> tuple[str, ...]:
        """What must not be found as a name afterwards."""
        return (self._name,) if self.is_known else ()

    def look(self, line: StoredLine) -> None:
        """Gather what the reviewer said, and where others named them."""
        super().look(line)
        said = words_of(line.event)
        if self.oblivion.is_of_forgotten(line.event):
            self.oblivion.forget_quotes(said)
            self.texts |= {*said}
        elif mentions := [text for text in said if self._mention.search(text)]:
            self.oblivion.forget_mentions(mentions)

    def news(self) -> Sequence[FeedbackEvent]:
        """The tombstone."""
        return (self._tombstone,)
