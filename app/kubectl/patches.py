"""Reads what a patch would set and remove, whatever kind of patch it is."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from app.domain.errors import BadInput

_WHOLE_METADATA = frozenset({"", "metadata"})
_NUMBER = re.compile(r"-?\d+", re.ASCII)
_NOTHING: tuple[Any, ...] = (None, {}, [])


class UnreadablePatch(BadInput):
    """The patch cannot be judged."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What a patch says, in the order of its text."""

    fields: tuple[tuple[str, Any], ...]
    """Every field that it names, with its value; of a name with a slash, its parts as well."""
    removed: tuple[str, ...]
    """Fields that are gone afterwards."""
    replaced: tuple[str, ...]
    """Lists and objects that an operation of a JSON patch puts in the place of what was there."""
    numbered: tuple[str, ...]
    """Lists of which an operation of a JSON patch removes or replaces an item by its number."""
    lists: tuple[str, ...]
    """Fields that are given a list; a merge patch puts it in the place of what was there."""
    pointers: tuple[str, ...]
    """Where the operations of a JSON patch point."""
    repeated: tuple[str, ...]
    """Names that one object has twice: programs differ in which of them counts."""
    open_tolerations: int
    """Tolerations without a key: of every taint."""
    texts: tuple[str, ...]
    """Every string among the values."""


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with every key it was given, repeated ones too."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


# Several rules look at the same patch, one after the other.
@lru_cache(maxsize=4)
def read_patch(text: str) -> Patch:
    """What it says; raises UnreadablePatch."""
    reader = _Reader()
    try:
        reader.read(_DECODER.decode(text))
    except (ValueError, RecursionError):
        raise UnreadablePatch("the patch is not readable JSON") from None
    return reader.patch()


def patch_fields(text: str) -> tuple[tuple[str, Any], ...]:
    """Every field that the patch names, with its value; raises UnreadablePatch."""
    return read_patch(text).fields


class _Reader:
    """Goes over the patch once."""

    def __init__(self) -> None:
        self._fields: list[tuple[str, Any]] = []
        self._removed: list[str] = []
        self._replaced: list[str] = []
        self._numbered: list[str] = []
        self._lists: list[str] = []
        self._pointers: list[str] = []
        self._repeated: list[str] = []
        self._open_tolerations = 0
        self._texts: list[str] = []

    def patch(self) -> Patch:
        return Patch(
            fields=tuple(self._fields),
            removed=tuple(self._removed),
            replaced=tuple(self._replaced),
            numbered=tuple(self._numbered),
            lists=tuple(self._lists),
            pointers=tuple(self._pointers),
            repeated=tuple(self._repeated),
            open_tolerations=self._open_tolerations,
            texts=tuple(self._texts),
        )

    def read(self, value: Any) -> None:
        if isinstance(value, _Pairs):
            self._read_object(value)
        elif isinstance(value, list):
            for inner in value:
                self.read(inner)
        elif isinstance(value, str):
            self._texts.append(value)

    def _read_object(self, pairs: _Pairs) -> None:
        is_removal = _removes_by_name(pairs)
        for key, inner in pairs:
            if key != "$patch" or not is_removal:
                self._read_member(key, inner)
        members = dict(pairs)
        if len(members) < len(pairs):
            self._repeated += _repeated([key for key, _ in pairs])
        if "operator" in members and _tolerates_everything(pairs):
            self._open_tolerations += 1
        if "op" in members:
            self._read_operation(members)

    def _read_member(self, key: str, inner: Any) -> None:
        if key == "metadata" and not isinstance(inner, _Pairs):
            raise UnreadablePatch("the patch replaces the metadata")
        self._name(key, inner)
        if inner is None:
            self._removed.append(key)
        elif type(inner) is list:
            self._lists.append(key)
        self.read(inner)

    def _read_operation(self, members: dict[str, Any]) -> None:
        if members["op"] in ("move", "copy"):
            raise UnreadablePatch("the patch moves or copies a value that it does not show")
        for pointer in (members.get("path"), members.get("from")):
            if isinstance(pointer, str):
                self._read_pointer(pointer, members)

    def _read_pointer(self, pointer: str, members: dict[str, Any]) -> None:
        value = members.get("value")
        parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")]
        if pointer and not pointer.startswith("/"):
            raise UnreadablePatch(f"{pointer!r} is no path in an object: it begins with /")
        if parts[-1] in _WHOLE_METADATA:
            raise UnreadablePatch("the patch replaces the metadata")
        for part in parts:
            self._name(part, value)
        self._pointers.append(pointer)
        if members["op"] == "test":
            return
        if members["op"] != "add" and _NUMBER.fullmatch(parts[-1]):
            self._numbered.append(parts[-2])
        elif members["op"] == "remove" or value in _NOTHING:
            self._removed.append(parts[-1])
        elif isinstance(value, list):
            self._replaced.append(parts[-1])

    def _name(self, name: str, value: Any) -> None:
        self._fields.append((name, value))
        if "/" in name:
            self._fields += [(part, value) for part in name.split("/")]


def _repeated(keys: Sequence[str]) -> list[str]:
    return [key for key in dict.fromkeys(keys) if keys.count(key) > 1]


def _tolerates_everything(pairs: _Pairs) -> bool:
    keys = [value for key, value in pairs if key == "key"]
    return ("operator", "Exists") in pairs and (not keys or not all(keys))


def _removes_by_name(pairs: _Pairs) -> bool:
    """An item of a list, such as a variable, that the patch names and takes away."""
    members = dict(pairs)
    is_named = len(pairs) == len(members) == 2 and isinstance(members.get("name"), str)
    return is_named and members.get("$patch") == "delete"
