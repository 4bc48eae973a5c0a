"""Turns a plan's commands into the actions that learning counts (pure)."""

import re

from app.domain.feedback import PlannedCommand
from app.domain.plan import Plan
from app.kubectl.command import ParsedCommand
from app.kubectl.parser import parse
from app.kubectl.words import UnparseableCommand

_NAMESPACE = re.compile(r"(?:^|\s)(?:-n|--namespace)[ =]?([a-z0-9][a-z0-9-]{0,62})(?=\s|$|\W)")
_READS = frozenset(
    {"api-resources", "api-versions", "auth", "cluster-info", "describe", "diff", "events"}
    | {"explain", "get", "help", "kustomize", "logs", "options", "top", "version", "wait"}
)
_READ_ACTIONS = frozenset({"rollout status", "rollout history"})
_REVERTS = frozenset({"rollout undo"})
_TWO_WORDS = frozenset({"auth", "config", "create", "rollout", "set", "top"})


def planned_commands(plan: Plan) -> tuple[PlannedCommand, ...]:
    """Every distinct command of a plan's steps, in order; rollbacks are not proposed."""
    texts = dict.fromkeys(command.command for step in plan.steps for command in step.commands)
    return tuple(planned_command(text) for text in texts)


def namespace_in(text: str) -> str | None:
    """The first namespace that commands in a text name."""
    found = _NAMESPACE.search(text)
    return found.group(1) if found else None


def planned_command(text: str) -> PlannedCommand:
    """A command and its action."""
    parsed = _parse(text)
    action = parsed.action if parsed else _read_words(text)
    is_rehearsed = parsed is not None and parsed.value("dry-run") in {"client", "server"}
    changes = is_change(action) and not is_rehearsed
    return PlannedCommand(command=text, action=action, is_change=changes)


def is_change(action: str) -> bool:
    """Whether an action alters the cluster."""
    verb = action.partition("/")[0]
    return verb.split(" ")[0] not in _READS and verb not in _READ_ACTIONS


def takes_back(action: str) -> bool:
    """Whether an action returns to what was before the last change."""
    return verb_of(action) in _REVERTS


def verb_of(action: str) -> str:
    """`rollout restart` of `rollout restart/deployment`."""
    return action.partition("/")[0]


def action_of(text: str) -> str:
    """`verb[ subverb]/kind` of a command, also of one that kubectl would refuse."""
    parsed = _parse(text)
    return parsed.action if parsed else _read_words(text)


def change_of(text: str) -> str:
    """The action of a kubectl command that alters the cluster; empty for any other text."""
    parsed = _parse(text)
    return parsed.action if parsed and is_change(parsed.action) else ""


def _parse(text: str) -> ParsedCommand | None:
    try:
        return parse(text)
    except UnparseableCommand:
        return None


def _read_words(text: str) -> str:
    """The first words as they stand: good enough to count by, not to run."""
    words = [word for word in text.lower().split()[:8] if not word.startswith("-")]
    if words[:1] == ["kubectl"]:
        words = words[1:]
    verb, rest = (words[0], words[1:]) if words else ("unknown", [])
    if verb in _TWO_WORDS and rest:
        verb, rest = f"{verb} {rest[0]}", rest[1:]
    kind = rest[0].partition("/")[0] if rest else ""
    return f"{verb}/{kind}" if kind else verb
