"""Proof cards by real kubectl against the fake cluster: nothing is changed, and each undo undoes."""

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.adapters.cluster.kubectl import KubectlRunner
from app.approvals.cluster_look import ClusterLook
from app.approvals.judging import CommandJudge
from app.approvals.proving import Proving
from app.approvals.undoing import RECREATE
from app.domain.errors import ClusterFailed
from app.domain.proof import Proof, ProofState, Undo, UndoKind
from app.kubectl.cluster_object import ClusterObject
from app.kubectl.field_diff import comparable
from app.kubectl.parser import parse
from app.kubectl.policy import load_policy
from tests.fakes.approvals import DrivenClock
from tests.fakes.kube_api import KubeApi, Trouble, open_kube_api
from tests.fakes.kube_api_objects import (
    budget,
    config_map,
    deployment,
    node,
    pod_template,
    workload,
)

pytestmark = pytest.mark.skipif(
    shutil.which("kubectl") is None, reason="kubectl is not installed here"
)
BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Cluster:
    """The fake cluster, kubectl on it, and what is to be tested."""

    api: KubeApi
    runner: KubectlRunner
    proving: Proving

    async def prove(self, text: str) -> Proof:
        """The card of a command; the cluster stays as it was."""
        before = self.state()
        proof = await self.proving.prove(parse(text))
        assert self.state() == before
        assert self.api.writes == []
        return proof

    async def do(self, text: str) -> None:
        """What approving runs."""
        result = await self.runner.run(parse(text).argv())
        assert result.succeeded, result.output

    async def undo(self, undo: Undo) -> None:
        """What one click runs."""
        if undo.kind is UndoKind.RECREATE:
            result = await self.runner.run(RECREATE, undo.manifest)
        else:
            result = await self.runner.run(parse(undo.command).argv())
        assert result.succeeded, result.output

    def state(self) -> dict[str, Any]:
        """What people decide about, of every object but pods and revisions."""
        kinds = ("Deployment", "StatefulSet", "ConfigMap", "Node", "Service")
        return {
            f"{kind}/{found['metadata']['name']}": comparable(ClusterObject(found))
            for kind in (*kinds, "HorizontalPodAutoscaler")
            for found in self.api.store.list(kind)
        }


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    with open_kube_api() as api:
        api.add(node("node-1"))
        api.add(config_map("settings"))
        api.add(workload("StatefulSet", "db", image="db:1"))
        api.change("Deployment", "checkout", template=pod_template("checkout", "checkout:2"))
        api.change("StatefulSet", "db", template=pod_template("db", "db:2"))
        runner = KubectlRunner(
            api.write_kubeconfig(tmp_path / "kubeconfig"), 10, output_limit_bytes=BYTES
        )
        judge = CommandJudge(load_policy())
        yield Cluster(api, runner, Proving(ClusterLook(runner), judge, DrivenClock()))


@pytest.mark.parametrize(
    "text",
    [
        "scale deploy/checkout --replicas=5 -n shop",
        "scale sts/db --replicas=0 -n shop",
        "set image deploy/checkout app=checkout:3 -n shop",
        "set env deploy/checkout A=b DB_HOST- -n shop",
        "set resources deploy/checkout --limits=memory=1Gi,cpu=2 -n shop",
        "set serviceaccount deployment checkout robot -n shop",
        "patch deploy checkout -n shop --type=merge -p "
        """'{"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}}'""",
        "patch deploy checkout -n shop -p "
        """'{"spec": {"template": {"spec": {"containers": [{"name": "app", "args": ["-v"]}]}}}}'""",
        "patch deploy checkout -n shop --type=json -p "
        """'[{"op": "remove", "path": "/spec/template/spec/containers/0/resources"}]'""",
        "label deploy/checkout app=other tier=web --overwrite -n shop",
        "annotate deploy/checkout note='two words' -n shop",
        "rollout undo deploy/checkout -n shop",
        "rollout undo sts/db -n shop",
        "rollout pause deploy/checkout -n shop",
        "cordon node-1",
        "taint node node-1 disk=full:NoSchedule",
        "expose deploy/checkout --port=80 -n shop",
        "autoscale deploy/checkout --max=4 -n shop",
        "create configmap more --from-literal=a=b -n shop",
        "delete configmap settings -n shop",
        "delete deploy checkout -n shop",
    ],
)
async def test_a_change_is_shown_done_and_undone(cluster: Cluster, text: str):
    before = cluster.state()

    proof = await cluster.prove(text)
    await cluster.do(text)
    after = cluster.state()
    await cluster.undo(proof.undo)

    assert proof.state is ProofState.PROVEN
    assert after != before
    assert cluster.state() == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scale deploy/checkout --replicas=5 -n shop", "spec.replicas of deployment/checkout"),
        ("scale deploy/checkout --replicas=2 -n shop", "changes nothing"),
        ("set image deploy/checkout app=c:9 -n shop", "image of deployment/checkout from checkout"),
        ("rollout restart sts/db -n shop", "replaces the pods of statefulset/db"),
        ("rollout undo deploy/checkout -n shop", "from checkout:2 to checkout:1"),
        ("rollout pause deploy/checkout -n shop", "from nothing to true"),
        ("delete pod checkout-1 -n shop", "removes pod/checkout-1."),
        ("drain node-1", "evicts the pods of node/node-1"),
        ("expose deploy/checkout --port=80 -n shop", "makes service/checkout"),
    ],
)
async def test_the_card_says_first_what_happens(cluster: Cluster, text: str, words: str):
    proof = await cluster.prove(text)

    assert proof.state is ProofState.PROVEN
    assert words in proof.sentence


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("scale deploy/nope --replicas=5 -n shop", "The cluster has no deployment/nope."),
        ("delete pod checkout-1 nope -n shop", "The cluster has no pod/nope."),
        ("set image deploy/checkout nope=c:9 -n shop", "unable to find container"),
        ('patch deploy checkout -n shop -p \'{"spec": {"replicas": -4}}\'', "non-negative"),
        ("rollout undo deploy/checkout --to-revision=9 -n shop", "no revision"),
        ("create configmap settings --from-literal=a=b -n shop", "already exists"),
    ],
)
async def test_what_the_cluster_would_not_take_is_refused_beforehand(
    cluster: Cluster, text: str, words: str
):
    proof = await cluster.prove(text)

    assert (proof.state, proof.undo.kind) == (ProofState.REFUSED, UndoKind.NONE)
    assert words in proof.sentence


@pytest.mark.parametrize(
    ("trouble", "state", "words"),
    [
        (Trouble(403), ProofState.REFUSED, "Forbidden"),
        (Trouble(409, method="PATCH"), ProofState.REFUSED, "Conflict"),
        (Trouble(401), ProofState.UNREACHABLE, "does not know this server"),
        (Trouble(500), ProofState.UNREACHABLE, "InternalError"),
        (Trouble(503, reason="ServiceUnavailable"), ProofState.UNREACHABLE, "ServiceUnavailable"),
    ],
)
async def test_a_cluster_in_trouble_is_a_card_with_a_sentence(
    cluster: Cluster, trouble: Trouble, state: ProofState, words: str
):
    cluster.api.troubles.append(trouble)

    proof = await cluster.prove("scale deploy/checkout --replicas=5 -n shop")

    assert proof.state is state
    assert words in proof.sentence
    assert "\n" not in proof.sentence


async def test_a_cluster_that_nobody_listens_at_cannot_be_reached(tmp_path: Path):
    with open_kube_api() as api:
        kubeconfig = api.write_kubeconfig(tmp_path / "kubeconfig")
    look = ClusterLook(KubectlRunner(kubeconfig, 10))
    proving = Proving(look, CommandJudge(load_policy()), DrivenClock())

    proof = await proving.prove(parse("scale deploy/checkout --replicas=5 -n shop"))

    assert proof.state is ProofState.UNREACHABLE
    assert "refused" in proof.sentence
    with pytest.raises(ClusterFailed):
        await proving.versions(["shop/deployment/checkout"])


async def test_a_card_is_bound_to_the_object_it_shows(cluster: Cluster):
    found = cluster.api.get("Deployment", "checkout")["metadata"]

    proof = await cluster.prove("scale deploy/checkout --replicas=5 -n shop")
    bumped = cluster.api.store.bump("Deployment", "shop", "checkout")
    versions = await cluster.proving.versions(
        ["shop/deployment/checkout", "/node/node-1", "shop/pod/nope", "shop/ingress/nope"]
    )

    assert proof.versions == {"shop/deployment/checkout": found["resourceVersion"]}
    assert versions["shop/deployment/checkout"] == bumped != found["resourceVersion"]
    assert (
        versions["/node/node-1"] == cluster.api.get("Node", "node-1")["metadata"]["resourceVersion"]
    )
    assert (versions["shop/pod/nope"], versions["shop/ingress/nope"]) == (None, None)


async def test_a_command_of_several_objects_is_bound_to_all_of_them(cluster: Cluster):
    proof = await cluster.prove("scale deploy/checkout sts/db --replicas=3 -n shop")

    assert set(proof.versions) == {"shop/deployment/checkout", "shop/statefulset/db"}
    assert [(each.path, each.after) for each in proof.changes] == [
        ("deployment/checkout: spec.replicas", 3),
        ("statefulset/db: spec.replicas", 3),
    ]
    assert proof.undo.kind is UndoKind.NONE
    assert "one command for each" in proof.undo.why


@pytest.mark.parametrize(
    ("metadata", "owner"),
    [
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/cart"}},
            "Argo CD application web",
        ),
        (
            {
                "labels": {
                    "kustomize.toolkit.fluxcd.io/name": "apps",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
                }
            },
            "Flux Kustomization flux-system/apps",
        ),
    ],
)
async def test_what_git_owns_is_told_of_the_object_and_of_its_pods(
    cluster: Cluster, metadata: dict[str, Any], owner: str
):
    found = deployment("cart")
    for name, words in metadata.items():
        found["metadata"][name] = found["metadata"].get(name, {}) | words
    cluster.api.add(found)
    pod = next(
        each["metadata"]["name"]
        for each in cluster.api.store.list("Pod")
        if each["metadata"]["name"].startswith("cart-")
    )

    scaled = await cluster.prove("scale deploy/cart --replicas=3 -n shop")
    deleted = await cluster.prove(f"delete pod {pod} -n shop")

    for proof in (scaled, deleted):
        assert proof.object is not None
        assert proof.object.managed_by == owner
    assert any("will be reverted" in text and "git" in text for text in scaled.warnings)
    assert not any("reverted" in text for text in deleted.warnings)


async def test_a_change_of_what_a_controller_owns_is_said_not_to_last(cluster: Cluster):
    name = next(iter(cluster.api.store.list("ReplicaSet")))["metadata"]["name"]

    proof = await cluster.prove(f"scale rs/{name} --replicas=9 -n shop")

    assert any("deployment/checkout manages" in text for text in proof.warnings)


async def test_budgets_over_the_pods_are_told_and_warned_of_when_pods_stop(cluster: Cluster):
    cluster.api.add(budget("tight", "checkout", allowed=0))
    cluster.api.add(budget("other", "elsewhere", allowed=0))

    down = await cluster.prove("scale deploy/checkout --replicas=1 -n shop")
    up = await cluster.prove("scale deploy/checkout --replicas=3 -n shop")

    for proof in (down, up):
        assert proof.object is not None
        assert [text.split()[0] for text in proof.object.disruption_budgets] == ["tight"]
    assert any("tight allows 0 disruptions" in text for text in down.warnings)
    assert up.warnings == ()


async def test_a_change_of_a_paused_rollout_is_said_to_wait(cluster: Cluster):
    cluster.api.change("Deployment", "checkout", paused=True)

    proof = await cluster.prove("set image deploy/checkout app=checkout:3 -n shop")

    assert any("is paused" in text for text in proof.warnings)


async def test_a_secret_in_the_cluster_is_on_no_card(cluster: Cluster):
    secret = "hunter2-x7Kq9x7Kq9"
    template = pod_template("checkout", "checkout:2")
    template["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": secret}]
    cluster.api.change("Deployment", "checkout", template=template)

    for text in (
        "set env deploy/checkout DB_PASSWORD=other-x7Kq9x7 -n shop",
        "delete deploy checkout -n shop",
        "set image deploy/checkout app=checkout:3 -n shop",
    ):
        proof = await cluster.prove(text)
        assert proof.state is ProofState.PROVEN
        assert secret not in proof.model_dump_json()


@pytest.mark.parametrize(
    "text", ["get pods -n shop", "scale deploy/checkout --replicas=3 -n shop --dry-run=server"]
)
async def test_what_changes_nothing_is_not_asked_about(cluster: Cluster, text: str):
    proof = await cluster.prove(text)

    assert proof.state is ProofState.READ_ONLY
    assert cluster.api.requests == []


async def test_without_a_cluster_the_card_says_so():
    proving = Proving(None, CommandJudge(load_policy()), DrivenClock())

    proof = await proving.prove(parse("scale deploy/checkout --replicas=3 -n shop"))

    assert proof.state is ProofState.NO_CLUSTER
    assert await proving.versions(["shop/deployment/checkout"]) == {}
