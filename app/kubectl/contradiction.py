"""Whether two changes cannot both be meant: the second takes away what the first does (pure)."""

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from app.kubectl.command import ParsedCommand
from app.kubectl.parser import parse
from app.kubectl.words import UnparseableCommand

REMEMBERED = 1024
"""Commands that are not parsed again for each one they are compared with."""
_FLAGS = {
    "scale": ("replicas",),
    "autoscale": ("min", "max", "cpu-percent"),
    "set resources": ("limits", "requests"),
}
_TURNS_BACK = frozenset({"rollout undo"})
"""Done twice, it is as if it had not been done."""
_PAIRS = frozenset({"set image", "set env", "label", "annotate", "taint"})

Settings = Iterator[tuple[str, str]]


def contradicts(command: str, earlier: Sequence[str]) -> bool:
    """Whether a command gives a field another value than one before it, or takes that one back."""
    mine = _parsed(command)
    return mine is not None and any(
        _differ(mine, other) for text in earlier if (other := _parsed(text))
    )


@lru_cache(REMEMBERED)
def _parsed(text: str) -> ParsedCommand | None:
    try:
        return parse(text)
    except UnparseableCommand:
        return None


def _differ(one: ParsedCommand, other: ParsedCommand) -> bool:
    if one.path != other.path or not _share_object(one, other):
        return False
    if one.path in _TURNS_BACK and not (one.value("to-revision") or other.value("to-revision")):
        return True
    before = dict(_settings(other))
    return any(before.get(field, value) != value for field, value in _settings(one))


def _share_object(one: ParsedCommand, other: ParsedCommand) -> bool:
    named = {resource for resource in one.resources if resource[1]}
    namespaces = {one.namespace, other.namespace} - {None}
    return len(namespaces) < 2 and not named.isdisjoint(other.resources)


def _settings(command: ParsedCommand) -> Settings:
    """The fields that a command sets, with their values."""
    container = command.value("containers") or "*"
    for flag in _FLAGS.get(command.path, ()):
        for part in (command.value(flag) or "").split(","):
            field, is_pair, value = part.partition("=")
            if part:
                yield (f"{container} {flag} {field}", value) if is_pair else (flag, part)
    if command.path in _PAIRS:
        pairs = (word.partition("=") for word in command.args)
        yield from ((field.removesuffix("-"), value) for field, _, value in pairs)
    if command.path == "patch":
        yield from _patched(command.value("patch") or "")


def _patched(patch: str) -> Settings:
    try:
        yield from _leaves(json.loads(patch), "")
    except (ValueError, RecursionError):
        return


def _leaves(value: Any, path: str) -> Settings:
    """Every field of a document; an item of a list goes by its name, where it has one."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{path}.{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            name = item.get("name", place) if isinstance(item, dict) else place
            yield from _leaves(item, f"{path}[{name}]")
    else:
        yield path, json.dumps(value)
