"""The fake cluster's controllers: they bring workloads to the state that their spec wants, at once.

Images that a test calls bad never become ready, so that a rollout never ends.
"""

import hashlib
import json
from typing import Any

from tests.fakes.kube_api_objects import metadata, owned_by, running, waiting
from tests.fakes.kube_api_store import Store

REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"
SETS = {"StatefulSet", "DaemonSet"}


class Controller:
    """Deployments with their ReplicaSets and pods; StatefulSets and DaemonSets with revisions and pods."""

    def __init__(self, store: Store) -> None:
        """Work on a store whenever it is asked to."""
        self._store = store
        self.is_on = True
        """While off, nothing follows from what is written, and nothing is observed."""
        self.bad_images: dict[str, str] = {}
        """Per image, the reason for which its containers wait."""
        self.restarts: dict[str, int] = {}
        """Per image, how often its containers have restarted."""

    def reconcile(self) -> None:
        """Bring everything to where it belongs."""
        if not self.is_on:
            return
        for found in self._store.list("Deployment"):
            self._deployment(found)
        for kind in SETS:
            for found in self._store.list(kind):
                self._set(found)

    def _deployment(self, found: Any) -> None:
        sets = self._owned("ReplicaSet", found)
        current = next(
            (each for each in sets if _template(each) == found["spec"]["template"]), None
        )
        if found["spec"].get("paused"):
            current = max(sets, key=_revision, default=None)
        newest = max(map(_revision, sets), default=0)
        if current is None:
            current = self._store.create(_replica_set(found, newest + 1))
            sets.append(current)
        elif _revision(current) < newest:
            current["metadata"]["annotations"][REVISION] = str(newest + 1)
            current = self._store.update(current)
        image = current["spec"]["template"]["spec"]["containers"][0]["image"]
        wanted = found["spec"]["replicas"]
        others = [each for each in sets if each["metadata"]["name"] != current["metadata"]["name"]]
        is_stuck = image in self.bad_images and bool(wanted)
        new, old = (1, wanted) if is_stuck and self._holds_pods(others) else (wanted, 0)
        self._scale_set(current, new)
        for each in others:
            is_kept = old and self._pods(each)
            self._scale_set(each, old if is_kept else 0)
        annotations = found["metadata"].setdefault("annotations", {})
        annotations[REVISION] = str(_revision(current))
        found["status"] = self._status(found, updated=new, total=new + old)
        self._store.update(found)

    def _holds_pods(self, sets: list[Any]) -> bool:
        return any(self._pods(each) for each in sets)

    def _scale_set(self, found: Any, replicas: int) -> None:
        found["spec"]["replicas"] = replicas
        self._run_pods(found, replicas, found["spec"]["template"])
        found["status"] = {"replicas": replicas, "observedGeneration": 1}
        self._store.update(found)

    def _set(self, found: Any) -> None:
        revisions = self._owned("ControllerRevision", found)
        data = {"spec": {"template": {**found["spec"]["template"], "$patch": "replace"}}}
        current = next((each for each in revisions if each["data"] == data), None)
        number = 1 + max((each["revision"] for each in revisions), default=0)
        if current is None:
            current = self._store.create(_controller_revision(found, data, number))
        elif current["revision"] + 1 < number:
            current = self._store.update({**current, "revision": number})
        wanted = found["spec"].get("replicas", 1)
        self._run_pods(found, wanted, found["spec"]["template"])
        name = current["metadata"]["name"]
        found["status"] = self._status(found, updated=wanted, total=wanted) | {
            "currentRevision": name,
            "updateRevision": name,
            "currentReplicas": wanted,
        }
        if found["kind"] == "DaemonSet":
            ready = found["status"].get("readyReplicas", 0)
            found["status"] |= {
                "desiredNumberScheduled": wanted,
                "currentNumberScheduled": wanted,
                "updatedNumberScheduled": wanted,
                "numberReady": ready,
                "numberAvailable": ready,
                "numberMisscheduled": 0,
            }
        self._store.update(found)

    def _run_pods(self, owner: Any, count: int, template: Any) -> None:
        pods = self._pods(owner)
        image = template["spec"]["containers"][0]["image"]
        for each in pods:
            spec = template["spec"]
            if each["spec"]["containers"] != spec["containers"] or len(pods) > count:
                self._store.delete("Pod", each["metadata"]["namespace"], each["metadata"]["name"])
                pods = self._pods(owner)
            else:
                self._store.update({**each, "status": self._pod_status(image)})
        taken = {each["metadata"]["name"] for each in self._store.list("Pod")}
        names = (f"{owner['metadata']['name']}-{_suffix(owner, at)}" for at in range(99))
        free = (name for name in names if name not in taken)
        for _ in range(count - len(pods)):
            self._store.create(
                {
                    "kind": "Pod",
                    "apiVersion": "v1",
                    "metadata": metadata(
                        next(free),
                        owner["metadata"]["namespace"],
                        labels=template["metadata"]["labels"],
                        ownerReferences=owned_by(owner),
                    ),
                    "spec": {**template["spec"], "nodeName": "node-1"},
                    "status": self._pod_status(image),
                }
            )

    def _pod_status(self, image: str) -> dict[str, Any]:
        restarts = self.restarts.get(image, 0)
        if reason := self.bad_images.get(image):
            return waiting(image, reason, restarts)
        return running(image, restarts)

    def _status(self, found: Any, *, updated: int, total: int) -> dict[str, Any]:
        labels = found["spec"]["selector"]["matchLabels"]
        ready = sum(
            each["status"]["conditions"][0]["status"] == "True"
            for each in self._store.list("Pod", found["metadata"]["namespace"])
            if labels.items() <= each["metadata"]["labels"].items()
        )
        status = {
            "observedGeneration": found["metadata"]["generation"],
            "replicas": total,
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": total - ready,
        }
        # Zero is left out, as real API servers do.
        return {name: value for name, value in status.items() if value}

    def _owned(self, kind: str, owner: Any) -> list[Any]:
        return [
            each
            for each in self._store.list(kind, owner["metadata"]["namespace"])
            if any(
                one["uid"] == owner["metadata"]["uid"]
                for one in each["metadata"].get("ownerReferences", ())
            )
        ]

    def _pods(self, owner: Any) -> list[Any]:
        return self._owned("Pod", owner)


def _replica_set(owner: Any, revision: int) -> dict[str, Any]:
    template = json.loads(json.dumps(owner["spec"]["template"]))
    code = _hash(template)
    template["metadata"]["labels"][HASH] = code
    labels = template["metadata"]["labels"]
    return {
        "kind": "ReplicaSet",
        "apiVersion": "apps/v1",
        "metadata": metadata(
            f"{owner['metadata']['name']}-{code}",
            owner["metadata"]["namespace"],
            labels=labels,
            annotations={REVISION: str(revision)},
            ownerReferences=owned_by(owner),
        ),
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    }


def _controller_revision(owner: Any, data: Any, revision: int) -> dict[str, Any]:
    return {
        "kind": "ControllerRevision",
        "apiVersion": "apps/v1",
        "metadata": metadata(
            f"{owner['metadata']['name']}-{_hash(data)}",
            owner["metadata"]["namespace"],
            labels=owner["spec"]["template"]["metadata"]["labels"],
            ownerReferences=owned_by(owner),
        ),
        "data": data,
        "revision": revision,
    }


def _template(replica_set: Any) -> Any:
    template = json.loads(json.dumps(replica_set["spec"]["template"]))
    template["metadata"]["labels"].pop(HASH)
    return template


def _revision(found: Any) -> int:
    return int(found["metadata"]["annotations"][REVISION])


def _suffix(owner: Any, number: int) -> str:
    return str(number) if owner["kind"] == "StatefulSet" else _hash(number)[:5]


def _hash(value: Any) -> str:
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
    return "".join("bcdfghjklmnpqrstvwxz"[int(digit, 16)] for digit in digest[:9])
