"""Carries out one request to the fake API server: which object, which verb, dry or not."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.kube_api_kinds import Kind, kind_at
from tests.fakes.kube_api_patches import PatchRefused, patched
from tests.fakes.kube_api_selectors import is_selected
from tests.fakes.kube_api_store import Refused, Store


@dataclass(frozen=True)
class Request:
    """One request, its address taken apart."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    content_type: str

    @property
    def is_dry(self) -> bool:
        """Whether nothing may change."""
        options = self.body if isinstance(self.body, dict) else {}
        options = options.get("deleteOptions") or options
        return self.query.get("dryRun") == "All" or bool(options.get("dryRun"))


@dataclass(frozen=True)
class Place:
    """What an address names; an empty name stands for the list."""

    kind: Kind
    namespace: str
    name: str
    subresource: str


def to_request(method: str, path: str, query: str, body: Any, content_type: str) -> Request:
    """A request as it came over HTTP."""
    values = {name: found[-1] for name, found in parse_qs(query).items()}
    return Request(method, path, values, body, content_type.partition(";")[0])


def place_of(path: str) -> Place:
    """What the address names; raises Refused."""
    parts = path.strip("/").split("/")
    depth = 2 if parts[0] == "api" else 3
    root, rest = "/" + "/".join(parts[:depth]), parts[depth:]
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    kind = kind_at(root, rest[0]) if rest else None
    if kind is None:
        raise Refused(404, "NotFound", "the server could not find the requested resource")
    plural, name, subresource = [*rest, "", ""][:3]
    assert plural == kind.plural
    return Place(kind, namespace, name, subresource)


def carry_out(store: Store, request: Request) -> tuple[int, Any]:
    """Status and body of the answer; raises Refused."""
    place = place_of(request.path)
    if place.subresource == "scale":
        return _scale(store, request, place)
    if place.subresource == "eviction":
        return _evict(store, request, place)
    match request.method:
        case "GET" if not place.name:
            return 200, _listed(store, request, place)
        case "GET":
            return 200, _as(place, store.get(place.kind.kind, place.namespace, place.name))
        case "POST":
            return 201, _created(store, request, place)
        case "DELETE":
            return 200, _deleted(store, request, place)
        case _:
            return 200, _as(place, _changed(store, request, place))


def _listed(store: Store, request: Request, place: Place) -> Any:
    found = [
        _as(place, each)
        for each in store.list(place.kind.kind, place.namespace)
        if is_selected(
            each, request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
        )
    ]
    return {
        "kind": f"{place.kind.kind}List",
        "apiVersion": place.kind.api_version,
        "metadata": {"resourceVersion": str(store.version)},
        "items": found,
    }


def _as(place: Place, found: Any) -> Any:
    """The object in the version that it was asked for."""
    return {**found, "apiVersion": place.kind.api_version}


def _created(store: Store, request: Request, place: Place) -> Any:
    body = _without_nulls(request.body)
    body |= {"kind": place.kind.kind, "apiVersion": place.kind.api_version}
    if place.kind.is_namespaced:
        body["metadata"]["namespace"] = place.namespace
    _validate(body)
    return store.create(body, is_dry=request.is_dry)


def _deleted(store: Store, request: Request, place: Place) -> Any:
    found = store.get(place.kind.kind, place.namespace, place.name)
    conditions = (request.body or {}).get("preconditions") or {}
    if conditions.get("uid", found["metadata"]["uid"]) != found["metadata"]["uid"]:
        raise Refused(409, "Conflict", "the UID in the precondition does not match")
    store.delete(place.kind.kind, place.namespace, place.name, is_dry=request.is_dry)
    details = {"name": place.name, "kind": place.kind.plural, "uid": found["metadata"]["uid"]}
    return {"kind": "Status", "apiVersion": "v1", "status": "Success", "details": details}


def _changed(store: Store, request: Request, place: Place) -> Any:
    found = store.get(place.kind.kind, place.namespace, place.name)
    if request.method == "PATCH":
        try:
            changed = patched(found, request.body, request.content_type)
        except PatchRefused as error:
            raise Refused(422, "Invalid", str(error)) from error
    else:
        changed = request.body
    if place.subresource != "status" and "status" in found:
        changed = {**changed, "status": found["status"]}
    changed = _without_nulls(changed)
    _validate(changed)
    return store.update(changed | {"kind": place.kind.kind}, is_dry=request.is_dry)


def _without_nulls(value: Any) -> Any:
    """What is null is as good as absent to an API server, which knows every field's type."""
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    return [*map(_without_nulls, value)] if isinstance(value, list) else value


def _validate(found: Any) -> None:
    spec = found.get("spec") or {}
    name = found["metadata"].get("name", "")
    problem = ""
    if isinstance(spec.get("replicas"), int) and spec["replicas"] < 0:
        problem = f"spec.replicas: Invalid value: {spec['replicas']}: must be non-negative"
    template = spec.get("template") or {}
    for each in (template.get("spec") or {}).get("containers", ()):
        if not each.get("image"):
            problem = "spec.template.spec.containers[0].image: Required value"
    if problem:
        raise Refused(422, "Invalid", f'{found["kind"]} "{name}" is invalid: {problem}')


def _scale(store: Store, request: Request, place: Place) -> tuple[int, Any]:
    found = store.get(place.kind.kind, place.namespace, place.name)
    if request.method != "GET":
        sent = (request.body.get("metadata") or {}).get("resourceVersion")
        found["spec"]["replicas"] = request.body["spec"]["replicas"]
        found["metadata"]["resourceVersion"] = sent or found["metadata"]["resourceVersion"]
        _validate(found)
        found = store.update(found, is_dry=request.is_dry)
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return 200, {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: found["metadata"][name] for name in kept},
        "spec": {"replicas": found["spec"]["replicas"]},
        "status": {"replicas": found.get("status", {}).get("replicas", 0)},
    }


def _evict(store: Store, request: Request, place: Place) -> tuple[int, Any]:
    found = store.get("Pod", place.namespace, place.name)
    labels = found["metadata"].get("labels", {})
    for budget in store.list("PodDisruptionBudget", place.namespace):
        wanted = budget["spec"]["selector"]["matchLabels"]
        if wanted.items() <= labels.items() and not budget["status"]["disruptionsAllowed"]:
            message = "Cannot evict pod as it would violate the pod's disruption budget."
            raise Refused(429, "TooManyRequests", message)
    store.delete("Pod", place.namespace, place.name, is_dry=request.is_dry)
    return 201, {"kind": "Status", "apiVersion": "v1", "status": "Success"}


def log_lines(lines: list[tuple[datetime, str]], query: dict[str, str]) -> str:
    """A container's log as far as it was asked for."""
    since = query.get("sinceTime")
    begin = datetime.fromisoformat(since) if since else datetime.min.replace(tzinfo=UTC)
    kept = [line for at, line in lines if at >= begin]
    tail = int(query.get("tailLines") or len(kept))
    return "".join(f"{line}\n" for line in kept[len(kept) - tail :])
