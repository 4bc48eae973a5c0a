"""Facts about workloads and their pods, read from objects as clusters show them."""

from typing import Any

import pytest

from app.kubectl.budgets import is_over
from app.kubectl.cluster_object import ClusterObject
from app.kubectl.gitops import gitops_owner
from app.kubectl.health import (
    pods_fact,
    restarts_fact,
    restarts_of,
    selector_of,
    workload_facts,
)
from tests.fakes.kube_api_objects import budget, pod, running, waiting, workload

WELL = {
    "observedGeneration": 4,
    "replicas": 2,
    "updatedReplicas": 2,
    "readyReplicas": 2,
    "availableReplicas": 2,
}


def found(kind: str, status: dict[str, Any], **spec: Any) -> ClusterObject:
    made = workload(kind, "checkout")
    made["metadata"]["generation"] = 4
    made["spec"] |= spec
    made["status"] = status
    return ClusterObject(made)


STUCK = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
SCHEDULED = {
    "observedGeneration": 4,
    "desiredNumberScheduled": 3,
    "updatedNumberScheduled": 3,
    "numberAvailable": 3,
    "numberReady": 3,
}


@pytest.mark.parametrize(
    ("workload_now", "is_complete", "is_ready"),
    [
        (found("Deployment", WELL), True, True),
        (found("Deployment", {**WELL, "observedGeneration": 3}), False, True),
        (found("Deployment", {**WELL, "updatedReplicas": 1}), False, True),
        (found("Deployment", {**WELL, "replicas": 3}), False, True),
        (found("Deployment", {**WELL, "availableReplicas": 1}), False, True),
        (found("Deployment", {**WELL, "readyReplicas": 1, "availableReplicas": 1}), False, False),
        (found("Deployment", {**WELL, "conditions": STUCK}), False, True),
        (found("Deployment", {"observedGeneration": 4}, replicas=0), True, True),
        (found("Deployment", {"observedGeneration": 4}), False, False),
        (found("Deployment", {}), False, False),
        (found("StatefulSet", WELL), True, True),
        (found("StatefulSet", {**WELL, "updatedReplicas": 1}), False, True),
        (
            found(
                "StatefulSet",
                {**WELL, "updatedReplicas": 1},
                updateStrategy={"rollingUpdate": {"partition": 1}},
            ),
            True,
            True,
        ),
        (
            found(
                "StatefulSet",
                {**WELL, "updatedReplicas": 0},
                updateStrategy={"type": "OnDelete"},
            ),
            True,
            True,
        ),
        (found("DaemonSet", SCHEDULED), True, True),
        (found("DaemonSet", {**SCHEDULED, "updatedNumberScheduled": 2}), False, True),
        (found("DaemonSet", {**SCHEDULED, "numberAvailable": 2, "numberReady": 2}), False, False),
        (
            found("ReplicaSet", {"observedGeneration": 4, "replicas": 2, "readyReplicas": 2}),
            True,
            True,
        ),
        (found("ReplicaSet", {"observedGeneration": 4, "replicas": 2}), False, False),
    ],
)
def test_a_rollout_is_complete_when_all_pods_are_new_and_available(
    workload_now: ClusterObject, is_complete: bool, is_ready: bool
):
    rollout, ready = workload_facts(workload_now)

    assert (rollout.name, rollout.holds) == ("rollout complete", is_complete)
    assert (ready.name, ready.holds) == ("pods ready", is_ready)
    assert rollout.detail


def pods(*states: dict[str, Any]) -> list[ClusterObject]:
    return [
        ClusterObject({**pod(f"checkout-{number}", uid=f"uid-{number}"), "status": status})
        for number, status in enumerate(states)
    ]


@pytest.mark.parametrize(
    ("reason", "holds"),
    [
        ("CrashLoopBackOff", False),
        ("ImagePullBackOff", False),
        ("ErrImagePull", False),
        ("CreateContainerConfigError", False),
        ("ContainerCreating", True),
        ("PodInitializing", True),
    ],
)
def test_a_pod_that_waits_for_what_does_not_come_by_itself_is_told(reason: str, holds: bool):
    fact = pods_fact("shop/deployment/checkout", pods(running("a"), waiting("a", reason)))

    assert fact.holds is holds
    assert (reason in fact.detail) is not holds


def test_restarts_are_counted_between_two_looks_and_for_pods_that_are_new():
    first = restarts_of(pods(running("a", 3), running("a", 1)))
    same = restarts_of(pods(running("a", 3)))
    grown = restarts_of(pods(running("a", 3), running("a", 2)))
    of_new_pods = restarts_of(pods(running("a", 3), running("a", 1), running("a", 1)))

    holds = [
        restarts_fact("x", before, now).holds
        for before, now in ((None, first), (first, same), (first, grown), (first, of_new_pods))
    ]

    assert holds == [None, True, False, False]


def test_a_selector_is_written_as_kubectl_takes_it():
    selector = {
        "matchLabels": {"app": "checkout", "tier": "web"},
        "matchExpressions": [
            {"key": "track", "operator": "NotIn", "values": ["canary", "test"]},
            {"key": "legacy", "operator": "DoesNotExist"},
        ],
    }

    written = selector_of(found("Deployment", {}, selector=selector))

    assert written == "app=checkout,tier=web,track notin (canary,test),!legacy"


@pytest.mark.parametrize(
    ("selector", "is_over_it"),
    [
        ({"matchLabels": {"app": "checkout"}}, True),
        ({"matchLabels": {"app": "other"}}, False),
        ({}, True),
        (None, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["checkout"]}]}, True),
        (
            {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["checkout"]}]},
            False,
        ),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_a_budget_is_over_the_pods_that_it_selects(selector: Any, is_over_it: bool):
    made = budget("tight", "x", 0)
    made["spec"]["selector"] = selector

    assert is_over(ClusterObject(made), {"app": "checkout"}) is is_over_it


INSTANCE = {"app.kubernetes.io/instance": "web"}


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "web:apps/X:shop/a"}},
            "Argo CD application web",
        ),
        ({"labels": {"argocd.argoproj.io/instance": "web"}}, "Argo CD application web"),
        (
            {"labels": INSTANCE, "annotations": {"argocd.argoproj.io/sync-wave": "1"}},
            "Argo CD application web",
        ),
        ({"labels": INSTANCE}, None),
        (
            {
                "labels": {
                    "kustomize.toolkit.fluxcd.io/name": "apps",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux",
                }
            },
            "Flux Kustomization flux/apps",
        ),
        ({"labels": {"helm.toolkit.fluxcd.io/name": "web"}}, "Flux HelmRelease web"),
        ({"labels": {"app.kubernetes.io/managed-by": "Helm"}}, None),
        ({}, None),
    ],
)
def test_who_brings_an_object_back_to_what_stands_in_git_is_known_by_its_marks(
    metadata: dict[str, Any], owner: str | None
):
    unowned = ClusterObject(pod("checkout-1"))
    owned = ClusterObject({"kind": "Deployment", "metadata": metadata})

    assert gitops_owner([owned]) == owner
    assert gitops_owner([unowned, owned]) == owner
