"""Finds the command that a verdict is about, however its server spells it (pure)."""

import shlex
from collections.abc import Iterable, Sequence

from app.domain.approval import CommandVerdict
from app.domain.feedback import PlannedCommand
from app.kubectl.parser import parse
from app.kubectl.words import UnparseableCommand
from app.learning.actions import action_of
from app.security.redaction import redact

Arguments = tuple[str, ...]


def matched(
    commands: Sequence[PlannedCommand], verdicts: Sequence[CommandVerdict]
) -> tuple[CommandVerdict, ...]:
    """The verdicts under the texts of the commands; one that fits none stays as it was told.

    By the text, else by the arguments, else by the place: where as many were told as were
    submitted, and what stands in the same place does the same.
    """
    texts = {command.command for command in commands}
    if all(verdict.command in texts for verdict in verdicts):
        return tuple(verdicts)
    open_ = texts - {verdict.command for verdict in verdicts}
    spelled = _by_arguments(command for command in commands if command.command in open_)
    found: list[CommandVerdict] = []
    for place, verdict in enumerate(verdicts):
        text = verdict.command
        if text not in texts:
            text = spelled.get(_arguments(text)) or ""
        if not text and len(verdicts) == len(commands) and _is_alike(commands[place], verdict):
            text = commands[place].command if commands[place].command in open_ else ""
        open_.discard(text)
        found.append(verdict.model_copy(update={"command": text}) if text else verdict)
    return tuple(found)


def _by_arguments(commands: Iterable[PlannedCommand]) -> dict[Arguments, str]:
    """What is kept of verdicts has no secrets in it, so a command is known without its own, too."""
    found: dict[Arguments, str] = {}
    for command in commands:
        for text in {command.command, redact(command.command).text}:
            found.setdefault(_arguments(text), command.command)
    return found


def _arguments(text: str) -> Arguments:
    """Every spelling made the same as far as the command is understood."""
    try:
        return parse(text).argv()
    except UnparseableCommand:
        words = _words(text)
        return tuple(words[1:] if words[:1] == ["kubectl"] else words)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _is_alike(command: PlannedCommand, verdict: CommandVerdict) -> bool:
    return action_of(verdict.command) == command.action
