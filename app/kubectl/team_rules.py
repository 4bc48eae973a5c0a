"""The rules that refuse a command by a team's own policy; each says why, or nothing."""

from collections.abc import Iterator

from app.kubectl.case import Case
from app.kubectl.labels import changes_label, has_label
from app.kubectl.namespaces import is_in_all_namespaces, is_namespaced
from app.kubectl.patches import UnreadablePatch, patch_fields
from app.kubectl.team import TeamPolicy

REPLICA_FLAGS = ("replicas", "max", "min")
REPLICA_FIELDS = frozenset({"replicas", "maxReplicas", "minReplicas"})


def refused_namespaces(case: Case, team: TeamPolicy) -> Iterator[str]:
    """Commands outside of the team's namespaces."""
    if team.allowed_namespaces is None:
        return
    allowed = ", ".join(team.allowed_namespaces)
    namespace = _namespace(case)
    if namespace is None and not is_namespaced(case.command):
        if case.is_change:
            yield f"it changes what belongs to no namespace; allowed are {allowed}"
    elif not team.is_in_allowed(namespace):
        yield f"{namespace or _unsaid(case)} is not among the allowed namespaces: {allowed}"


def refused_verbs(case: Case, team: TeamPolicy) -> Iterator[str]:
    """Verbs that the team does not use in this namespace."""
    namespace = _namespace(case)
    if namespace is None and not is_namespaced(case.command):
        return
    if name := team.refuses_verb(case.command.path, namespace):
        yield f"{case.command.path} is not among the verbs of {name}"


def _unsaid(case: Case) -> str:
    return "every namespace" if is_in_all_namespaces(case.command) else "an unnamed namespace"


def _namespace(case: Case) -> str | None:
    """None stands for all of them, and for one that is not said."""
    return None if is_in_all_namespaces(case.command) else case.command.namespace


def refused_labels(case: Case, team: TeamPolicy) -> Iterator[str]:
    """Changes of what has a protected label, and of the label itself."""
    if not case.is_change:
        return
    for label, why in team.protected_labels.items():
        if has_label(case.facts.labels or {}, label) or changes_label(case.command, label):
            yield f"{label}: {why}"


def refused_replicas(case: Case, team: TeamPolicy) -> Iterator[str]:
    """More pods than the team allows there."""
    namespace = case.command.namespace
    most = team.replicas_in(namespace) if namespace and case.is_change else None
    if most is None:
        return
    for number in _replicas(case):
        if number > most:
            yield f"{number:g} pods are more than the {most} that are allowed in {namespace}"


def _replicas(case: Case) -> Iterator[float]:
    for flag in REPLICA_FLAGS:
        value = case.command.value(flag)
        if value is not None and value.removeprefix("-").isdecimal():
            yield int(value)
    patch = case.command.value("patch")
    try:
        fields = patch_fields(patch) if patch else ()
    except UnreadablePatch:
        return
    for name, value in fields:
        if name in REPLICA_FIELDS and isinstance(value, int | float):
            yield value


def refused_time(case: Case, team: TeamPolicy) -> Iterator[str]:
    """Changes outside of the change windows."""
    windows, at = team.change_windows, case.facts.at
    if windows is None or not case.is_change:
        return
    if at is None:
        yield "changes are only allowed in the change windows, and the time is not known"
    elif not windows.is_open(at):
        opening = f"{windows.next_opening(at):%A %Y-%m-%d %H:%M}"
        zone = windows.time_zone.key
        yield f"changes are only allowed in the change windows; the next opens {opening} {zone}"
