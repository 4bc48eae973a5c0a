"""Which objects a command changes, and which it makes."""

from app.kubectl.cluster_object import Target
from app.kubectl.command import ParsedCommand
from app.kubectl.grammar import grammar

DRY_RUNS = frozenset({"client", "server"})
_MADE_FROM_ANOTHER = {"expose": "service", "autoscale": "horizontalpodautoscaler"}


def is_dry(command: ParsedCommand) -> bool:
    """Whether it says itself that nothing is to be changed."""
    return command.value("dry-run") in DRY_RUNS


def makes_new(command: ParsedCommand) -> bool:
    """Whether what it changes is not there before."""
    return command.verb == "create" or command.path in _MADE_FROM_ANOTHER


def targets(command: ParsedCommand) -> tuple[Target, ...]:
    """The objects that a change is made to, those that it makes included."""
    kind_made = _MADE_FROM_ANOTHER.get(command.path)
    name_made = command.value("name")
    return tuple(
        _target(command, kind_made or kind, (kind_made and name_made) or name)
        for kind, name in command.resources
        if name is not None
    )


def object_reference(command: ParsedCommand) -> str | None:
    """The object that no other command may change meanwhile."""
    found = targets(command)
    return found[0].reference if found else None


def _target(command: ParsedCommand, kind: str, name: str) -> Target:
    is_of_cluster = kind in grammar().cluster_kinds
    return Target("" if is_of_cluster else command.namespace or "", kind, name)
