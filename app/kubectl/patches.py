"""Reads what a patch would set, whatever kind of patch it is."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from app.domain.errors import BadInput

_WHOLE_METADATA = frozenset({"", "/", "/metadata"})


class UnreadablePatch(BadInput):
    """The patch cannot be judged."""


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with every key it was given, repeated ones too."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


# Several rules look at the same patch, one after the other.
@lru_cache(maxsize=4)
def patch_fields(text: str) -> tuple[tuple[str, Any], ...]:
    """Every field that the patch names, with its value; raises UnreadablePatch."""
    try:
        return tuple(_fields(_DECODER.decode(text)))
    except (ValueError, RecursionError):
        raise UnreadablePatch("the patch is not readable JSON") from None


def _fields(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, _Pairs):
        for key, inner in value:
            if key == "$patch" and _removes_by_name(value):
                continue
            if key == "metadata" and not isinstance(inner, _Pairs):
                raise UnreadablePatch("the patch replaces the metadata")
            for part in key.split("/"):
                yield part, inner
            yield from _fields(inner)
        yield from _pointer_fields(value)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner)


def _removes_by_name(pairs: _Pairs) -> bool:
    """An item of a list, such as a variable, that the patch names and takes away."""
    members = dict(pairs)
    is_named = len(pairs) == len(members) == 2 and isinstance(members.get("name"), str)
    return is_named and members["$patch"] == "delete"


def _pointer_fields(pairs: _Pairs) -> Iterator[tuple[str, Any]]:
    """The fields that an operation of a JSON patch points at."""
    members = dict(pairs)
    if "op" not in members:
        return
    if members["op"] in ("move", "copy"):
        raise UnreadablePatch("the patch moves or copies a value that it does not show")
    for pointer in (members.get("path"), members.get("from")):
        if not isinstance(pointer, str):
            continue
        if pointer.rstrip("/") in _WHOLE_METADATA:
            raise UnreadablePatch("the patch replaces the metadata")
        for part in pointer.split("/"):
            yield part, members.get("value")
