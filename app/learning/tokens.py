"""The tokens of all cases: a number for each, how much it tells, and which cases have it."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from math import isnan, log, nan

from app.domain.feedback import Signature
from app.domain.snapshots import Part, Parts
from app.learning.directory import Directory, Hashes
from app.learning.parts import columns_of, named, of, put_columns
from app.learning.token_sets import decode, encode

POSTINGS = 1000
"""Of a token that many cases share, only the newest are looked at."""
SURPLUS = 100
"""So many more are kept before the oldest are let go, all at once."""
MODE_WEIGHT = 2.0
PAIR_WEIGHT = 0.5
"""Pairs are rare, so their rarity alone would drown the words."""
EMPHASES = (1.0, PAIR_WEIGHT, MODE_WEIGHT)
COMMON = 65536
"""So many tokens' numbers are known without their hashes, those of the last incidents."""


class TokenTable:
    """An inverted index; cases are known by their slots."""

    def __init__(self, hashes: Hashes | None = None) -> None:
        """No tokens yet."""
        self._names = Directory(hashes)
        self._number = lru_cache(COMMON)(self._number_of)
        self._emphases = bytearray()
        """Places in EMPHASES."""
        self._counts = array("I")
        self._first = array("I")
        self._slots: dict[int, array[int]] = {}
        """Of the tokens that more than one case had; most are rare, and `_first` is enough."""
        self._squares = array("f")

    def encode(self, signature: Signature) -> bytes:
        """A signature's tokens as numbers; equal sets are equal."""
        # By name: the numbers, and with them every sum, are the same in every process.
        return encode(sorted(map(self._number, sorted(tokens_of_signature(signature)))))

    def known(self, tokens: Iterable[str]) -> dict[str, int]:
        """Those that some case had, in alphabetical order of their names, with their numbers."""
        found = ((name, self._names.find(name)) for name in sorted(tokens))
        return {name: token for name, token in found if token is not None}

    def add(self, slot: int, encoded: bytes) -> None:
        """A case with these tokens, newer than every other one."""
        for token in decode(encoded):
            slots = self._slots.get(token)
            if slots is not None:
                slots.append(slot)
                if len(slots) >= POSTINGS + SURPLUS:
                    del slots[:-POSTINGS]
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
        self._squares = array("f", [nan]) * len(self._counts)

    def square(self, token: int, cases: int) -> float:
        """The squared weight of a token: rare ones tell more, the failure mode most."""
        square = self._squares[token]
        if isnan(square):
            emphasis = EMPHASES[self._emphases[token]]
            self._squares[token] = _square(emphasis, self._counts[token], cases)
            # As the column rounds it.
            square = self._squares[token]
        return square

    def parts(self) -> Parts:
        """Everything but the weights and the key of the hashes."""
        tokens = array("I", self._slots)
        lengths = array("I", map(len, self._slots.values()))
        slots = array("I")
        for own in self._slots.values():
            slots.extend(own)
        postings: Parts = {"tokens": tokens, "lengths": lengths, "slots": slots}
        return columns_of(self) | postings | named("names", self._names.parts())

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Know what another one knew, with hashes under the same key."""
        self._names.restore(of("names", parts))
        self._number.cache_clear()
        put_columns(self, {"_squares": self._squares, **parts})
        slots = array("I", parts["slots"])
        ends = pairwise(accumulate(parts["lengths"], initial=0))
        self._slots = {
            token: slots[begin:end]
            for token, (begin, end) in zip(parts["tokens"], ends, strict=True)
        }
        self.weigh_anew()

    def _number_of(self, name: str) -> int:
        token = self._names.number(name)
        if token == len(self._counts):
            self._emphases.append(_emphasis(name))
            self._counts.append(0)
            self._first.append(0)
            self._squares.append(nan)
        return token


def square_of_new(name: str, cases: int) -> float:
    """The squared weight of a token that no case ever had."""
    return _square(EMPHASES[_emphasis(name)], 0, cases)


def tokens_of_signature(signature: Signature) -> frozenset[str]:
    """Its tokens, and the failure mode as one that weighs more."""
    mode = signature.failure_mode
    named_mode = {f"mode:{mode}"} if mode and mode != "unknown" else set()
    return frozenset(signature.tokens) | named_mode


def _square(emphasis: float, count: int, cases: int) -> float:
    return (emphasis * log(1 + cases / max(count, 1))) ** 2


def _emphasis(name: str) -> int:
    """Its place in EMPHASES."""
    if name.startswith("mode:"):
        return 2
    return 1 if " " in name else 0
