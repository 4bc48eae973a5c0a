"""Values that people changed in a command of a like incident, where the same ones stand again."""

import shlex
from collections.abc import Iterator, Sequence

from app.domain.guidance import Edit
from app.domain.plan import Command

VERB_WORDS = 2
"""`kubectl` and the verb stay as they are: who changes the verb wants another action."""

Swap = tuple[str, str]
"""A word as it was proposed, and what people made of it."""


def swaps_for(commands: Sequence[Command], edits: Sequence[Edit]) -> dict[str, str]:
    """By word of these commands what people changed it to; names of other objects are none."""
    words = {word for command in commands for word in _words(command.command)}
    found: dict[str, str] = {}
    for edit in edits:
        for before, after in _swaps(edit):
            if before in words:
                found.setdefault(before, after)
    return found


def swapped(command: Command, swaps: dict[str, str]) -> Command:
    """The command with the words as people changed them; still only a proposal."""
    words = _words(command.command)
    if swaps.keys().isdisjoint(words):
        return command
    text = shlex.join(swaps.get(word, word) for word in words)
    return command.model_copy(update={"command": text})


def _swaps(edit: Edit) -> Iterator[Swap]:
    before, after = _words(edit.proposed), _words(edit.changed_to)
    if len(before) == len(after) and before[:VERB_WORDS] == after[:VERB_WORDS]:
        yield from (pair for pair in zip(before, after, strict=True) if pair[0] != pair[1])


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
