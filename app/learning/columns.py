"""Columns for what is more than one number per plan: names, and the examples that were shown."""

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Self

from app.domain.feedback import ShownExample
from app.domain.guidance import ExampleRole
from app.domain.snapshots import Part, Parts
from app.learning.directory import Hashes
from app.learning.parts import columns_of, put_columns

NAMES_LIMIT = 10_000
"""A model may make up names without end; those over the limit share one."""
OTHER = "other"
MOST_SHOWN = 255


class Names:
    """Numbers names in the order they come; there are few."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        """No names yet, or those of another one, by their numbers."""
        self._numbers: dict[str, int] = {name: number for number, name in enumerate(names)}

    def number(self, name: str) -> int:
        """The name's number, given out now when it is new; at most NAMES_LIMIT."""
        if name not in self._numbers and len(self._numbers) >= NAMES_LIMIT:
            name = OTHER
        return self._numbers.setdefault(name, len(self._numbers))

    def all(self) -> list[str]:
        """Every name, by its number."""
        return [*self._numbers]

    def copy(self) -> Self:
        """The names so far."""
        return type(self)(self._numbers)


class Shown:
    """By plan the examples that its reasoner saw, as hashes of their feedback ids, nine bytes each."""

    def __init__(self, hashes: Hashes) -> None:
        """No plans yet."""
        self._hashes = hashes
        self._first = array("I")
        self._counts = bytearray()
        self._examples = array("Q")
        self._is_avoided = bytearray()
        """Whether the example was shown as one not to follow."""

    def append(self) -> None:
        """Have a row for one more plan."""
        self._first.append(0)
        self._counts.append(0)

    def put(self, plan: int, shown: Sequence[ShownExample]) -> None:
        """Keep what a plan was shown; it seldom changes, and then takes new room if it is more."""
        shown = shown[:MOST_SHOWN]
        hashes = array("Q", (self._hashes.of(one.feedback_id) for one in shown))
        roles = bytes(one.role is ExampleRole.REJECTED for one in shown)
        if len(shown) > self._counts[plan]:
            self._first[plan] = len(self._examples)
            self._examples.extend(hashes)
            self._is_avoided.extend(roles)
        first = self._first[plan]
        self._examples[first : first + len(shown)] = hashes
        self._is_avoided[first : first + len(shown)] = roles
        self._counts[plan] = len(shown)

    def most_used(self, limit: int) -> list[int]:
        """The hashes of the examples that were shown to the most plans, those first."""
        rows = zip(self._first, self._counts, strict=True)
        shown = (self._examples[first : first + count] for first, count in rows if count)
        return [example for example, _ in Counter(chain.from_iterable(shown)).most_common(limit)]

    def of(self, plan: int) -> Iterator[tuple[int, bool]]:
        """Each example's hash, and whether it was shown as one not to follow."""
        first = self._first[plan]
        for place in range(first, first + self._counts[plan]):
            yield self._examples[place], bool(self._is_avoided[place])

    def parts(self) -> Parts:
        """Every row."""
        return columns_of(self)

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Have the rows of another one, with hashes under the same key."""
        put_columns(self, parts)

    def copy(self) -> Self:
        """The rows so far."""
        copied = type(self)(self._hashes)
        copied.restore({name: column[:] for name, column in self.parts().items()})
        return copied
