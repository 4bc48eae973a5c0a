"""Numbers keys in the order they come, in 14 to 20 bytes each: no key is kept, only its hash."""

from array import array
from collections.abc import Mapping
from hashlib import blake2b
from secrets import token_bytes

from app.domain.snapshots import Part, Parts
from app.learning.parts import columns_of, put_columns

HASH_BYTES = 8
"""Two of a million keys share a hash once in thirty million such sets; nobody can choose them."""
KEY_BYTES = 16
_FEWEST = 64


class Hashes:
    """Hashes of texts under a secret key: the same as long as the key is kept."""

    def __init__(self, key: bytes | None = None) -> None:
        """With a new key unless one is given."""
        self.key = key or token_bytes(KEY_BYTES)

    def of(self, text: str) -> int:
        """The same for equal texts."""
        data = text.encode("utf-8", "surrogatepass")
        return int.from_bytes(blake2b(data, digest_size=HASH_BYTES, key=self.key).digest())


class Directory:
    """A hash table in two arrays: a dictionary of the same takes seven times as much."""

    def __init__(self, hashes: Hashes | None = None) -> None:
        """No keys yet."""
        self._hash_of = (hashes or Hashes()).of
        self._hashes = array("Q")
        self._table = array("I", [0]) * _FEWEST
        """Numbers, each one higher than it is: 0 is a free place."""

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._hashes)

    def find(self, key: str) -> int | None:
        """The key's number; None when it is new."""
        return self.find_hash(self._hash_of(key))

    def find_hash(self, hashed: int) -> int | None:
        """The number of the key with this hash; None when it is new."""
        found = self._table[self._place(hashed)]
        return found - 1 if found else None

    def number(self, key: str) -> int:
        """The key's number, given out now when it is new."""
        hashed = self._hash_of(key)
        place = self._place(hashed)
        if self._table[place]:
            return self._table[place] - 1
        self._hashes.append(hashed)
        self._table[place] = len(self)
        if 3 * len(self) > 2 * len(self._table):
            self._grow()
        return len(self) - 1

    def parts(self) -> Parts:
        """All of it but the key of its hashes."""
        return columns_of(self)

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Be as another one was, with hashes under the same key."""
        put_columns(self, parts)

    def _place(self, hashed: int) -> int:
        """Where it is, or the free place where it belongs."""
        last = len(self._table) - 1
        place = hashed & last
        while (found := self._table[place]) and self._hashes[found - 1] != hashed:
            place = place + 1 & last
        return place

    def _grow(self) -> None:
        self._table = array("I", [0]) * (2 * len(self._table))
        for number, hashed in enumerate(self._hashes, 1):
            self._table[self._place(hashed)] = number
