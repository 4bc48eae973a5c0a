"""Keeps equal values once and numbers them: of a million cases only some thousands differ."""

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from app.domain.snapshots import Part, Parts
from app.learning.parts import from_json, to_json

T = TypeVar("T", bound=Hashable)


class Kinds(Generic[T]):
    """Values by their numbers, in the order they come."""

    def __init__(self, adapter: TypeAdapter[list[T]]) -> None:
        """No values yet."""
        self._adapter = adapter
        self._numbers: dict[T, int] = {}
        self._values: list[T] = []

    def __getitem__(self, number: int) -> T:
        """The value with this number."""
        return self._values[number]

    def number(self, value: T) -> int:
        """The value's number, given out now when it is new."""
        number = self._numbers.setdefault(value, len(self._values))
        if number == len(self._values):
            self._values.append(value)
        return number

    def parts(self) -> Parts:
        """All of them."""
        return {"values": to_json(self._adapter, self._values)}

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Have the values of another one, with the same numbers."""
        self._values = from_json(self._adapter, parts["values"])
        self._numbers = {value: number for number, value in enumerate(self._values)}
