"""Whole objects in a text: `kubectl describe` pages, JSON objects, YAML manifests."""

import json
from collections.abc import Iterator
from typing import Any

import re2

from app.intake.entity_names import WORKLOAD_KINDS, is_replica_pod, workload_of_replica_set

Reading = tuple[str, str, float]
Owners = dict[str, tuple[str | None, str]]
Homes = dict[str, str]

DESCRIBE_HEAD = 60
"""Lines after `Name:` in which a describe page shows of what kind it is."""

STARTING = frozenset({None, "PodInitializing", "ContainerCreating"})
"""Reasons of waiting that are not trouble of the container itself."""

JSON_OBJECTS = 5000
"""Objects visited in one document."""

_NAME_HEADER = re2.compile(r"^Name:\s+(\S+)\s*$")
_KIND_SIGNS = (
    ("Pods Statuses:", "job"),
    ("Parallelism:", "job"),
    ("Concurrency Policy:", "cronjob"),
    ("Controlled By:", "pod"),
    ("Service Account:", "pod"),
    ("Start Time:", "pod"),
    ("StrategyType:", "deployment"),
    ("Desired Number of Nodes", "daemonset"),
    ("Update Strategy:", "statefulset"),
    ("Roles:", "node"),
    ("StorageClass:", ""),
    ("Session Affinity:", "service"),
    ("TargetPort:", "service"),
    ("Endpoints:", "service"),
    ("Backends", "service"),
    ("Default backend:", "service"),
    ("Last State:", "pod"),
    ("Restart Count:", "pod"),
    ("Node-Selectors:", "pod"),
    ("QoS Class:", "pod"),
)
_CONTAINER_HEADER = re2.compile(r"^ {2,4}([a-z0-9][-a-z0-9.]*):\s*$")
_SECTION = re2.compile(r"^(Init Containers|Containers|Pod Template):\s*$")
_UNHAPPY = re2.compile(
    r"^\s+(?:Reason:\s+(?:CrashLoop|Error|OOMKilled|ImagePull|ErrImage|Create|Run|Start|Container"
    r"|Invalid|PodInit)|Exit Code:\s+[1-9])"
)
_MANIFEST_KIND = re2.compile(r"^kind:\s*(\w+)\s*$")
_MANIFEST_FIELD = re2.compile(r"^  (name|namespace):\s*[\"']?([a-z0-9][-a-z0-9.]*)[\"']?\s*$")
_MANIFEST_CONTAINER = re2.compile(r"^(\s+)(?:- )?image:\s*[\"']?([\w./:@-]+)")
_MANIFEST_NAME = re2.compile(r"^(\s+)(?:- )?name:\s*[\"']?([a-z0-9][-a-z0-9.]*)[\"']?\s*$")


def read_describe(texts: list[str], owners: Owners, homes: Homes) -> Iterator[Reading]:
    """Names of describe pages, and the containers in trouble on them."""
    yield from _nameless(texts)
    for index, text in enumerate(texts):
        if not text.startswith("Name:"):
            continue
        header = _NAME_HEADER.match(text)
        if header:
            page = _own_page(texts[index + 1 : index + DESCRIBE_HEAD])
            yield from _page(str(header.group(1)), page, owners, homes)
            yield from _containers(texts[index + 1 : index + 300])


def _nameless(texts: list[str]) -> Iterator[Reading]:
    """The containers of a page whose `Name:` was cut off, or comes later."""
    for index, text in enumerate(texts):
        if text.startswith("Name:"):
            return
        if _SECTION.match(text):
            yield from _containers(texts[index : index + 300])
            return


def _own_page(page: list[str]) -> list[str]:
    end = next((place for place, line in enumerate(page) if _NAME_HEADER.match(line)), len(page))
    return page[:end]


def _page(name: str, page: list[str], owners: Owners, homes: Homes) -> Iterator[Reading]:
    fields = _fields(page)
    if namespace := fields.get("Namespace"):
        yield "namespace", namespace, 3.0
    if owner := fields.get("Controlled By"):
        owners[name] = _owner(owner)
    if node := fields.get("Node"):
        yield "node", node.split("/")[0], 1.0
    if reference := fields.get("Reference"):
        yield from _reference(reference)
    if user := fields.get("Used By"):
        yield "pod", user, 1.0
    kind = next((kind for sign, kind in _KIND_SIGNS if _has_sign(page, sign)), None)
    kind = ("pod" if is_replica_pod(name) else "service") if kind is None else kind
    if namespace and kind == "pod":
        homes[name] = namespace
    if kind:
        yield kind, name, 0.5 if kind == "service" else 3.0


def _fields(page: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in page:
        if line.startswith(("Name:", "$ ")):
            break
        name, colon, value = line.partition(":")
        if colon and name and not name.startswith(" "):
            fields[name] = value.strip()
    return fields


def _has_sign(page: list[str], sign: str) -> bool:
    return any(line.lstrip().startswith(sign) for line in page)


def _owner(reference: str) -> tuple[str | None, str]:
    kind, _, name = reference.partition("/")
    if kind == "ReplicaSet":
        return workload_of_replica_set(name)
    return WORKLOAD_KINDS.get(kind.lower()), name


def _reference(reference: str) -> Iterator[Reading]:
    kind, _, name = reference.partition("/")
    role = WORKLOAD_KINDS.get(kind.lower())
    if role and name:
        yield role, name, 3.0


def _containers(page: list[str]) -> Iterator[Reading]:
    inside = False
    current = None
    for line in page:
        if line.startswith("Name:"):
            break
        if line and not line.startswith(" "):
            inside = _SECTION.match(line) is not None
            current = None
        elif header := _CONTAINER_HEADER.match(line) if inside else None:
            current = str(header.group(1))
            yield "container", current, 0.5
        elif current and _UNHAPPY.match(line):
            yield "container", current, 3.0
        elif current and line.lstrip().startswith("Image:"):
            yield "image", line.split(":", 1)[1].strip(), 0.5


def read_json(texts: list[str], owners: Owners, homes: Homes) -> Iterator[Reading]:
    """Kubernetes objects in a text that is one JSON document."""
    first = next((text for text in texts if text.strip()), "")
    if not first.lstrip().startswith(("{", "[")) or len(texts) < 2:
        return
    try:
        document = json.loads("\n".join(texts))
    except (ValueError, RecursionError):
        return
    for item in _kubernetes_objects(document):
        yield from _object(item, owners, homes)


def _kubernetes_objects(document: Any) -> Iterator[dict[str, Any]]:
    """Breadth first, so that a deep document cannot exhaust the stack."""
    queue = [document]
    for visited, item in enumerate(queue):
        if visited >= JSON_OBJECTS:
            return
        if isinstance(item, list):
            queue.extend(item[:JSON_OBJECTS])
        elif isinstance(item, dict):
            if isinstance(item.get("metadata"), dict):
                yield item
            queue.extend(item[key] for key in ("items", "data", "object", "alerts") if key in item)


def _object(item: dict[str, Any], owners: Owners, homes: Homes) -> Iterator[Reading]:
    kind = str(item.get("kind") or "")
    if involved := item.get("involvedObject") or item.get("regarding"):
        weight = 2.0 if item.get("type") == "Warning" else 0.2
        yield from _named(involved, str(involved.get("kind") or ""), weight, homes)
        return
    metadata = item["metadata"]
    status = item.get("status") if isinstance(item.get("status"), dict) else {}
    trouble = _is_pod_in_trouble(status or {})
    for owner in metadata.get("ownerReferences") or ():
        owners[str(metadata.get("name"))] = _owner(f"{owner.get('kind')}/{owner.get('name')}")
    if kind in {"Pod", ""} or kind.lower() in WORKLOAD_KINDS:
        yield from _named(metadata, kind or "Pod", 3.0 if trouble else 0.3, homes)
    yield from _statuses(status or {})


def _named(metadata: dict[str, Any], kind: str, weight: float, homes: Homes) -> Iterator[Reading]:
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if isinstance(namespace, str):
        yield "namespace", namespace, weight
    if isinstance(name, str):
        role = "pod" if kind == "Pod" else WORKLOAD_KINDS.get(kind.lower())
        if role == "replicaset":
            role, name = workload_of_replica_set(name)
        if role:
            yield role, name, weight
        if role == "pod" and isinstance(namespace, str):
            homes[name] = namespace


def _is_pod_in_trouble(status: dict[str, Any]) -> bool:
    if status.get("phase") in {"Pending", "Failed", "Unknown"}:
        return True
    return any(
        not container.get("ready") and "terminated" not in (container.get("state") or {})
        for container in status.get("containerStatuses") or ()
    )


def _statuses(status: dict[str, Any]) -> Iterator[Reading]:
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group) or ():
            states = [container.get("state") or {}, container.get("lastState") or {}]
            ended: dict[str, Any] = next(
                (state["terminated"] for state in states if state.get("terminated")), {}
            )
            waiting = (states[0].get("waiting") or {}).get("reason")
            is_bad = bool(ended.get("exitCode")) or waiting not in STARTING
            if container.get("name"):
                yield "container", str(container["name"]), 3.0 if is_bad else 0.3
            if container.get("image"):
                yield "image", str(container["image"]), 1.0 if is_bad else 0.1


def read_manifest(texts: list[str]) -> Iterator[Reading]:
    """Names of YAML manifests and the containers in their pod templates."""
    kind = ""
    in_metadata = False
    for index, line in enumerate(texts):
        if header := _MANIFEST_KIND.match(line):
            kind = str(header.group(1))
        elif line and not line.startswith(" "):
            in_metadata = line.startswith("metadata:")
        elif in_metadata and (found := _MANIFEST_FIELD.match(line)):
            yield from _manifest_name(kind, str(found.group(1)), str(found.group(2)))
        elif image := _MANIFEST_CONTAINER.match(line):
            yield "image", str(image.group(2)), 0.5
            yield from _sibling_name(texts, index, len(line) - len(line.lstrip(" -")))


def _manifest_name(kind: str, label: str, name: str) -> Iterator[Reading]:
    role = "pod" if kind == "Pod" else WORKLOAD_KINDS.get(kind.lower())
    if label == "namespace":
        yield "namespace", name, 1.0
    elif role:
        yield role, name, 1.5


def _sibling_name(texts: list[str], index: int, depth: int) -> Iterator[Reading]:
    for line in texts[max(0, index - 40) : index + 40]:
        if not line.strip():
            continue
        if (found := _MANIFEST_NAME.match(line)) and len(line) - len(line.lstrip(" -")) == depth:
            yield "container", str(found.group(2)), 1.0
            return
