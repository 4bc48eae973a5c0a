"""How a command left its object, kept without any value, and what somebody changed since."""

import hashlib
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from app.domain.proof import LeftState
from app.kubectl.cluster_object import ClusterObject, Target
from app.kubectl.field_diff import Fields, comparable, identity_of

DIGEST_CHARACTERS = 8
"""Enough to see a change, too few to find a value by trying."""
MOST_TOLD = 3
_SECRET_FIELDS = frozenset({"data", "stringData"})


def left_state(target: Target, found: ClusterObject | None) -> LeftState:
    """What is there now; None stands for "not there"."""
    salt = secrets.token_hex(8)
    leaves = _leaves(found)
    return LeftState(
        reference=target.reference,
        is_there=found is not None,
        uid=found.uid if found else "",
        salt=salt,
        digests={path: _digest(salt, value) for path, value in leaves.items()},
    )


def changed_since(
    left: LeftState, found: ClusterObject | None, fields: Sequence[str]
) -> tuple[str, ...]:
    """What differs in these fields, or in anything where there are none, each in a few words."""
    if found is None:
        return ("it is gone",) if left.is_there else ()
    if not left.is_there:
        return ("it is there again",)
    if found.uid != left.uid:
        return ("it was made anew",)
    now = _leaves(found)
    differing = [
        path
        for path in sorted(left.digests.keys() | now.keys())
        if _is_within(path, fields)
        and left.digests.get(path) != (_digest(left.salt, now[path]) if path in now else None)
    ]
    told = [_told(path, now.get(path)) for path in differing[:MOST_TOLD]]
    more = len(differing) - len(told)
    return (*told, f"{more} more") if more else tuple(told)


def differing_fields(before: ClusterObject, after: ClusterObject) -> tuple[str, ...]:
    """The fields that a change touches, and so does taking it back."""
    old, new = _leaves(before), _leaves(after)
    return tuple(path for path in sorted(old.keys() | new.keys()) if old.get(path) != new.get(path))


def _leaves(found: ClusterObject | None) -> Mapping[str, JsonValue]:
    """By path every value that is no object; a secret's contents are none of them."""
    fields = comparable(found)
    if found is not None and found.kind == "secret":
        fields = {key: fields[key] for key in fields if key not in _SECRET_FIELDS}
    return dict(_of_fields("", fields))


def _of_fields(path: str, fields: Fields) -> Iterator[tuple[str, JsonValue]]:
    for key, value in fields.items():
        word = f"[{key}]" if "." in key or "/" in key else key if not path else f".{key}"
        yield from _of_value(f"{path}{word}", value)


def _of_value(path: str, value: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    if isinstance(value, dict):
        yield from _of_fields(path, value)
    elif isinstance(value, list) and (name := identity_of(value)):
        for item in value:
            assert isinstance(item, dict)
            yield from _of_fields(f"{path}[{item[name]}]", item)
    else:
        yield path, value


def _is_within(path: str, fields: Sequence[str]) -> bool:
    return not fields or any(
        path == field or path.startswith((f"{field}.", f"{field}[")) for field in fields
    )


def _digest(salt: str, value: JsonValue) -> str:
    text = json.dumps([salt, value], sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:DIGEST_CHARACTERS]


def _told(path: str, value: JsonValue) -> str:
    """Text can hold a secret under any name, an image's cannot."""
    if value is None:
        return f"{path} is not set now"
    if isinstance(value, int | float):
        return f"{path} is {json.dumps(value)} now"
    return f"{path} is {value} now" if path.endswith(".image") else f"{path} is another one now"
