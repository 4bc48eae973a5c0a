"""What stands around a failure: whether a change came shortly before it, and how many replicas run."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from app.adapters.reasoning.playbook_derived import ROLLABLE
from app.adapters.reasoning.playbook_model import Background
from app.adapters.reasoning.playbook_scan import compile_pattern
from app.domain.answer import Entities
from app.domain.logbatch import Line
from app.intake.entity_names import workload_of_pod

CHANGE_CHARACTERS = 140
LIMIT_LINES = 5
"""From the heading to the last of a container's limits."""

MOST_REPLICAS = 500
PROBE_SECONDS = 5
"""How long a probe may take at least, where people grant it more."""

_POD = r"\b{workload}-(?:[a-z0-9]{{6,10}}-[a-z0-9]{{5}}|\d{{1,3}})\b"
_ROW = r"(?:^|[\s/]){workload}\s+\d+/(\d+)\s"
_DESIRED = re.compile(r"\bReplicas:\s+(\d+) desired")
_LIMITS = re.compile(r"^\s*[\"']?limits[\"']?:", re.IGNORECASE)
_CPU = re.compile(r"^\s*[\"']?cpu[\"']?:\s*[\"']?(\d+)(m?)\b")
_REPLICA_SET = re.compile(
    r"replica ?set\S*[ /]([a-z0-9][-a-z0-9]*)-[a-z0-9]{6,10}\b", re.IGNORECASE
)
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
            if self._is_change(line.text) and not _is_of_another(line.text, entities.workload):
                return f"line {line.number}: {line.text.strip()[:CHANGE_CHARACTERS]}"
        return None

    def _is_change(self, text: str) -> bool:
        if not any(pattern.search(text) for pattern in self._changes):
            return False
        return not any(pattern.search(text) for pattern in self._unchanged)


def _is_of_another(text: str, workload: str | None) -> bool:
    """Whether it tells of a ReplicaSet that is another workload's."""
    found = _REPLICA_SET.search(text)
    return bool(found and workload and found[1] != workload)


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
    count = _count(workload, lines)
    if 0 < count <= MOST_REPLICAS:
        yield "replicas", str(count)
        yield "replicas_more", str(count + max(1, count // 2))
        if count > 1:
            yield "replicas_fewer", str(count - max(1, count // 3))


def _count(workload: str, lines: Sequence[Line]) -> int:
    """As the text tells it; else the pods of the workload that it names, of which there may be more."""
    name = re.escape(workload)
    row, pod = re.compile(_ROW.format(workload=name)), re.compile(_POD.format(workload=name))
    pods: set[str] = set()
    for line in lines:
        found = _DESIRED.search(line.text) or row.search(line.text)
        if found:
            return int(found[1])
        pods.update(one for one in pod.findall(line.text) if _is_of(one, workload))
    ordinals = [int(one.rpartition("-")[2]) + 1 for one in pods if _is_ordinal(one)]
    return max([len(pods), *ordinals])


def _is_of(pod: str, workload: str) -> bool:
    owner = workload_of_pod(pod)
    return owner is not None and owner[1] == workload


def _is_ordinal(pod: str) -> bool:
    owner = workload_of_pod(pod)
    return owner is not None and owner[0] == "statefulset"
