"""Numbers keys in the order they come, in 14 to 20 bytes each: no key is kept, only its hash."""

from array import array

HASH_BITS = 64
"""Two of a million keys share a hash once in thirty million such sets; nobody can choose them."""
_FEWEST = 64


def hash_of(key: object) -> int:
    """The same for equal keys, as long as this process lives."""
    return hash(key) & (1 << HASH_BITS) - 1


class Directory:
    """A hash table in two arrays: a dictionary of the same takes seven times as much."""

    def __init__(self) -> None:
        """No keys yet."""
        self._hashes = array("Q")
        self._table = array("I", [0]) * _FEWEST
        """Numbers, each one higher than it is: 0 is a free place."""

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self._hashes)

    def find(self, key: str) -> int | None:
        """The key's number; None when it is new."""
        return self.find_hash(hash_of(key))

    def find_hash(self, hashed: int) -> int | None:
        """The number of the key with this hash; None when it is new."""
        found = self._table[self._place(hashed)]
        return found - 1 if found else None

    def number(self, key: str) -> int:
        """The key's number, given out now when it is new."""
        hashed = hash_of(key)
        place = self._place(hashed)
        if self._table[place]:
            return self._table[place] - 1
        self._hashes.append(hashed)
        self._table[place] = len(self)
        if 3 * len(self) > 2 * len(self._table):
            self._grow()
        return len(self) - 1

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
