"""Takes out of a log's lines what was to be forgotten: workflows, reviewers, and their words (pure)."""

from collections.abc import Iterable
from typing import Any

import orjson

from app.domain.course import Decided
from app.domain.feedback import FeedbackEvent
from app.domain.housekeeping import Fingerprint, Forgotten
from app.domain.rewriting import StoredLine
from app.learning.erasing import Eraser
from app.learning.fingerprint import is_of
from app.learning.utterances import REVIEWER, WORDS_OF_PEOPLE, ids_of, reviewers_in


class Oblivion:
    """Knows what was to be forgotten, by tombstones and by what it is told now."""

    def __init__(self) -> None:
        """Nothing, yet."""
        self._workflows: set[str] = set()
        self._ids: set[str] = set()
        """Of their plans and approvals."""
        self._fingerprints: list[Fingerprint] = []
        self._reviewers: set[str] = set()
        self._is_gone: dict[str, bool] = {}
        """Whether a reviewer is to be forgotten, as far as somebody asked: finding out is slow."""
        self._quotes: set[str] = set()
        self._mentions: set[str] = set()
        self._eraser: Eraser | None = None

    def look(self, line: StoredLine) -> None:
        """Note a tombstone, or somebody's name."""
        match line.event:
            case Forgotten():
                self.bury(line.event)
            case Decided(reviewer=str(name)):
                self._meet(name)
            case None:
                for name in reviewers_in(line.raw):
                    self._meet(name)
            case _:
                pass

    def bury(self, tombstone: Forgotten) -> None:
        """Forget what it is about."""
        if tombstone.workflow_id is not None:
            self._workflows.add(tombstone.workflow_id)
        self._ids |= {*tombstone.feedback_ids, *tombstone.approval_ids}
        if tombstone.reviewer is not None:
            self._fingerprints.append(tombstone.reviewer)
            self._is_gone.clear()
            self._eraser = None

    def forget_quotes(self, texts: Iterable[str]) -> None:
        """Words of people that others may have quoted."""
        self._quotes |= {*texts}
        self._eraser = None

    def forget_mentions(self, texts: Iterable[str]) -> None:
        """Words of others that name a forgotten one, and that others may have quoted."""
        self._mentions |= {*texts}
        self._eraser = None

    @property
    def knows_forgotten(self) -> bool:
        """Whether a forgotten reviewer was met: nobody is taken for a name that no record has."""
        return any(map(self._is_forgotten, self._reviewers))

    def is_about(self, event: FeedbackEvent | None) -> bool:
        """Whether an event is about a forgotten workflow."""
        if event is None or isinstance(event, Forgotten):
            return False
        return any(self._is_theirs(value) for value in ids_of(event))

    def is_of_forgotten(self, event: FeedbackEvent | None) -> bool:
        """Whether a forgotten reviewer decided it."""
        name = event.reviewer if isinstance(event, Decided) else None
        return name is not None and self._is_forgotten(name)

    def without(self, line: StoredLine) -> bytes | None:
        """What is left of a line; None when it is all forgotten."""
        if self.is_about(line.event) or self._names_a_workflow(line):
            return None
        eraser = self._erasing()
        if eraser.is_idle or isinstance(line.event, Forgotten):
            return line.raw
        try:
            values = orjson.loads(line.raw)
        except orjson.JSONDecodeError:
            return eraser.erase_bytes(line.raw)
        own = _without_words(values) if self.is_of_forgotten(line.event) else values
        left = eraser.erase(own)
        return line.raw if left == values else orjson.dumps(left)

    def _meet(self, name: str) -> None:
        if name not in self._reviewers:
            self._reviewers.add(name)
            self._eraser = None

    def _is_theirs(self, value: str) -> bool:
        plan_of = value.rpartition("_remediation_")[0]
        return value in self._ids or not self._workflows.isdisjoint({value, plan_of})

    def _names_a_workflow(self, line: StoredLine) -> bool:
        """A line that is no event of ours goes when it speaks of one."""
        if line.event is not None:
            return False
        return any(workflow.encode() in line.raw for workflow in self._workflows)

    def _is_forgotten(self, name: str) -> bool:
        if name not in self._is_gone:
            self._is_gone[name] = any(is_of(name, known) for known in self._fingerprints)
        return self._is_gone[name]

    def _erasing(self) -> Eraser:
        if self._eraser is None:
            names = filter(self._is_forgotten, self._reviewers)
            self._eraser = Eraser(names, self._quotes, self._mentions)
        return self._eraser


def _without_words(values: dict[str, Any]) -> dict[str, Any]:
    """A decision without who made it and why."""
    words = WORDS_OF_PEOPLE | {REVIEWER}
    kept = {key: value for key, value in values.items() if key not in words}
    if isinstance(kept.get("commands"), list):
        kept["commands"] = [_without_words(command) for command in kept["commands"]]
    return kept
