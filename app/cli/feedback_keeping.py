"""The part of `feedback` that writes: compact, forget, import."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from app.adapters.storage.feedback_lines import parse_line, to_line
from app.bootstrap.ground import SystemClock
from app.cli.progress import CountedRewriting, Progress, progress
from app.domain.errors import NotFound
from app.domain.feedback import FeedbackEvent, Imported, Proposed
from app.domain.housekeeping import Compacted
from app.domain.rewriting import RewritableStore, StoredLine
from app.learning.compaction import Compaction
from app.learning.directory import Directory
from app.learning.discretion import discreet_import, discreet_words
from app.learning.forgetting import ForgetReviewer, ForgetWorkflow
from app.learning.oblivion import Oblivion
from app.learning.utterances import holds

BATCH = 500
NOTHING = "Nothing of it was known here"
NOBODY = "No reviewer of that name is known here, so no text was touched"


async def compact(store: RewritableStore) -> int:
    """Leave out repeats, what a later word replaced, what was to be forgotten, and secrets."""
    compaction = DiscreetCompaction()
    with progress() as shown:
        await store.rewrite(CountedRewriting(compaction, shown))
    print(f"kept        {compaction.kept} lines")
    print(f"left out    {compaction.left_out} lines")
    return 0


async def forget(store: RewritableStore, workflow_id: str | None, reviewer: str | None) -> int:
    """Forget one of them, then look whether anything is left; exit code 1 if so."""
    now = SystemClock().now()
    forgetting = (
        ForgetWorkflow(workflow_id, now) if workflow_id else ForgetReviewer(reviewer or "", now)
    )
    with progress() as shown:
        await store.rewrite(CountedRewriting(forgetting, shown))
        left = 0
        async for line in shown.counted("looked through", store.lines()):
            left += holds(line.raw, forgetting.texts, forgetting.names)
        left += await count_left(store, shown)
    print(f"left out    {forgetting.left_out} lines")
    print(f"left        {left} lines still hold something of it")
    if not forgetting.is_known:
        print(
            f"{NOBODY if reviewer else NOTHING}; what comes in later goes with the next `compact`."
        )
    return 1 if left else 0


async def count_left(store: RewritableStore, shown: Progress) -> int:
    """How many lines hold what was to be forgotten: written since, and gone with `compact`."""
    oblivion = Oblivion()
    async for line in shown.counted("searched", store.lines()):
        oblivion.look(line)
    left = 0
    async for line in shown.counted("searched again", store.lines()):
        left += oblivion.without(line) != line.raw
    return left


async def take_in(store: RewritableStore, source: Path) -> int:
    """Add what is not there yet; what was forgotten here stays forgotten."""
    intake = Intake()
    with progress() as shown, _opened(source) as file:
        async for line in shown.counted("known here", store.lines()):
            intake.know(line)
        shown.begin("taken in")
        for lines in iter(lambda: [*islice(file, BATCH)], []):
            await store.append([event for raw in lines if (event := intake.take(raw.strip()))])
            for _ in lines:
                shown.add()
    said = f"{intake.added} added, {intake.passed_over} known or forgotten"
    print(f"{said}, {intake.unreadable} unreadable", file=sys.stderr)
    return 1 if intake.unreadable else 0


class DiscreetCompaction(Compaction):
    """Takes out of people's words the secrets that earlier versions left in them."""

    def keep(self, line: StoredLine) -> bytes | None:
        """The line as it would be written today."""
        kept = super().keep(line)
        event = line.event if kept == line.raw else parse_line(kept or b"")
        if event is None:
            return kept
        said = discreet_words(event)
        return kept if said is event else to_line(said).strip()


class Intake:
    """Tells what of other lines is new here."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self.added = self.passed_over = self.unreadable = 0
        self._oblivion = Oblivion()
        self._ids, self._plans = Directory(), Directory()
        """Of a log of millions, hashes alone."""

    def know(self, line: StoredLine) -> None:
        """A line that is here."""
        self._oblivion.look(line)
        if line.event is not None:
            self._ids.number(line.event.id)
        if isinstance(line.event, Proposed):
            self._plans.number(line.event.feedback_id)

    def take(self, raw: bytes) -> FeedbackEvent | None:
        """The event to add, if any."""
        line = StoredLine(raw, parse_line(raw))
        self._oblivion.look(line)
        left = self._oblivion.without(line) if line.event is not None else None
        event = None if left is None else parse_line(left)
        if event is not None and not self._is_known(event):
            self._ids.number(event.id)
            self.added += 1
            return discreet_import(event)
        self.unreadable += line.event is None and bool(raw)
        self.passed_over += line.event is not None
        return None

    def _is_known(self, event: FeedbackEvent) -> bool:
        # An export says less of a plan than the events that are here.
        is_less = isinstance(event, Imported) and self._plans.find(event.feedback_id) is not None
        return is_less or self._ids.find(event.id) is not None or isinstance(event, Compacted)


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    try:
        with source.open("rb") as file:
            yield file
    except OSError as error:
        raise NotFound(f"{source} cannot be read: {error.strerror}.") from error
