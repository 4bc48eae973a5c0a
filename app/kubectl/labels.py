"""Whether a command has to do with a label that is protected."""

import re
from collections.abc import Iterator, Mapping

from app.kubectl.command import ParsedCommand
from app.kubectl.patches import UnreadablePatch, patch_fields

CHANGING_VERBS = frozenset({"label", "set selector"})
SELECTING_FLAGS = ("selector", "pod-selector")

_EQUAL = re.compile(r"\s*(?P<key>[^\s!=()]+)\s*==?\s*(?P<value>[^\s!=()]*)\s*")
_WORDS = re.compile(r"[^\s!=(),]+")


def has_label(labels: Mapping[str, str], label: str) -> bool:
    """Whether the labels of an object have this one, written `key` or `key=value`."""
    key, equals, value = label.partition("=")
    return key in labels and (not equals or labels[key] == value)


def changes_label(command: ParsedCommand, label: str) -> bool:
    """Whether the command gives or takes the label, or chooses objects by it."""
    key, _, value = label.partition("=")
    if command.path in CHANGING_VERBS and key in _changed(command):
        return True
    if any(_may_choose(command.value(flag) or "", key, value) for flag in SELECTING_FLAGS):
        return True
    return _patches(command, key)


def _changed(command: ParsedCommand) -> set[str]:
    return {re.split(r"=|-$", word)[0] for word in command.args}


def _may_choose(selector: str, key: str, value: str) -> bool:
    """Only `key=another` is sure to mean other objects."""
    if key not in _WORDS.findall(selector):
        return False
    others = (_EQUAL.fullmatch(part) for part in selector.split(","))
    return not any(
        found and found["key"] == key and value and found["value"] != value for found in others
    )


def _patches(command: ParsedCommand, key: str) -> bool:
    patch = command.value("patch")
    last = key.rpartition("/")[2]
    return bool(patch) and any(name in (key, last) for name in _fields(patch or ""))


def _fields(patch: str) -> Iterator[str]:
    try:
        yield from (name for name, _ in patch_fields(patch))
    except UnreadablePatch:
        return
