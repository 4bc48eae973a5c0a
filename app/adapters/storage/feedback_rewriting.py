"""Writes the feedback files anew while other processes append: whole or not at all, nothing lost."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

from app.adapters.storage.feedback_lines import compacted, parse_line, to_line
from app.adapters.storage.jsonl import GENERATION_SHIFT, LineFile
from app.domain.rewriting import Rewriting, StoredLine


def stored_lines(file: LineFile, position: int = 0) -> Iterator[tuple[int, StoredLine]]:
    """Every committed line from a position on, each with the place behind it."""
    is_end = False
    while not is_end:
        piece = file.read(position)
        position, is_end = piece.position, piece.is_end
        at = piece.start
        for raw in piece.lines:
            at += len(raw) + 1
            if raw.strip():
                yield at, StoredLine(raw, parse_line(raw))


@dataclass(frozen=True, slots=True)
class FileRewriting:
    """One time that both files are written anew; everything here blocks."""

    events: LineFile
    early: LineFile
    rewriting: Rewriting

    def run(self) -> None:
        """Call it while nobody else does the same."""
        self.events.open()
        with self.early.locked():
            early = [line for _, line in stored_lines(self.early)]
            for line in early:
                self.rewriting.look(line)
            self._run_on_events()
            kept = (self.rewriting.keep(line) for line in early)
            self.early.replace(b"".join(raw + b"\n" for raw in kept if raw is not None))

    def _run_on_events(self) -> None:
        looked_to = 0
        for behind, line in stored_lines(self.events):
            self.rewriting.look(line)
            looked_to = behind
        with self.events.fresh() as fresh:
            fresh.write(self._head())
            copied_to = self._copy(0, looked_to, fresh)
            # What others append waits from here on; by now it is little that is left to copy.
            with self.events.locked():
                self.events.open()
                self._copy(copied_to, looked_to, fresh)
                self.events.swap(fresh)

    def _head(self) -> bytes:
        generation = (self.events.read(0).start >> GENERATION_SHIFT) + 1
        first = compacted(generation, datetime.now(UTC))
        return b"".join(map(to_line, (first, *self.rewriting.news())))

    def _copy(self, position: int, looked_to: int, fresh: BinaryIO) -> int:
        """Returns how far."""
        reached = position
        for reached, line in stored_lines(self.events, position):
            if reached > looked_to:
                self.rewriting.look(line)
            kept = self.rewriting.keep(line)
            if kept is not None:
                fresh.write(kept + b"\n")
        return reached
