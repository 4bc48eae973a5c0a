"""Objects with what an API server fills in, and what a command makes of them."""

import copy
from typing import Any

from app.kubectl.cluster_object import ClusterObject
from tests.fakes.kube_api_objects import deployment


def live(found: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """An object as `kubectl get -o json` shows it."""
    found = copy.deepcopy(found or deployment())
    found["metadata"] |= {
        "uid": "0b9f0c1e-5d0e-4a3c-9f0a-1f1a3b6a7c11",
        "resourceVersion": "4711",
        "creationTimestamp": "2026-03-01T09:00:00Z",
        "generation": 3,
        **metadata,
    }
    found["metadata"].setdefault("annotations", {})
    found["metadata"]["annotations"] |= {
        "deployment.kubernetes.io/revision": "3",
        "kubectl.kubernetes.io/last-applied-configuration": '{"kind": "Deployment"}\n',
    }
    found["status"] = {"observedGeneration": 3, "replicas": 2, "readyReplicas": 2}
    return found


def container(found: dict[str, Any]) -> dict[str, Any]:
    """The first container of a workload, to be changed in place."""
    first: dict[str, Any] = found["spec"]["template"]["spec"]["containers"][0]
    return first


def seen(found: dict[str, Any]) -> ClusterObject:
    """The object as the product reads it."""
    return ClusterObject(found)
