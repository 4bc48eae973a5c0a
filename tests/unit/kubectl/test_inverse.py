"""How each command is taken back, computed from the object before and after it."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from app.domain.proof import UndoKind
from app.kubectl.cluster_object import ClusterObject
from app.kubectl.field_diff import comparable
from app.kubectl.inverse import undo_of
from app.kubectl.parser import parse
from tests.fakes.kube_api_objects import config_map, metadata, node, owned_by, pod
from tests.fakes.kube_api_patches import MERGE, STRATEGIC, patched
from tests.fakes.kube_api_proofs import container, live, seen

Change = Callable[[dict[str, Any]], None]
PATCH_TYPES = {"merge": MERGE, "strategic": STRATEGIC}


def undo(text: str, before: dict[str, Any] | None, change: Change | None = None) -> Any:
    after = copy.deepcopy(before)
    if change and after:
        change(after)
    return undo_of(
        parse(text),
        seen(before) if before else None,
        seen(after) if after else None,
        revision=3,
    )


def sets(*path: str, to: Any) -> Change:
    def change(found: dict[str, Any]) -> None:
        for name in path[:-1]:
            found = found.setdefault(name, {})
        found[path[-1]] = to

    return change


def tainted(*taints: dict[str, str]) -> dict[str, Any]:
    found = node("node-1")
    found["spec"]["taints"] = list(taints)
    return found


def taint(key: str, value: str, effect: str = "NoSchedule") -> dict[str, str]:
    return {"key": key, "value": value, "effect": effect}


@pytest.mark.parametrize(
    ("text", "before", "change", "command"),
    [
        (
            "scale deploy checkout --replicas=5 -n shop",
            live(),
            sets("spec", "replicas", to=5),
            "kubectl scale deployment/checkout --namespace=shop --replicas=2",
        ),
        (
            "scale deploy/checkout --replicas=0 --current-replicas=2 -n shop",
            live(),
            sets("spec", "replicas", to=0),
            "kubectl scale deployment/checkout --namespace=shop --replicas=2",
        ),
        (
            "set image deploy/checkout app=checkout:2 -n shop",
            live(),
            lambda found: container(found).update(image="checkout:2"),
            "kubectl set image deployment/checkout app=checkout:1 --namespace=shop",
        ),
        (
            "rollout undo deploy/checkout -n shop",
            live(),
            lambda found: container(found).update(image="checkout:0"),
            "kubectl rollout undo deployment/checkout --namespace=shop --to-revision=3",
        ),
        (
            "rollout pause deploy/checkout -n shop",
            live(),
            sets("spec", "paused", to=True),
            "kubectl rollout resume deployment/checkout --namespace=shop",
        ),
        (
            "rollout resume deploy/checkout -n shop",
            {**live(), "spec": {**live()["spec"], "paused": True}},
            lambda found: found["spec"].pop("paused"),
            "kubectl rollout pause deployment/checkout --namespace=shop",
        ),
        (
            "label deploy/checkout tier=web team=a -n shop --overwrite",
            live(labels={"app": "checkout", "team": "b"}),
            sets("metadata", "labels", to={"app": "checkout", "team": "a", "tier": "web"}),
            "kubectl label deployment/checkout team=b tier- --namespace=shop --overwrite",
        ),
        (
            "annotate deploy/checkout note- -n shop",
            live(annotations={"note": "two words; $HOME"}),
            lambda found: found["metadata"]["annotations"].pop("note"),
            "kubectl annotate deployment/checkout 'note=two words; $HOME' "
            "--namespace=shop --overwrite",
        ),
        (
            "cordon node-1",
            node("node-1"),
            sets("spec", "unschedulable", to=True),
            "kubectl uncordon node/node-1",
        ),
        (
            "uncordon node-1",
            {**node("node-1"), "spec": {"unschedulable": True}},
            lambda found: found["spec"].pop("unschedulable"),
            "kubectl cordon node/node-1",
        ),
        (
            "drain node-1 --ignore-daemonsets",
            node("node-1"),
            sets("spec", "unschedulable", to=True),
            "kubectl uncordon node/node-1",
        ),
        (
            "taint node node-1 disk=full:NoSchedule",
            tainted(),
            sets("spec", "taints", to=[taint("disk", "full")]),
            "kubectl taint node node-1 disk:NoSchedule- --overwrite",
        ),
        (
            "taint node node-1 disk=full:NoSchedule --overwrite",
            tainted(taint("disk", "slow"), taint("gpu", "yes")),
            sets("spec", "taints", to=[taint("disk", "full"), taint("gpu", "yes")]),
            "kubectl taint node node-1 disk=slow:NoSchedule --overwrite",
        ),
        (
            "taint node node-1 disk:NoSchedule-",
            tainted(taint("disk", "slow")),
            sets("spec", "taints", to=[]),
            "kubectl taint node node-1 disk=slow:NoSchedule --overwrite",
        ),
    ],
)
def test_a_command_is_taken_back_by_its_inverse(
    text: str, before: dict[str, Any], change: Change, command: str
):
    found = undo(text, before, change)

    assert (found.kind, found.command) == (UndoKind.COMMAND, command)
    assert parse(found.command).render() == command
    assert found.why.endswith(".")


def add_environment(found: dict[str, Any]) -> None:
    container(found)["env"] = [
        {"name": "MODE", "value": "slow"},
        {"name": "DB_HOST", "value": "other-db"},
    ]


def drop_environment(found: dict[str, Any]) -> None:
    del container(found)["env"]


def more_memory(found: dict[str, Any]) -> None:
    container(found)["resources"] = {"limits": {"memory": "1Gi", "cpu": "1"}}


def other_shape(found: dict[str, Any]) -> None:
    found["spec"]["strategy"] = {"type": "Recreate"}
    found["spec"]["template"]["spec"]["tolerations"] = [{"key": "gpu", "operator": "Exists"}]
    found["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "side:1"})
    container(found)["args"] = ["--fast"]
    container(found)["ports"] = [{"containerPort": 8080}]


@pytest.mark.parametrize(
    ("text", "change", "patch_type"),
    [
        ("set env deploy/checkout MODE=slow -n shop", add_environment, "strategic"),
        ("set env deploy/checkout DB_HOST- -n shop", drop_environment, "strategic"),
        ("set resources deploy/checkout --limits=memory=1Gi -n shop", more_memory, "strategic"),
        ("patch deploy checkout -p {} -n shop", other_shape, "strategic"),
        (
            "patch deploy checkout -p {} -n shop",
            sets("spec", "progressDeadlineSeconds", to=60),
            "merge",
        ),
        (
            "set serviceaccount deploy/checkout robot -n shop",
            sets("spec", "template", "spec", "serviceAccountName", to="robot"),
            "merge",
        ),
    ],
)
def test_other_changes_are_taken_back_by_a_patch_that_restores_what_was(
    text: str, change: Change, patch_type: str
):
    before = live()
    after = copy.deepcopy(before)
    change(after)
    after["metadata"]["labels"]["by"] = "somebody else, meanwhile"

    command = parse(undo(text, before, change).command)

    assert (command.verb, command.value("type")) == ("patch", patch_type)
    patch = json.loads(command.value("patch") or "")
    restored = patched(after, patch, PATCH_TYPES[patch_type])
    assert restored["metadata"]["labels"].pop("by")
    assert comparable(seen(restored)) == comparable(seen(before))


def test_a_patch_back_names_nothing_that_the_command_leaves_alone():
    found = undo("set env deploy/checkout DB_HOST=x -n shop", live(), add_environment)

    containers = json.loads(parse(found.command).value("patch") or "")["spec"]["template"]["spec"]
    assert containers == {
        "containers": [
            {
                "name": "app",
                "env": [
                    {"name": "DB_HOST", "value": "orders-db"},
                    {"name": "MODE", "$patch": "delete"},
                ],
            }
        ]
    }


def created(kind: str, name: str) -> dict[str, Any]:
    return {"kind": kind, "metadata": metadata(name)}


@pytest.mark.parametrize(
    ("text", "after", "command"),
    [
        (
            "create configmap settings --from-literal=a=b -n shop",
            config_map("settings"),
            "kubectl delete configmap/settings --namespace=shop",
        ),
        (
            "expose deploy/checkout --port=80 --name=front -n shop",
            created("Service", "front"),
            "kubectl delete service/front --namespace=shop",
        ),
        (
            "autoscale deploy/checkout --max=5 -n shop",
            created("HorizontalPodAutoscaler", "checkout"),
            "kubectl delete horizontalpodautoscaler/checkout --namespace=shop",
        ),
    ],
)
def test_what_is_made_is_deleted_again(text: str, after: dict[str, Any], command: str):
    found = undo_of(parse(text), None, ClusterObject(after))

    assert (found.kind, found.command) == (UndoKind.COMMAND, command)


def test_a_deleted_object_without_an_owner_is_made_again_without_what_the_cluster_fills_in():
    found = undo("delete deploy checkout -n shop", live())

    assert found.kind is UndoKind.RECREATE
    manifest = json.loads(found.manifest)
    assert manifest["spec"] == live()["spec"]
    assert manifest["metadata"]["name"] == "checkout"
    assert manifest["metadata"]["labels"] == {"app": "checkout"}
    filled_in = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"}
    assert not filled_in & manifest["metadata"].keys()
    assert "status" not in manifest


OWNER = live()


@pytest.mark.parametrize(
    ("text", "before", "why"),
    [
        (
            "delete pod checkout-1 -n shop",
            pod("checkout-1", ownerReferences=owned_by(OWNER)),
            "deployment/checkout makes a new one by itself.",
        ),
        ("rollout restart deploy/checkout -n shop", live(), "A restart makes the same pods"),
        ("scale deploy/checkout --replicas=2 -n shop", live(), "It changes nothing"),
        ("delete pod a b -n shop", pod("a"), "several objects"),
        ("delete job once -n shop", created("Job", "once"), "would run again"),
        ("delete pod gone -n shop", None, "not there"),
        (
            "drain node-1",
            {**node("node-1"), "spec": {"unschedulable": True}},
            "cordoned already",
        ),
        (
            "delete configmap settings -n shop",
            config_map("settings", DB_PASSWORD="hunter2-x7Kq9x7Kq9"),
            "holds secrets",
        ),
    ],
)
def test_what_cannot_be_taken_back_says_why(text: str, before: dict[str, Any] | None, why: str):
    found = undo(text, before, lambda found: None)

    assert (found.kind, found.command, found.manifest) == (UndoKind.NONE, "", "")
    assert why in found.why
    assert found.why.endswith(".")


def test_a_secrets_old_value_is_in_no_undo():
    before = live()
    container(before)["env"] = [{"name": "DB_PASSWORD", "value": "hunter2-x7Kq9x7Kq9"}]

    found = undo(
        "set env deploy/checkout DB_PASSWORD=other -n shop",
        before,
        lambda found: container(found)["env"][0].update(value="other-Kq9x7Kq9x7"),
    )

    assert found.kind is UndoKind.NONE
    assert "hunter2" not in found.model_dump_json()
    assert "secrets are not kept" in found.why
