"""Reads a copy of the audit trail line by line and says where it is not what was written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from app.domain.audit import FIRST_HASH, AuditEntry

LAST = b""


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """A line that is not what it has to be."""

    number: int
    """As editors count."""
    reason: str


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """A line that is whole and follows on the one before."""

    number: int
    entry: AuditEntry


def check_lines(lines: Iterable[bytes]) -> Iterator[CheckedLine | AuditProblem]:
    """Each whole line, up to the first problem; lines come with their ends."""
    seq, prev = 0, FIRST_HASH
    for number, (line, following) in enumerate(pairwise(_ended(lines)), start=1):
        if not line.endswith(b"\n"):
            yield AuditProblem(number, "has no end; the next start of the server writes it again")
            return
        text = line.removesuffix(b"\n")
        if text and following.startswith(text) and following.removesuffix(b"\n") != text:
            # A killed server left the beginning of what was then written again.
            continue
        entry = AuditEntry.from_line(text)
        reason = "was changed or is damaged" if entry is None else _misplaced(entry, seq, prev)
        if entry is None or reason is not None:
            yield AuditProblem(number, reason or "")
            return
        seq, prev = entry.seq, entry.hash
        yield CheckedLine(number, entry)


def _ended(lines: Iterable[bytes]) -> Iterator[bytes]:
    """So that the last one has one after it, too."""
    yield from lines
    yield LAST


def _misplaced(entry: AuditEntry, seq: int, prev: str) -> str | None:
    if entry.seq > seq + 1:
        return f"follows on entry {entry.seq - 1}, but the line before is entry {seq}: lines are missing"
    if entry.seq <= seq:
        return f"is entry {entry.seq} once more: it was inserted"
    if entry.prev != prev:
        return "does not follow on the line before: one of both was put in place of another"
    return None
