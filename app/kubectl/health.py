"""What tells whether a workload is well: its rollout, its pods, their restarts."""

from collections.abc import Iterable, Iterator, Mapping

from app.domain.proof import Fact
from app.kubectl.cluster_object import ClusterObject

WORKLOADS = frozenset({"deployment", "statefulset", "daemonset", "replicaset"})
BAD_REASONS = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
ROLLOUT, READY, WAITING, RESTARTS, GONE = (
    "rollout complete",
    "pods ready",
    "no pod waits",
    "no restarts",
    "error gone",
)
_COUNTS = ("initContainerStatuses", "containerStatuses")

Restarts = Mapping[tuple[str, str], int]
"""By the pod's uid and the container's name."""


def workload_facts(found: ClusterObject) -> tuple[Fact, Fact]:
    """Whether the rollout is complete, and whether as many pods are ready as are wanted."""
    wanted, updated, available, ready = _counts(found)
    is_seen = found.number("status", "observedGeneration") >= found.number("metadata", "generation")
    is_complete = is_seen and available >= wanted and _is_updated(found, wanted, updated)
    detail = f"{updated} of {wanted} updated, {available} available"
    if not is_seen:
        detail = "the change was not taken up yet"
    elif reason := _stuck(found):
        is_complete, detail = False, f"{detail}; {reason}"
    reference = found.target.reference
    return (
        Fact(reference=reference, name=ROLLOUT, holds=is_complete, detail=detail),
        Fact(
            reference=reference,
            name=READY,
            holds=ready >= wanted,
            detail=f"{ready} of {wanted} ready",
        ),
    )


def pods_fact(reference: str, pods: Iterable[ClusterObject]) -> Fact:
    """Whether no container of the pods waits for a reason that does not pass by itself."""
    waits = sorted({f"{pod.name}: {reason}" for pod in pods for reason in _bad_reasons(pod)})
    return Fact(reference=reference, name=WAITING, holds=not waits, detail="; ".join(waits[:5]))


def restarts_of(pods: Iterable[ClusterObject]) -> Restarts:
    """How often each container was started again."""
    return {
        (pod.uid, str(status.get("name"))): count
        for pod in pods
        for status in _statuses(pod)
        if isinstance(count := status.get("restartCount"), int)
    }


def restarts_fact(reference: str, before: Restarts | None, now: Restarts) -> Fact:
    """Whether no container was started again between two looks; unknown after the first."""
    if before is None:
        return Fact(reference=reference, name=RESTARTS, holds=None, detail="looked at once")
    grown = sum(max(0, count - before.get(key, 0)) for key, count in now.items())
    detail = f"{grown} since the look before" if grown else ""
    return Fact(reference=reference, name=RESTARTS, holds=not grown, detail=detail)


def selector_of(found: ClusterObject) -> str:
    """What `--selector` takes to find its pods; empty when that cannot be said."""
    words = [
        f"{name}={value}" for name, value in found.texts("spec", "selector", "matchLabels").items()
    ]
    for rule in found.items("spec", "selector", "matchExpressions"):
        values = rule.get("values")
        listed = ",".join(map(str, values)) if isinstance(values, list) else ""
        shape = _SELECTED.get(str(rule.get("operator")), "{}")
        words.append(shape.format(rule.get("key"), listed))
    return ",".join(words)


_SELECTED = {"In": "{} in ({})", "NotIn": "{} notin ({})", "Exists": "{}", "DoesNotExist": "!{}"}


def _counts(found: ClusterObject) -> tuple[int, int, int, int]:
    """Wanted, updated, available and ready."""
    if found.kind == "daemonset":
        names = (
            "desiredNumberScheduled",
            "updatedNumberScheduled",
            "numberAvailable",
            "numberReady",
        )
        wanted, updated, available, ready = (found.number("status", name) for name in names)
        return wanted, updated, available, ready
    wanted = found.number("spec", "replicas")
    ready = found.number("status", "readyReplicas")
    # Not every version of StatefulSets says how many are available; a ReplicaSet has one template.
    status = found.at("status")
    has_available = isinstance(status, dict) and "availableReplicas" in status
    available = found.number("status", "availableReplicas") if has_available else ready
    key = "replicas" if found.kind == "replicaset" else "updatedReplicas"
    return wanted, found.number("status", key), available, ready


def _is_updated(found: ClusterObject, wanted: int, updated: int) -> bool:
    """Whether all pods are of the new template that are to be."""
    strategy = found.at("spec", "updateStrategy")
    if isinstance(strategy, dict) and strategy.get("type") == "OnDelete":
        return True
    if found.kind == "statefulset":
        return updated >= wanted - found.number(
            "spec", "updateStrategy", "rollingUpdate", "partition"
        )
    return updated >= wanted and (
        found.kind == "daemonset" or found.number("status", "replicas") <= updated
    )


def _stuck(found: ClusterObject) -> str:
    for condition in found.items("status", "conditions"):
        if condition.get("reason") == "ProgressDeadlineExceeded":
            return "it makes no progress"
    return ""


def _bad_reasons(pod: ClusterObject) -> Iterator[str]:
    for status in _statuses(pod):
        state = status.get("state")
        waiting = state.get("waiting") if isinstance(state, dict) else None
        reason = waiting.get("reason") if isinstance(waiting, dict) else None
        if isinstance(reason, str) and reason in BAD_REASONS:
            yield reason


def _statuses(pod: ClusterObject) -> Iterator[Mapping[str, object]]:
    for name in _COUNTS:
        yield from pod.items("status", name)
