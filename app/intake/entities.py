"""Which Kubernetes objects a text is mostly about: votes of many small readings, counted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import re2

from app.domain.answer import Entities
from app.domain.logbatch import Line
from app.intake.entity_labels import LabelVotes, read_labels
from app.intake.entity_names import (
    fits,
    is_object_name,
    workload_kind_named,
    workload_of_pod,
)
from app.intake.entity_readings import documents, phrases, tables

READ_AT_MOST = 1_000_000
"""Characters; more of the same text does not change what it is about."""

CONSISTENT_SHARE = 0.2
"""A pod outside the elected workload is still taken when it has this share of the votes."""


_ORDER = re2.compile(
    r"(?i)\b(instructions?|assistant|ai agent|llm|system prompt)\b.*\bkubectl\b"
    r"|\b(ignore|disregard) (all |any )?(of )?(the |your )?(previous|prior|above)\b"
)
"""Text that tries to command its reader; the names in it are the writer's choice."""


@dataclass(slots=True)
class Ballot:
    """Votes for each kind of object, and which were seen together."""

    namespaces: Counter[str] = field(default_factory=Counter)
    workloads: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    pods: Counter[str] = field(default_factory=Counter)
    containers: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    nodes: Counter[str] = field(default_factory=Counter)
    homes: dict[str, str] = field(default_factory=dict)
    """Pod → namespace, where a text says both at once."""
    owners: dict[str, tuple[str | None, str]] = field(default_factory=dict)
    """Pod → workload, where a text says both at once."""
    rooms: dict[str, set[str]] = field(default_factory=dict)
    """Container → pods, where a text says both at once."""
    labels: LabelVotes = field(default_factory=LabelVotes)

    def vote(self, role: str, name: str, weight: float) -> None:
        """Count one reading; names that cannot be names are not counted."""
        clean = name.strip("\"'[](),;:")
        if role == "image":
            self.images[clean] += _points(weight)
        elif is_object_name(clean) and fits(role, clean):
            self._vote_name(role, clean, weight)

    def _vote_name(self, role: str, name: str, weight: float) -> None:
        match role:
            case "namespace":
                self.namespaces[name] += _points(weight)
            case "pod":
                self.pods[name] += _points(weight)
            case "node":
                self.nodes[name] += _points(weight)
            case "service" if "." in name:
                return
            case "container":
                self.containers[name] += _points(weight)
            case "service" | "workload":
                self.workloads[None, name] += _points(weight)
            case _:
                self.workloads[role, name] += _points(weight)


def find_entities(lines: Iterable[Line]) -> Entities:
    """The namespace, workload, pod, container, image, node and labels most readings agree on."""
    texts = [line.text for line in lines if not _ORDER.search(line.text)]
    ballot = Ballot()
    for read in (phrases, tables, documents):
        read(_bounded(texts), ballot)
    read_labels(_bounded(texts), ballot.labels)
    return _elect(ballot)


def _points(weight: float) -> int:
    return max(1, round(weight * 10))


def _bounded(texts: list[str]) -> list[str]:
    total = 0
    for index, text in enumerate(texts):
        total += len(text)
        if total > READ_AT_MOST:
            return texts[:index]
    return texts


def _elect(ballot: Ballot) -> Entities:
    for candidate, points in ballot.pods.items():
        owner = ballot.owners.get(candidate) or workload_of_pod(candidate)
        if owner:
            ballot.workloads[owner] += points
    kind, workload = _winning_workload(ballot.workloads)
    pod = _winning_pod(ballot, workload)
    home = ballot.homes.get(pod or "")
    return Entities(
        namespace=home or _winner(ballot.namespaces),
        workload_kind=kind,
        workload=workload,
        pod=pod,
        container=_winner(_of_pod(ballot, pod, workload)),
        image=_winner(ballot.images),
        node=_winner(ballot.nodes),
        labels=ballot.labels.elect({name for name in (pod, workload) if name}),
    )


def _of_pod(ballot: Ballot, pod: str | None, workload: str | None) -> Counter[str]:
    """The containers that can belong to the elected pod or workload."""
    return Counter(
        {
            name: points
            for name, points in ballot.containers.items()
            if name not in ballot.rooms
            or not (pod or workload)
            or any(_is_own(other, pod, workload, ballot) for other in ballot.rooms[name])
        }
    )


def _is_own(other: str, pod: str | None, workload: str | None, ballot: Ballot) -> bool:
    owner = ballot.owners.get(other) or workload_of_pod(other) or (None, other)
    return other == pod or owner[1] == workload


def _winner(votes: Counter[str]) -> str | None:
    return max(votes, key=lambda name: votes[name]) if votes else None


def _winning_workload(
    votes: Counter[tuple[str | None, str]],
) -> tuple[str | None, str | None]:
    by_name: Counter[str] = Counter()
    for (_, candidate), points in votes.items():
        by_name[candidate] += points
    name = _winner(by_name)
    if name is None:
        return None, None
    kinds = Counter(
        {kind: points for (kind, named), points in votes.items() if named == name and kind}
    )
    return _winner(kinds) or workload_kind_named(name), name


def _winning_pod(ballot: Ballot, workload: str | None) -> str | None:
    best = _winner(ballot.pods)
    if best is None or workload is None:
        return best
    own: Counter[str] = Counter(
        {
            pod: points
            for pod, points in ballot.pods.items()
            if (ballot.owners.get(pod) or workload_of_pod(pod) or (None, pod))[1] == workload
        }
    )
    mine = _winner(own)
    if mine:
        return mine
    share = ballot.pods[best] / max(1, sum(ballot.pods.values()))
    return best if share >= CONSISTENT_SHARE else None
