"""The readings: phrases and fields, `kubectl` tables, describe pages, JSON and YAML objects."""

from collections.abc import Iterator
from typing import Protocol

import re2

from app.intake.entity_bare_names import BARE_NAMES
from app.intake.entity_documents import read_describe, read_json, read_manifest
from app.intake.entity_names import NOT_BEFORE_SLASH, WORKLOAD_KINDS, workload_of_replica_set
from app.intake.entity_rules import PHRASES

MATCHES_PER_RULE = 400
"""More matches of one rule do not change an election."""

VOTES_PER_NAME = 12
"""A chatty component must not outvote the object in trouble."""

HEALTHY_STATUS = frozenset({"Running", "Completed", "Succeeded", "Ready", "Active", "Bound"})


_AGO = re2.compile(r" \([^)]{1,20} ago\)")


class Votes(Protocol):
    """Where readings go."""

    homes: dict[str, str]
    owners: dict[str, tuple[str | None, str]]
    rooms: dict[str, set[str]]

    def vote(self, role: str, name: str, weight: float) -> None:
        """Count one reading."""
        ...


def phrases(texts: list[str], votes: Votes) -> None:
    """Every rule over the whole text; a name's votes by one rule are capped."""
    text = "\n".join(texts)
    for rule in (*PHRASES, *BARE_NAMES):
        if not any(needle in text for needle in rule.needles):
            continue
        seen: dict[tuple[str, str], int] = {}
        for count, found in enumerate(rule.pattern.finditer(text)):
            if count >= MATCHES_PER_RULE:
                break
            named = {role: name for role, name in found.groupdict().items() if name}
            _cast(named, rule.weight, seen, votes)


def _cast(
    named: dict[str, str], weight: float, seen: dict[tuple[str, str], int], votes: Votes
) -> None:
    folder = named.pop("folder", None)
    if folder and folder not in NOT_BEFORE_SLASH:
        named["namespace"] = folder
    pod = named.get("pod")
    if pod and (namespace := named.get("namespace")):
        votes.homes.setdefault(pod, namespace)
    if pod and (container := named.get("container")):
        votes.rooms.setdefault(container, set()).add(pod)
    if kind := named.pop("kind", None):
        named = _by_kind(kind, named)
    for role, name in named.items():
        seen[role, name] = seen.get((role, name), 0) + 1
        if seen[role, name] <= VOTES_PER_NAME:
            votes.vote(role, name, weight)


def _by_kind(kind: str, named: dict[str, str]) -> dict[str, str]:
    """Turns `kind` and `object` into the role that the kind plays."""
    target = named.pop("object", None)
    if target is None:
        return named
    role = WORKLOAD_KINDS.get(kind.lower())
    if role == "replicaset":
        owner_kind, target = workload_of_replica_set(target)
        role = owner_kind
    elif role is None:
        role = {"pod": "pod", "pods": "pod", "po": "pod", "node": "node", "nodes": "node"}.get(
            kind.lower()
        )
    if role:
        named[role] = target
    return named


def tables(texts: list[str], votes: Votes) -> None:
    """Rows of `kubectl get`: a row in trouble weighs, a healthy one hardly."""
    columns: list[str] = []
    for text in texts:
        words = (_AGO.sub("", text) if " ago)" in text else text).split()
        if words and words[0] in {"NAME", "NAMESPACE", "LAST"}:
            columns = words
        elif not words:
            columns = []
        elif "OBJECT" in columns:
            _event_row(columns, words, votes)
        elif columns:
            _object_row(dict(zip(columns, words, strict=False)), votes)


def _event_row(columns: list[str], words: list[str], votes: Votes) -> None:
    target = next((word for word in words if word.startswith("pod/")), None)
    if columns[0] != "NAMESPACE" or target is None:
        return
    votes.homes.setdefault(target.removeprefix("pod/"), words[0])
    votes.vote("namespace", words[0], 3.0 if "Warning" in words else 0.2)


def _object_row(cells: dict[str, str], votes: Votes) -> None:
    if done := cells.get("COMPLETIONS"):
        is_failed = cells.get("STATUS", "Running") in {"Failed", "FailureTarget"}
        votes.vote("job", cells["NAME"], 3.0 if is_failed and "/" in done else 0.2)
        return
    if "VOLUME" in cells and cells.get("STATUS") in {"Pending", "Lost"}:
        votes.vote("namespace", cells.get("NAMESPACE", ""), 2.0)
    ready, _, wanted = cells.get("READY", "").partition("/")
    if not (ready.isdigit() and wanted.isdigit()):
        return
    is_well = ready == wanted and cells.get("STATUS", "Running") in HEALTHY_STATUS
    weight = 0.2 if is_well or cells.get("STATUS") == "Completed" else 3.0
    role = "deployment" if "UP-TO-DATE" in cells else "pod" if "STATUS" in cells else "workload"
    votes.vote(role, cells["NAME"], weight)
    if namespace := cells.get("NAMESPACE"):
        votes.vote("namespace", namespace, weight)
        if role == "pod":
            votes.homes[cells["NAME"]] = namespace


def documents(texts: list[str], votes: Votes) -> None:
    """Whole objects: describe pages, JSON, YAML manifests."""
    pod = ""
    for role, name, weight in _objects(texts, votes):
        votes.vote(role, name, weight)
        if role == "pod":
            pod = name
        elif role == "container" and pod in votes.owners:
            votes.rooms.setdefault(name, set()).add(pod)


def _objects(texts: list[str], votes: Votes) -> Iterator[tuple[str, str, float]]:
    yield from read_describe(texts, votes.owners, votes.homes)
    yield from read_json(texts, votes.owners, votes.homes)
    yield from read_manifest(texts)
