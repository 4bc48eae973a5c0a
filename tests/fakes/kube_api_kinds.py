"""The kinds that the fake API server serves, and how it tells clients about them."""

from dataclasses import dataclass
from typing import Any

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True)
class Kind:
    """One kind of object: where it is found and what it is called."""

    group: str
    version: str
    plural: str
    kind: str
    short: tuple[str, ...] = ()
    is_namespaced: bool = True
    subresources: tuple[tuple[str, str], ...] = ()
    """Name and the kind of the answer."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def root(self) -> str:
        return f"/apis/{self.api_version}" if self.group else f"/api/{self.version}"


_SCALED = (("scale", "Scale"), ("status", ""))
KINDS = (
    Kind("", "v1", "configmaps", "ConfigMap", ("cm",)),
    Kind("", "v1", "events", "Event", ("ev",)),
    Kind("", "v1", "namespaces", "Namespace", ("ns",), is_namespaced=False),
    Kind("", "v1", "nodes", "Node", ("no",), is_namespaced=False),
    Kind("", "v1", "pods", "Pod", ("po",), subresources=(("log", "Pod"), ("eviction", "Eviction"))),
    Kind("", "v1", "secrets", "Secret"),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", ("sa",)),
    Kind("", "v1", "services", "Service", ("svc",)),
    Kind("apps", "v1", "controllerrevisions", "ControllerRevision"),
    Kind("apps", "v1", "daemonsets", "DaemonSet", ("ds",)),
    Kind("apps", "v1", "deployments", "Deployment", ("deploy",), subresources=_SCALED),
    Kind("apps", "v1", "replicasets", "ReplicaSet", ("rs",), subresources=_SCALED),
    Kind("apps", "v1", "statefulsets", "StatefulSet", ("sts",), subresources=_SCALED),
    Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", ("hpa",)),
    Kind("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler", ("hpa",)),
    Kind("batch", "v1", "cronjobs", "CronJob", ("cj",)),
    Kind("batch", "v1", "jobs", "Job"),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress", ("ing",)),
    Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", ("pdb",)),
)


def kind_named(kind: str) -> Kind:
    """The preferred version of a kind."""
    return next(each for each in KINDS if each.kind == kind)


def kind_at(root: str, plural: str) -> Kind | None:
    """The kind that is served there."""
    return next((each for each in KINDS if (each.root, each.plural) == (root, plural)), None)


def discovery(path: str) -> Any:
    """The answer to a client that asks what is served; None for other paths."""
    if path in {"/version", "/version/"}:
        return {"major": "1", "minor": "33", "gitVersion": "v1.33.1", "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = dict.fromkeys(each.group for each in KINDS if each.group)
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [*map(_group, groups)]}
    served = [each for each in KINDS if each.root == path]
    return _resources(served) if served else None


def _group(name: str) -> dict[str, Any]:
    versions = dict.fromkeys(each.version for each in KINDS if each.group == name)
    found = [{"groupVersion": f"{name}/{each}", "version": each} for each in versions]
    return {"name": name, "versions": found, "preferredVersion": found[0]}


def _resources(kinds: list[Kind]) -> dict[str, Any]:
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].api_version,
        "resources": [entry for kind in kinds for entry in _entries(kind)],
    }


def _entries(kind: Kind) -> list[dict[str, Any]]:
    namespaced = {"namespaced": kind.is_namespaced}
    own = {
        "name": kind.plural,
        "singularName": kind.kind.lower(),
        "kind": kind.kind,
        "shortNames": list(kind.short),
        "verbs": VERBS,
        **namespaced,
    }
    parts = [
        {
            "name": f"{kind.plural}/{name}",
            "singularName": "",
            "kind": answer or kind.kind,
            "verbs": ["get", "patch", "update"],
            **namespaced,
            **({"group": "autoscaling", "version": "v1"} if name == "scale" else {}),
            **({"group": "policy", "version": "v1"} if name == "eviction" else {}),
        }
        for name, answer in kind.subresources
    ]
    return [own, *parts]
