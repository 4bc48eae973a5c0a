"""Objects as a cluster shows them, for the fake API server and for tables of tests."""

from typing import Any

NAMESPACE = "shop"


def metadata(name: str, namespace: str = NAMESPACE, **more: Any) -> dict[str, Any]:
    """The least that every object says of itself."""
    place = {"namespace": namespace} if namespace else {}
    return {"name": name, **place, **{key: value for key, value in more.items() if value}}


def pod_template(name: str, image: str, **container: Any) -> dict[str, Any]:
    """What a workload makes its pods from."""
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "resources": {"limits": {"memory": "128Mi"}, "requests": {"cpu": "50m"}},
                    "env": [{"name": "DB_HOST", "value": "orders-db"}],
                    **container,
                }
            ],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "serviceAccountName": "default",
        },
    }


def workload(
    kind: str, name: str, replicas: int = 2, image: str = "checkout:1", **more: Any
) -> dict[str, Any]:
    """A Deployment, StatefulSet or DaemonSet; `more` goes to its metadata."""
    spec: dict[str, Any] = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": name}},
        "template": pod_template(name, image),
    }
    if kind == "Deployment":
        rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
        spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": rolling}
        spec["revisionHistoryLimit"] = 10
        spec["progressDeadlineSeconds"] = 600
    if kind == "StatefulSet":
        spec["serviceName"] = name
    if kind == "DaemonSet":
        del spec["replicas"]
    return {
        "kind": kind,
        "apiVersion": "apps/v1",
        "metadata": metadata(name, labels={"app": name}, **more),
        "spec": spec,
    }


def deployment(
    name: str = "checkout", replicas: int = 2, image: str = "checkout:1", **more: Any
) -> dict[str, Any]:
    """The workload of most examples."""
    return workload("Deployment", name, replicas, image, **more)


def pod(name: str, image: str = "checkout:1", app: str = "", **more: Any) -> dict[str, Any]:
    """A pod that runs and is ready."""
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": metadata(name, labels={"app": app or name}, **more),
        "spec": {
            **pod_template(app or name, image)["spec"],
            "nodeName": "node-1",
            "schedulerName": "default-scheduler",
        },
        "status": running(image),
    }


def running(image: str, restarts: int = 0) -> dict[str, Any]:
    """The status of a pod whose container runs."""
    return {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {
                "name": "app",
                "image": image,
                "ready": True,
                "restartCount": restarts,
                "state": {"running": {"startedAt": "2026-03-02T12:00:00Z"}},
            }
        ],
    }


def waiting(image: str, reason: str, restarts: int = 0) -> dict[str, Any]:
    """The status of a pod whose container cannot run."""
    return {
        "phase": "Pending" if reason.startswith("ImagePull") else "Running",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [
            {
                "name": "app",
                "image": image,
                "ready": False,
                "restartCount": restarts,
                "state": {"waiting": {"reason": reason, "message": f"{reason}: {image}"}},
            }
        ],
    }


def budget(name: str, app: str, allowed: int) -> dict[str, Any]:
    """A PodDisruptionBudget over the pods of an app."""
    return {
        "kind": "PodDisruptionBudget",
        "apiVersion": "policy/v1",
        "metadata": metadata(name),
        "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": app}}},
        "status": {
            "disruptionsAllowed": allowed,
            "currentHealthy": 2,
            "desiredHealthy": 2,
            "expectedPods": 2,
        },
    }


def config_map(name: str, **data: str) -> dict[str, Any]:
    """A ConfigMap."""
    return {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": metadata(name),
        "data": data or {"mode": "fast"},
    }


def node(name: str) -> dict[str, Any]:
    """A machine of the cluster."""
    return {
        "kind": "Node",
        "apiVersion": "v1",
        "metadata": metadata(name, namespace="", labels={"kubernetes.io/hostname": name}),
        "spec": {"podCIDR": "10.0.0.0/24"},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def owned_by(owner: dict[str, Any]) -> list[dict[str, Any]]:
    """The reference that says who brings an object back."""
    return [
        {
            "apiVersion": owner["apiVersion"],
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
