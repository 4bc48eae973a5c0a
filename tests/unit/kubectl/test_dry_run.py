"""What the cluster is asked to prove a command: always a dry run on the server, never the change."""

import json
from datetime import UTC, datetime

import pytest

from app.kubectl.dry_run import dry_run_of
from app.kubectl.parser import parse
from app.kubectl.policy import load_policy
from app.kubectl.targets import object_reference, targets
from tests.fakes.kube_api_proofs import seen

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REVISION = seen(
    {
        "kind": "ReplicaSet",
        "spec": {
            "template": {
                "metadata": {"labels": {"app": "checkout", "pod-template-hash": "x"}},
                "spec": {"containers": [{"name": "app", "image": "checkout:0"}]},
            }
        },
    }
)


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        (
            "set image deploy/checkout app=checkout:2 -n shop",
            "set image deployment/checkout app=checkout:2 --dry-run=server --namespace=shop "
            "--output=json",
        ),
        (
            "label deploy/checkout a=b -n shop -o yaml",
            "label deployment/checkout a=b --dry-run=server --namespace=shop --output=json",
        ),
        (
            "taint node node-1 a=b:NoSchedule",
            "taint node node-1 a=b:NoSchedule --dry-run=server --output=json",
        ),
        (
            "expose deploy/checkout --port=80 -n shop",
            "expose deployment/checkout --dry-run=server --namespace=shop --output=json --port=80",
        ),
        (
            "delete pod checkout-1 -n shop --timeout=5m",
            "delete pod/checkout-1 --dry-run=server --namespace=shop --output=name --wait=false",
        ),
    ],
)
def test_a_verb_with_a_dry_run_of_its_own_is_asked_for_it(text: str, argv: str):
    assert [" ".join(question.argv) for question in dry_run_of(parse(text))] == [argv]


@pytest.mark.parametrize(
    ("text", "path", "patch"),
    [
        (
            "scale deploy/checkout --replicas=5 -n shop",
            "deployment checkout --namespace=shop",
            {"spec": {"replicas": 5}},
        ),
        (
            "rollout restart sts/db -n shop",
            "statefulset db --namespace=shop",
            {
                "spec": {
                    "template": {
                        "metadata": {
                            "annotations": {
                                "kubectl.kubernetes.io/restartedAt": "2026-03-02T12:00:00Z"
                            }
                        }
                    }
                }
            },
        ),
        (
            "rollout pause deploy/checkout -n shop",
            "deployment checkout --namespace=shop",
            {"spec": {"paused": True}},
        ),
        (
            "rollout resume deploy/checkout -n shop",
            "deployment checkout --namespace=shop",
            {"spec": {"paused": None}},
        ),
        ("cordon node-1", "node node-1", {"spec": {"unschedulable": True}}),
        ("uncordon node-1", "node node-1", {"spec": {"unschedulable": None}}),
        ("drain node-1", "node node-1", {"spec": {"unschedulable": True}}),
        (
            "rollout undo deploy/checkout -n shop",
            "deployment checkout --namespace=shop",
            {
                "spec": {
                    "template": {
                        "metadata": {"labels": {"app": "checkout"}},
                        "spec": {"containers": [{"name": "app", "image": "checkout:0"}]},
                        "$patch": "replace",
                    }
                }
            },
        ),
    ],
)
def test_a_verb_without_one_is_proven_by_the_equivalent_patch(
    text: str, path: str, patch: dict[str, object]
):
    (question,) = dry_run_of(parse(text), REVISION, NOON)

    flags = dict(word.removeprefix("--").split("=", 1) for word in question.argv if "=" in word)
    words = [word for word in question.argv if not word.startswith("--")]
    assert " ".join(words) == "patch " + path.partition(" --")[0]
    assert flags.get("namespace", "") == path.partition("--namespace=")[2]
    assert json.loads(flags["patch"]) == patch
    assert (flags["dry-run"], flags["output"]) == ("server", "json")


def test_a_dry_run_never_stands_behind_the_dashes():
    (question,) = dry_run_of(parse("create job x --from=cronjob/y -n shop -- rm -rf /data"))

    assert question.argv.index("--dry-run=server") < question.argv.index("--")


def test_each_object_of_several_is_asked_about():
    questions = dry_run_of(parse("scale deploy/a deploy/b --replicas=3 -n shop"))

    assert [question.argv[2] for question in questions] == ["a", "b"]


@pytest.mark.parametrize("path", sorted(load_policy().writes))
def test_no_question_about_any_verb_of_the_policy_can_change_anything(path: str):
    extra = {
        "scale": "--replicas=1",
        "label": "a=b",
        "annotate": "a=b",
        "taint": "a=b:NoSchedule",
        "set serviceaccount": "robot",
    }.get(path, "")
    kind = "" if path.startswith(("create", "cordon", "uncordon", "drain")) else "deployment"
    command = parse(f"{path} {kind} thing {extra} -n shop".replace("  ", " "))

    for revision in (None, REVISION):
        assert all("--dry-run=server" in each.argv for each in dry_run_of(command, revision))


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("scale deploy checkout --replicas=1 -n shop", "shop/deployment/checkout"),
        ("delete po/checkout-1 -n shop", "shop/pod/checkout-1"),
        ("cordon node-1", "/node/node-1"),
        ("expose deploy/checkout --name=front -n shop", "shop/service/front"),
        ("expose deploy/checkout -n shop", "shop/service/checkout"),
        ("autoscale deploy/checkout --max=2 -n shop", "shop/horizontalpodautoscaler/checkout"),
        ("create configmap settings -n shop", "shop/configmap/settings"),
        ("version", None),
    ],
)
def test_the_object_that_a_command_changes_has_one_name(text: str, reference: str | None):
    assert object_reference(parse(text)) == reference


def test_a_command_of_several_objects_names_them_all():
    found = targets(parse("delete pod a b -n shop"))

    assert [target.reference for target in found] == ["shop/pod/a", "shop/pod/b"]
