"""PodDisruptionBudgets: how many of a workload's pods may be away now."""

from collections.abc import Mapping

from pydantic import JsonValue

from app.kubectl.cluster_object import ClusterObject


def is_over(budget: ClusterObject, pod_labels: Mapping[str, str]) -> bool:
    """Whether the budget selects pods with these labels."""
    selector = budget.at("spec", "selector")
    if not isinstance(selector, dict) or not pod_labels:
        return False
    wanted = budget.texts("spec", "selector", "matchLabels")
    return wanted.items() <= pod_labels.items() and all(
        _matches(rule, pod_labels) for rule in budget.items("spec", "selector", "matchExpressions")
    )


def allows_none(budget: ClusterObject) -> bool:
    """Whether none of its pods may be evicted now."""
    return budget.number("status", "disruptionsAllowed") == 0


def sentence(budget: ClusterObject) -> str:
    """What it says now."""
    allowed = budget.number("status", "disruptionsAllowed")
    healthy = budget.number("status", "currentHealthy")
    wanted = budget.number("status", "desiredHealthy")
    number = f"{allowed} disruption{'' if allowed == 1 else 's'}"
    return f"{budget.name} allows {number} now: {healthy} pods are healthy, {wanted} must be"


def _matches(rule: Mapping[str, JsonValue], labels: Mapping[str, str]) -> bool:
    key, values = str(rule.get("key")), rule.get("values")
    listed = values if isinstance(values, list) else []
    match rule.get("operator"):
        case "In":
            return labels.get(key) in listed
        case "NotIn":
            return labels.get(key) not in listed
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case _:
            return False
