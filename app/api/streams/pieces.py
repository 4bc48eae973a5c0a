"""Cutting events into pieces that a connection's buffer can hold."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.api.streams.entries import Entry
from app.api.streams.terms import Terms

PIECE_BYTES = 32 * 1024
"""With as much again in the transport, a reader never costs more than 64 KiB."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What a reader gets next; one event may be larger than a piece should be."""

    entries: Sequence[Entry]
    size: int
    reached: int
    """Where the reader stands after it, past what its terms leave out."""
    is_end: bool


def cut_piece(entries: Sequence[Entry], terms: Terms, final: int) -> Piece:
    """The first piece of what follows a reader's position; there is at least one entry."""
    chosen: list[Entry] = []
    size, reached = 0, entries[0].seq - 1
    for entry in entries:
        if terms.wants(entry):
            if chosen and size + len(entry.block) > PIECE_BYTES:
                break
            chosen.append(entry)
            size += len(entry.block)
        reached = entry.seq
        if terms.ends_at(entry, final):
            return Piece(chosen, size, reached, is_end=True)
    return Piece(chosen, size, reached, is_end=False)
