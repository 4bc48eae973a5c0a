"""Takes what objects know apart into named columns for a snapshot, and puts it in again."""

from array import array
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter

from app.domain.snapshots import Part, Parts

T = TypeVar("T")


def columns_of(owner: object) -> Parts:
    """Its attributes that are columns."""
    found = vars(owner).items()
    return {name: value for name, value in found if isinstance(value, array | bytearray)}


def put_columns(owner: object, parts: Mapping[str, Part]) -> None:
    """Have the columns that `columns_of` gave."""
    for name in columns_of(owner):
        setattr(owner, name, parts[name])


def named(prefix: str, parts: Mapping[str, Part]) -> Parts:
    """Under a name of their own, so that several owners' parts stand together."""
    return {f"{prefix}.{name}": part for name, part in parts.items()}


def of(prefix: str, parts: Mapping[str, Part]) -> Parts:
    """Those that `named` put under this name."""
    head = f"{prefix}."
    return {name.removeprefix(head): part for name, part in parts.items() if name.startswith(head)}


def to_json(adapter: TypeAdapter[T], value: T) -> bytearray:
    """A value that is no column."""
    return bytearray(adapter.dump_json(value))


def from_json(adapter: TypeAdapter[T], part: Any) -> T:
    """The value that `to_json` made a part of."""
    return adapter.validate_json(bytes(part))
