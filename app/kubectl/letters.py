"""The rule that refuses letters that are not what they seem, wherever a command holds them."""

import re
from collections.abc import Iterator
from itertools import chain

from app.kubectl.case import Case
from app.kubectl.command import ParsedCommand
from app.kubectl.patches import Patch, UnreadablePatch, read_patch
from app.kubectl.policy_parts import FreeText
from app.kubectl.words import is_misleading, name_of

_NOT_OF_NAMES = re.compile(r"[^\x20-\x7e]")
_UNUSUAL = re.compile(r"[^\t\n\r\x20-\x7e]")


def refused_letters(case: Case) -> Iterator[str]:
    """Other letters than ASCII in names and keys; in a patch, what its escapes hide as well."""
    free, command = case.policy.free_text, case.command
    if not _is_ascii(command):
        for word in _names(command, free):
            if not word.isascii():
                yield _refusal(word)
    text = command.value("patch")
    if text is None or ("\\" not in text and text.isascii()):
        return
    try:
        yield from _in_patch(read_patch(text), free)
    except UnreadablePatch:
        return


def _is_ascii(command: ParsedCommand) -> bool:
    words = [*command.args, *chain.from_iterable(command.flags.values())]
    words += [name for _, name in command.resources if name]
    return "".join(words).isascii()


def _names(command: ParsedCommand, free: FreeText) -> Iterator[str]:
    """Everything but the values in which any text may stand."""
    yield from (name for _, name in command.resources if name)
    is_free = command.path in free.verbs
    for word in command.args:
        yield word.partition("=")[0] if is_free else word
    for flag, values in command.flags.items():
        if flag not in free.whole_flags:
            for value in values:
                yield value.partition("=")[0] if flag in free.flags else value


def _in_patch(patch: Patch, free: FreeText) -> Iterator[str]:
    for name, value in patch.fields:
        if _NOT_OF_NAMES.search(name):
            yield _refusal(name)
        if name in free.naming_fields and isinstance(value, str) and not value.isascii():
            yield _refusal(value)
    for text in patch.texts:
        for character in _UNUSUAL.findall(text):
            if character.isascii() or is_misleading(character):
                yield f"the patch holds {name_of(character)}"


def _refusal(word: str) -> str:
    character = _NOT_OF_NAMES.findall(word)[0]
    return f"{name_of(character)} in {word!a}: names and keys are written in ASCII"
