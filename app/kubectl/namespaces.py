"""Which namespace a command works in."""

from dataclasses import replace

from app.kubectl.command import ParsedCommand
from app.kubectl.grammar import grammar

WITHOUT_NAMESPACE = frozenset(
    {
        "api-resources",
        "api-versions",
        "auth can-i",
        "auth whoami",
        "cluster-info",
        "explain",
        "top node",
        "version",
    }
)


def is_namespaced(command: ParsedCommand) -> bool:
    """Whether it is about objects that belong to namespaces."""
    if command.path in WITHOUT_NAMESPACE:
        return False
    kinds = {kind for kind, _ in command.resources}
    return not kinds or not kinds <= grammar().cluster_kinds


def is_in_all_namespaces(command: ParsedCommand) -> bool:
    """Whether it goes over every namespace, whatever else it names."""
    return command.value("all-namespaces") == "true"


def lacks_namespace(command: ParsedCommand) -> bool:
    """Whether it means one namespace and does not say which."""
    if command.namespace is not None or is_in_all_namespaces(command):
        return False
    return is_namespaced(command)


def in_namespace(command: ParsedCommand, namespace: str) -> ParsedCommand:
    """The same command with this namespace."""
    flags = {**command.flags, "namespace": (namespace,)}
    return replace(command, flags=dict(sorted(flags.items())))
