"""What the fake cluster holds: every write gets a new version, and who watches hears of it."""

import copy
import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Condition
from typing import Any

from tests.fakes.kube_api_kinds import Kind, kind_named

Key = tuple[str, str, str]
"""Kind, namespace and name."""


class Refused(Exception):
    """The API server's answer to a request that it does not carry out."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        """As a Status object says it."""
        super().__init__(message)
        self.code, self.reason = code, reason


class Store:
    """Objects by kind, namespace and name."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.changed = Condition()
        self.version = 100
        self._objects: dict[Key, Any] = {}
        self.history: list[tuple[int, str, Any]] = []
        """Version, ADDED, MODIFIED or DELETED, and the object then."""

    def get(self, kind: str, namespace: str, name: str) -> Any:
        """A copy of the object; raises Refused."""
        found = self._objects.get((kind, namespace, name))
        if found is None:
            plural = kind_named(kind).plural
            raise Refused(404, "NotFound", f'{plural} "{name}" not found')
        return copy.deepcopy(found)

    def list(self, kind: str, namespace: str = "") -> list[Any]:
        """Copies of all of a kind, of one namespace or of all."""
        return [
            copy.deepcopy(found)
            for (of_kind, of_namespace, _), found in sorted(self._objects.items())
            if of_kind == kind and namespace in {"", of_namespace}
        ]

    def create(self, found: Any, *, is_dry: bool = False) -> Any:
        """Keep a new object, completed as an API server does it."""
        found = copy.deepcopy(found)
        key = _key(found)
        if key in self._objects:
            plural = kind_named(key[0]).plural
            raise Refused(409, "AlreadyExists", f'{plural} "{key[2]}" already exists')
        metadata = found["metadata"]
        if metadata.get("resourceVersion"):
            message = "resourceVersion should not be set on objects to be created"
            raise Refused(500, "InternalError", message)
        metadata["uid"] = str(uuid.uuid4())
        metadata["creationTimestamp"] = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if "spec" in found:
            metadata["generation"] = 1
        return self._keep(key, found, "ADDED", is_dry=is_dry)

    def update(self, found: Any, *, is_dry: bool = False) -> Any:
        """Replace an object; one with an old resourceVersion is a conflict."""
        found = copy.deepcopy(found)
        key = _key(found)
        before = self.get(*key)
        metadata, metadata_before = found["metadata"], before["metadata"]
        sent = metadata.get("resourceVersion")
        if sent and sent != metadata_before["resourceVersion"]:
            message = (
                f'Operation cannot be fulfilled on {kind_named(key[0]).plural} "{key[2]}": the '
                "object has been modified; please apply your changes to the latest version and try again"
            )
            raise Refused(409, "Conflict", message)
        metadata |= {
            name: metadata_before[name]
            for name in ("uid", "creationTimestamp", "resourceVersion")
            if name in metadata_before
        }
        if "generation" in metadata_before:
            has_changed = found.get("spec") != before.get("spec")
            metadata["generation"] = metadata_before["generation"] + has_changed
        if found == before:
            return before
        return self._keep(key, found, "MODIFIED", is_dry=is_dry)

    def delete(self, kind: str, namespace: str, name: str, *, is_dry: bool = False) -> Any:
        """Take an object away with all that it owns."""
        found = self.get(kind, namespace, name)
        if is_dry:
            return found
        with self.changed:
            self.version += 1
            del self._objects[kind, namespace, name]
            self.history.append((self.version, "DELETED", found))
            self.changed.notify_all()
        for key, other in list(self._objects.items()):
            owners = other["metadata"].get("ownerReferences", [])
            if key in self._objects and any(
                owner["uid"] == found["metadata"]["uid"] for owner in owners
            ):
                self.delete(*key)
        return found

    def bump(self, kind: str, namespace: str, name: str) -> str:
        """Give an object a new version, as any write by anybody would."""
        found = self.get(kind, namespace, name)
        kept = self._keep((kind, namespace, name), found, "MODIFIED", is_dry=False)
        return str(kept["metadata"]["resourceVersion"])

    def changes_after(self, version: int, kind: Kind) -> Iterator[tuple[int, str, Any]]:
        """What happened to objects of a kind since a version."""
        for at, what, found in list(self.history):
            if at > version and found["kind"] == kind.kind:
                yield at, what, found

    def _keep(self, key: Key, found: Any, what: str, *, is_dry: bool) -> Any:
        if is_dry:
            return found
        with self.changed:
            self.version += 1
            found["metadata"]["resourceVersion"] = str(self.version)
            self._objects[key] = json.loads(json.dumps(found))
            self.history.append((self.version, what, copy.deepcopy(found)))
            self.changed.notify_all()
        return copy.deepcopy(found)


def _key(found: Any) -> Key:
    return found["kind"], found["metadata"].get("namespace", ""), found["metadata"]["name"]
