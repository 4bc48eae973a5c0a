"""The tokens of every case in one piece of memory: two bytes for a common one, four for a rare one."""

import sys
from array import array
from collections.abc import Mapping, Sequence

from app.domain.snapshots import Part, Parts
from app.learning.parts import columns_of, put_columns

SMALL = (1 << 16) - 1
"""Tokens have numbers in the order they come, so that common ones are below."""


class TokenSets:
    """By slot its tokens, encoded; a slot's never change."""

    def __init__(self) -> None:
        """No slots yet."""
        self._bytes = bytearray()
        self._ends = array("Q")

    def append(self, encoded: bytes) -> None:
        """The next slot's."""
        self._bytes += encoded
        self._ends.append(len(self._bytes))

    def of(self, slot: int) -> bytes:
        """What was given for a slot."""
        begin = self._ends[slot - 1] if slot else 0
        return bytes(self._bytes[begin : self._ends[slot]])

    def parts(self) -> Parts:
        """All of it."""
        return columns_of(self)

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Have those of another one."""
        put_columns(self, parts)


def encode(tokens: Sequence[int]) -> bytes:
    """Numbers in rising order as one value; how many small ones comes first."""
    small = array("H", (token for token in tokens if token < SMALL))
    large = array("I", tokens[len(small) :])
    return array("H", [len(small)]).tobytes() + small.tobytes() + large.tobytes()


def decode(encoded: bytes) -> list[int]:
    """The numbers that `encode` made one value of."""
    data, end = memoryview(encoded), 2 + 2 * int.from_bytes(encoded[:2], sys.byteorder)
    # An empty view has no other form.
    small: list[int] = data[2:end].cast("H").tolist() if end > 2 else []
    return small + data[end:].cast("I").tolist() if end < len(encoded) else small
