"""The tokens of all cases: a number for each, how much it tells, and which cases have it."""

from array import array
from collections.abc import Iterable, Sequence
from math import isnan, log, nan

from app.domain.feedback import Signature
from app.learning.directory import Directory

POSTINGS = 2000
"""Of a token that many cases share, only the newest are looked at."""
MODE_WEIGHT = 2.0
PAIR_WEIGHT = 0.5
"""Pairs are rare, so their rarity alone would drown the words."""


class TokenTable:
    """An inverted index; cases are known by their slots."""

    def __init__(self) -> None:
        """No tokens yet."""
        self._names = Directory()
        self._emphasis = array("d")
        self._counts = array("I")
        self._first = array("I")
        self._slots: dict[int, array[int]] = {}
        """Of the tokens that more than one case had; most are rare, and `_first` is enough."""
        self._squares = array("d")

    def encode(self, signature: Signature) -> bytes:
        """A signature's tokens as numbers; equal sets are equal."""
        return array("I", sorted(map(self._number, tokens_of_signature(signature)))).tobytes()

    def known(self, tokens: Iterable[str]) -> list[int]:
        """Those that some case had, in alphabetical order of their names."""
        found = map(self._names.find, sorted(tokens))
        return [token for token in found if token is not None]

    def add(self, slot: int, encoded: bytes) -> None:
        """A case with these tokens, newer than every other one."""
        for token in decode(encoded):
            slots = self._slots.get(token)
            if slots is not None:
                slots.append(slot)
                if len(slots) == 2 * POSTINGS:
                    del slots[:POSTINGS]
            elif self._counts[token]:
                self._slots[token] = array("I", (self._first[token], slot))
            else:
                self._first[token] = slot
            self._counts[token] += 1

    def remove(self, slot: int, encoded: bytes) -> None:
        """Take a case out again."""
        for token in decode(encoded):
            self._counts[token] -= 1
            slots = self._slots.get(token)
            if slots is not None and slot in slots:
                slots.remove(slot)

    def newest(self, token: int) -> Sequence[int]:
        """The newest cases that have it, oldest first."""
        slots = self._slots.get(token)
        if slots is not None:
            return slots[-POSTINGS:]
        return self._first[token : token + 1] if self._counts[token] else ()

    def weigh_anew(self) -> None:
        """Forget the weights: so many cases have come that they have changed."""
        self._squares = array("d", [nan]) * len(self._counts)

    def square(self, token: int, cases: int) -> float:
        """The squared weight of a token: rare ones tell more, the failure mode most."""
        square = self._squares[token]
        if isnan(square):
            square = _square(self._emphasis[token], self._counts[token], cases)
            self._squares[token] = square
        return square

    def square_of(self, name: str, cases: int) -> float:
        """The same for any token, also one that no case ever had."""
        token = self._names.find(name)
        return _square(_emphasis(name), 0, cases) if token is None else self.square(token, cases)

    def _number(self, name: str) -> int:
        token = self._names.number(name)
        if token == len(self._counts):
            self._emphasis.append(_emphasis(name))
            self._counts.append(0)
            self._first.append(0)
            self._squares.append(nan)
        return token


def decode(encoded: bytes) -> "array[int]":
    """The tokens that `TokenTable.encode` made one value of."""
    return array("I", encoded)


def tokens_of_signature(signature: Signature) -> frozenset[str]:
    """Its tokens, and the failure mode as one that weighs more."""
    mode = signature.failure_mode
    named = {f"mode:{mode}"} if mode and mode != "unknown" else set()
    return frozenset(signature.tokens) | named


def _square(emphasis: float, count: int, cases: int) -> float:
    return (emphasis * log(1 + cases / max(count, 1))) ** 2


def _emphasis(name: str) -> float:
    if name.startswith("mode:"):
        return MODE_WEIGHT
    return PAIR_WEIGHT if " " in name else 1.0
