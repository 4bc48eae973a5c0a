"""What stands around a failure: whether a change came shortly before it, and how many replicas run."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.adapters.reasoning.playbook_derived import ROLLABLE
from app.adapters.reasoning.playbook_model import Background
from app.adapters.reasoning.playbook_replicas import desired_replicas
from app.adapters.reasoning.playbook_scan import compile_pattern
from app.domain.answer import Entities
from app.domain.logbatch import Line
from app.intake.entity_names import workload_of_replica_set

CHANGE_CHARACTERS = 140
LIMIT_LINES = 5
"""From the heading to the last of a container's limits."""

PROBE_SECONDS = 5
"""How long a probe may take at least, where people grant it more."""

_LIMITS = re.compile(r"^\s*[\"']?limits[\"']?:", re.IGNORECASE)
_CPU = re.compile(r"^\s*[\"']?cpu[\"']?:\s*[\"']?(\d+)(m?)\b")
_REPLICA_SET = re.compile(r"replica ?set\S*[ /]([a-z0-9][-a-z0-9]*)", re.IGNORECASE)
_TIMEOUT = re.compile(r"\btimeout=(\d{1,4})s\b")

Pairs = Iterator[tuple[str, str]]


class CircumstanceReader:
    """Compiles what the background says about changes once."""

    def __init__(self, background: Background) -> None:
        """Keep the patterns."""
        self._changes: Sequence[Any] = [compile_pattern(one) for one in background.changes]
        self._unchanged: Sequence[Any] = [compile_pattern(one) for one in background.unchanged]

    def read(self, entities: Entities, lines: Sequence[Line]) -> Pairs:
        """Parameters for templates."""
        if change := self.change(entities, lines):
            yield "change", change
        yield from _probes(entities, lines)
        yield from _processor(lines)
        yield from _replicas(entities, lines)

    def change(self, entities: Entities, lines: Sequence[Line]) -> str | None:
        """The first line that tells of a change shortly before, with its number."""
        for line in lines:
            if self._is_change(line.text, entities.workload):
                return f"line {line.number}: {line.text.strip()[:CHANGE_CHARACTERS]}"
        return None

    def _is_change(self, text: str, workload: str | None) -> bool:
        found = [match for pattern in self._changes if (match := pattern.search(text))]
        if not found or any(pattern.search(text) for pattern in self._unchanged):
            return False
        named = [pair for match in found for pair in match.groupdict().items() if pair[1]]
        named += _of_replica_set(text)
        return not (workload and named) or any(_is_of(workload, *pair) for pair in named)


def _of_replica_set(text: str) -> list[tuple[str, str]]:
    """The Deployments whose ReplicaSets the line names."""
    owners = (workload_of_replica_set(found[1].lower()) for found in _REPLICA_SET.finditer(text))
    return [("changed", name) for kind, name in owners if kind == "deployment"]


def _is_of(workload: str, role: str, name: str) -> bool:
    """Whether what changed is the workload; a release's objects are often named after it."""
    return name == workload or (role.startswith("release") and workload.startswith(f"{name}-"))


def _probes(entities: Entities, lines: Sequence[Line]) -> Pairs:
    if not entities.container:
        return
    known = (found for line in lines if (found := _TIMEOUT.search(line.text)))
    seconds = max([PROBE_SECONDS, *(3 * int(found[1]) for found in known)])
    for probe in ("readiness", "liveness"):
        container = f'"name":"{entities.container}","{probe}Probe":{{"timeoutSeconds":{seconds}}}'
        patch = f'{{"spec":{{"template":{{"spec":{{"containers":[{{{container}}}]}}}}}}}}'
        yield f"patch_{probe}", f"'{patch}'"
    yield "probe_seconds", str(seconds)


def _processor(lines: Sequence[Line]) -> Pairs:
    """The container's limit, as a description or a specification tells it."""
    for place, line in enumerate(lines):
        if _LIMITS.search(line.text):
            following = (_CPU.search(near.text) for near in lines[place : place + LIMIT_LINES])
            found = next((one for one in following if one), None)
            if found:
                yield "cpu_limit", f"{found[1]}{found[2]}"
                yield "cpu_doubled", f"{2 * int(found[1])}{found[2]}"
                return


def _replicas(entities: Entities, lines: Sequence[Line]) -> Pairs:
    kind, workload = entities.workload_kind, entities.workload
    if entities.pod and kind in ROLLABLE:
        yield "replaceable_pod", entities.pod
    if kind not in {"deployment", "statefulset"} or not workload:
        return
    yield "scalable_ref", f"{kind}/{workload}"
    if kind == "deployment":
        yield "pausable_ref", f"{kind}/{workload}"
    count = desired_replicas(workload, lines)
    if count:
        yield "replicas", str(count)
        yield "replicas_more", str(count + max(1, count // 2))
        if count > 1:
            yield "replicas_fewer", str(count - max(1, count // 3))
