"""From a proposal to a changed cluster and back: the approval server's process and real kubectl."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.approvals import payload
from tests.fakes.cluster_desk import ClusterDesk, View, open_cluster_desk
from tests.fakes.kube_api import DEPLOYMENT, Trouble, open_kube_api
from tests.fakes.kube_api_objects import budget, config_map, deployment, pod_template, workload
from tests.fakes.processes import children_of, is_alive
from tests.fakes.servers import answers, running_product
from tests.fakes.waiting import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here"),
]

SCALE = "kubectl scale deployment/checkout --replicas=5 -n shop"
IMAGE = "kubectl set image deployment/checkout app=checkout:2 -n shop"
RESTART = "kubectl rollout restart deployment/checkout -n shop"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ClusterDesk]:
    with open_cluster_desk(tmp_path) as opened:
        yield opened


def proof(desk: ClusterDesk, approval_id: str, number: int = 0) -> Any:
    return desk.view(approval_id)["commands"][number]["proof"]


def changes(card: View) -> list[tuple[str, Any, Any]]:
    return [(each["path"], each["before"], each["after"]) for each in card["changes"]]


def statuses(view: View, key: str = "status") -> list[str]:
    return [one[key] for one in view["commands"]]


def pod_of(desk: ClusterDesk, app: str = "checkout") -> str:
    found = [
        each for each in desk.api.store.list("Pod") if each["metadata"]["labels"]["app"] == app
    ]
    return str(found[0]["metadata"]["name"])


def test_scaling_is_proven_run_verified_and_taken_back(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)

    card = proof(desk, approval_id)
    writes_before = list(desk.api.writes)
    ran = desk.run(approval_id)
    outcome = desk.outcome(approval_id)
    scaled_to = desk.api.replicas
    undone = desk.undo(approval_id)

    assert card["state"] == "proven"
    assert changes(card) == [("spec.replicas", 2, 5)]
    assert card["object"]["reference"] == "shop/deployment/checkout"
    assert card["object"]["replicas"] == 2
    assert writes_before == []
    assert statuses(ran) == ["succeeded"]
    assert scaled_to == 5
    assert outcome["recovery"] == "recovered", outcome
    assert {fact["name"] for fact in outcome["facts"]} == {
        "rollout complete",
        "pods ready",
        "no pod waits",
        "no restarts",
    }
    assert statuses(undone, "undo_status") == ["succeeded"]
    assert desk.api.replicas == 2


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("suggest", ["recorded", "recorded"]), ("read-only", ["succeeded", "recorded"])],
)
def test_a_mode_runs_no_more_than_it_says(tmp_path: Path, mode: str, expected: list[str]):
    with open_cluster_desk(tmp_path, COMMAND_MODE=mode) as desk:
        approval_id = desk.propose("kubectl get deployment/checkout -n shop", SCALE)

        ran = desk.run(approval_id)

        assert statuses(ran) == expected
        assert f"COMMAND_MODE={mode}" in ran["commands"][1]["output"]
        assert desk.api.replicas == 2


def test_what_has_a_protected_label_in_the_cluster_is_not_changed(tmp_path: Path):
    policy = tmp_path / "team.yaml"
    policy.write_text("protected_labels: {tier=data: ask the database team}\n")
    with open_cluster_desk(tmp_path, POLICY_FILE=str(policy)) as desk:
        approval_id = desk.propose(SCALE)
        allowed = proof(desk, approval_id)
        found = desk.api.get("Deployment", "checkout")
        found["metadata"].setdefault("labels", {})["tier"] = "data"
        desk.api.store.update(found)
        protected = desk.propose(SCALE)

        card = proof(desk, protected)
        ran = desk.run(protected)

        assert allowed["state"] == "proven"
        assert card["state"] == "refused"
        assert "ask the database team" in card["sentence"]
        assert statuses(ran) == ["failed"]
        assert "ask the database team" in ran["commands"][0]["output"]
        assert desk.api.replicas == 2


def test_an_image_that_cannot_be_pulled_does_not_help_and_is_taken_back(desk: ClusterDesk):
    desk.api.controller.bad_images["checkout:2"] = "ImagePullBackOff"
    approval_id = desk.propose(IMAGE)

    card = proof(desk, approval_id)
    desk.run(approval_id)
    outcome = desk.outcome(approval_id)
    undone = desk.undo(approval_id)

    assert changes(card) == [("spec.template.spec.containers[0].image", "checkout:1", "checkout:2")]
    assert card["undo"]["command"] == (
        "kubectl set image deployment/checkout app=checkout:1 --namespace=shop"
    )
    assert outcome["recovery"] == "not_recovered"
    failing = {fact["name"] for fact in outcome["facts"] if fact["holds"] is False}
    assert {"rollout complete", "no pod waits"} <= failing
    assert statuses(undone, "undo_status") == ["succeeded"]
    assert desk.api.image == "checkout:1"


def test_a_restart_is_proven_by_a_patch_and_needs_no_undo(desk: ClusterDesk):
    approval_id = desk.propose(RESTART)

    card = proof(desk, approval_id)
    restarted_before = desk.api.restarted_at
    desk.run(approval_id)
    outcome = desk.outcome(approval_id)
    answer = desk.client.post(f"/api/approvals/{approval_id}/undo")

    assert card["state"] == "proven"
    assert "restartedAt" in str(card["changes"])
    assert card["undo"]["kind"] == "none"
    assert card["undo"]["why"]
    assert restarted_before is None
    assert desk.api.restarted_at is not None
    assert outcome["recovery"] == "recovered"
    assert answer.status_code == 409


def test_a_rollout_goes_back_to_an_earlier_revision_and_forward_again(desk: ClusterDesk):
    desk.api.change("Deployment", "checkout", template=pod_template("checkout", "checkout:2"))
    approval_id = desk.propose("kubectl rollout undo deployment/checkout -n shop")

    card = proof(desk, approval_id)
    desk.run(approval_id)
    image_after = desk.api.image
    undone = desk.undo(approval_id)

    assert changes(card) == [("spec.template.spec.containers[0].image", "checkout:2", "checkout:1")]
    assert image_after == "checkout:1"
    assert card["undo"]["command"].endswith("--to-revision=2")
    assert statuses(undone, "undo_status") == ["succeeded"]
    assert desk.api.image == "checkout:2"


def test_a_deleted_pod_comes_back_by_its_owner_and_the_workload_tells_whether_it_helped(
    desk: ClusterDesk,
):
    desk.api.add(budget("checkout-pdb", "checkout", 0))
    name = pod_of(desk)
    approval_id = desk.propose(f"kubectl delete pod {name} -n shop")

    card = proof(desk, approval_id)
    desk.run(approval_id)
    outcome = desk.outcome(approval_id)

    assert card["object"]["owner"].startswith("replicaset/checkout-")
    assert "makes a new one" in card["sentence"]
    assert card["object"]["disruption_budgets"] == [
        "checkout-pdb allows 0 disruptions now: 2 pods are healthy, 2 must be"
    ]
    assert any("checkout-pdb" in warning for warning in card["warnings"])
    assert card["undo"]["kind"] == "none"
    assert outcome["recovery"] == "recovered"
    assert {fact["reference"] for fact in outcome["facts"]} == {"shop/deployment/checkout"}


def test_a_patch_of_the_environment_is_taken_back_exactly(desk: ClusterDesk):
    before = desk.api.get("Deployment", "checkout")["spec"]
    approval_id = desk.propose("kubectl set env deployment/checkout DB_HOST=other A=b -n shop")

    desk.run(approval_id)
    changed = desk.api.get("Deployment", "checkout")["spec"]
    undone = desk.undo(approval_id)

    assert changed != before
    assert statuses(undone, "undo_status") == ["succeeded"], undone
    assert desk.api.get("Deployment", "checkout")["spec"] == before


def test_a_patch_in_words_of_json_is_proven_run_and_taken_back(desk: ClusterDesk):
    text = (
        "kubectl patch deployment checkout -n shop --type=json "
        """-p '[{"op": "replace", "path": "/spec/replicas", "value": 3}]'"""
    )
    approval_id = desk.propose(text)

    card = proof(desk, approval_id)
    desk.run(approval_id)
    replicas_after = desk.api.replicas
    desk.undo(approval_id)

    assert changes(card) == [("spec.replicas", 2, 3)]
    assert (replicas_after, desk.api.replicas) == (3, 2)


def test_a_deleted_object_without_an_owner_is_made_again(desk: ClusterDesk):
    desk.api.add(config_map("settings", mode="fast", limit="10"))
    approval_id = desk.propose("kubectl delete configmap settings -n shop")

    desk.run(approval_id)
    was_there = desk.api.has("ConfigMap", "settings")
    undone = desk.undo(approval_id)

    assert not was_there
    assert statuses(undone, "undo_status") == ["succeeded"], undone
    assert desk.api.get("ConfigMap", "settings")["data"] == {"mode": "fast", "limit": "10"}


def test_several_commands_are_taken_back_in_reverse_order(desk: ClusterDesk):
    approval_id = desk.propose(SCALE, "kubectl scale deployment/checkout --replicas=7 -n shop")

    desk.run(approval_id)
    cards = [one["proof"] for one in desk.view(approval_id)["commands"]]
    desk.undo(approval_id)

    assert "--replicas=2" in cards[0]["undo"]["command"]
    assert "--replicas=5" in cards[1]["undo"]["command"]
    patched = [
        body["spec"]["replicas"]
        for _, path, query, body in desk.api.requests
        if path.endswith("/scale") and body and "dryRun" not in query
    ]
    assert patched == [5, 7, 5, 2]


def test_an_object_that_changed_after_the_proposal_makes_the_decision_void(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    desk.api.store.bump("Deployment", "shop", "checkout")

    answer = desk.approve(approval_id)
    view = desk.view(approval_id)

    assert answer.status_code == 409
    assert view["status"] == "pending"
    assert desk.api.writes == []
    assert desk.run(approval_id)["status"] == "approved"
    assert desk.api.replicas == 5


def test_an_object_that_changed_after_the_decision_is_asked_about_again(desk: ClusterDesk):
    desk.api.add(workload("StatefulSet", "db"))
    # The restart of another object is slow, so that the second approval has to wait for its turn.
    slow = desk.propose("kubectl rollout status statefulset/db -n shop --watch --revision=99")
    approval_id = desk.propose(SCALE)
    desk.approve(slow)
    desk.wait(slow, lambda view: statuses(view) == ["executing"])

    answer = desk.approve(approval_id)
    desk.api.store.bump("Deployment", "shop", "checkout")
    view = desk.wait(approval_id, lambda view: view["round"] == 2)

    assert answer.status_code == 200
    assert view["status"] == "pending"
    assert "deployment/checkout changed" in view["void_reason"]
    assert desk.api.writes == []


def test_what_git_owns_is_said_to_be_reverted(desk: ClusterDesk):
    desk.api.add(
        deployment(
            "cart",
            annotations={"argocd.argoproj.io/tracking-id": "shop-app:apps/Deployment:shop/cart"},
        )
    )
    approval_id = desk.propose("kubectl scale deployment/cart --replicas=3 -n shop")

    card = proof(desk, approval_id)

    assert card["object"]["managed_by"] == "Argo CD application shop-app"
    assert any("will be reverted" in text and "git" in text for text in card["warnings"])


def test_a_write_that_hangs_is_unknown_stops_the_rest_and_says_what_to_look_at(desk: ClusterDesk):
    approval_id = desk.propose(SCALE, RESTART)
    desk.api.troubles.append(Trouble(None, method="PATCH"))

    view = desk.run(approval_id)

    assert statuses(view) == ["unknown", "skipped"]
    assert "kubectl get deployment/checkout --namespace=shop" in view["commands"][0]["output"]


def test_nothing_is_approved_that_the_cluster_does_not_show(desk: ClusterDesk):
    desk.api.troubles.append(Trouble(500))
    approval_id = desk.propose(SCALE)

    refused = desk.approve(approval_id)

    assert refused.status_code == 503
    assert refused.json()["error"].startswith("Nothing was decided")
    assert desk.view(approval_id)["status"] == "pending"
    desk.api.troubles.clear()
    assert desk.approve(approval_id).status_code == 409  # its card has come meanwhile
    assert statuses(desk.run(approval_id)) == ["succeeded"]


def test_an_approval_that_comes_at_once_is_bound_to_a_card_as_well(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)

    answer = desk.client.post(f"/api/approvals/{approval_id}/approve")

    assert answer.status_code == 200
    assert desk.view(approval_id)["commands"][0]["proof"]["state"] == "proven"


@pytest.mark.parametrize(
    ("trouble", "state"),
    [(Trouble(403), "refused"), (Trouble(500), "unreachable"), (Trouble(None), "unreachable")],
)
def test_a_cluster_that_refuses_or_hangs_is_a_sentence_on_the_card(
    desk: ClusterDesk, trouble: Trouble, state: str
):
    desk.api.troubles.append(trouble)

    approval_id = desk.propose(SCALE)

    card = proof(desk, approval_id)
    assert card["state"] == state
    assert card["sentence"]
    assert card["undo"]["kind"] == "none"


def test_a_cluster_that_cannot_be_read_afterwards_is_never_recovered(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    desk.run(approval_id)
    desk.api.troubles.append(Trouble(500, method="GET"))

    outcome = desk.outcome(approval_id)

    assert outcome["recovery"] == "unknown"


def test_an_error_that_is_still_logged_means_that_it_did_not_help(desk: ClusterDesk):
    approval_id = desk.propose(
        RESTART, error_patterns=["connection to orders-db refused", "something else entirely"]
    )
    desk.run(approval_id)
    desk.api.log("ERROR connection to orders-db refused by 10.0.0.7")

    outcome = desk.outcome(approval_id)

    assert outcome["recovery"] == "not_recovered"
    assert "error gone" in str(outcome["facts"])


def test_logs_that_may_not_be_read_leave_it_unknown_whether_it_helped(desk: ClusterDesk):
    approval_id = desk.propose(RESTART, error_patterns=["connection to orders-db refused"])
    desk.api.troubles.append(Trouble(403, path="/log"))
    desk.run(approval_id)

    outcome = desk.outcome(approval_id)

    assert outcome["recovery"] == "unknown"
    assert [fact["name"] for fact in outcome["facts"] if fact["holds"] is None] == ["error gone"]


def test_steps_that_verify_run_after_the_others_and_their_result_counts(desk: ClusterDesk):
    approval_id = desk.propose(
        SCALE,
        "kubectl rollout status deployment/checkout -n shop",
        "kubectl get configmap nothing -n shop",
        phases=["REMEDIATE", "VERIFY", "VERIFY"],
    )

    ran = desk.run(approval_id)
    outcome = desk.outcome(approval_id)

    assert statuses(ran)[0] == "succeeded"
    assert statuses(desk.view(approval_id)) == ["succeeded", "succeeded", "failed"]
    assert outcome["recovery"] == "not_recovered"
    assert [fact["holds"] for fact in outcome["facts"] if fact["name"] == "check"] == [True, False]


def test_reading_alone_is_not_verified(desk: ClusterDesk):
    approval_id = desk.propose(
        "kubectl get deployment checkout -n shop",
        "kubectl get pods -n shop",
        phases=["INVESTIGATE", "VERIFY"],
    )

    desk.run(approval_id)
    view = desk.wait(approval_id, lambda view: statuses(view) == ["succeeded", "succeeded"])

    assert view["verification"] is None
    assert [one["proof"]["state"] for one in view["commands"]] == ["read_only", "read_only"]


def test_a_verification_that_a_kill_cut_off_is_begun_again(tmp_path: Path):
    with open_cluster_desk(tmp_path, VERIFY_AFTER_SECONDS="2") as desk:
        approval_id = desk.propose(SCALE)
        desk.run(approval_id)

        desk.restart_after_kill()

        assert desk.outcome(approval_id)["recovery"] == "recovered"
        assert desk.api.writes == [("PATCH", f"{DEPLOYMENT}/scale")]


def test_an_undo_that_a_kill_cut_off_is_unknown_and_not_begun_again(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    desk.run(approval_id)
    desk.api.troubles.append(Trouble(None, method="PATCH"))
    assert desk.client.post(f"/api/approvals/{approval_id}/undo").status_code == 202
    desk.wait(approval_id, lambda view: statuses(view, "undo_status") == ["executing"])

    desk.restart_after_kill()
    view = desk.wait(approval_id, lambda view: statuses(view, "undo_status") == ["unknown"])
    again = desk.client.post(f"/api/approvals/{approval_id}/undo")

    assert "stopped while it ran" in view["commands"][0]["undo_output"]
    assert "kubectl get deployment/checkout --namespace=shop" in view["commands"][0]["undo_output"]
    assert again.status_code == 409


def test_an_undo_while_it_is_verified_ends_the_verification(tmp_path: Path):
    with open_cluster_desk(tmp_path, VERIFY_TIMEOUT_SECONDS="60") as desk:
        desk.api.controller.bad_images["checkout:2"] = "ImagePullBackOff"
        approval_id = desk.propose(IMAGE)
        desk.run(approval_id)

        desk.undo(approval_id)

        outcome = desk.outcome(approval_id)
        assert outcome["recovery"] == "unknown"
        assert "taken back" in outcome["sentence"]


def test_what_somebody_changed_since_is_overwritten_only_when_that_is_confirmed(
    desk: ClusterDesk,
):
    approval_id = desk.propose(SCALE)
    desk.run(approval_id)
    desk.api.change("Deployment", "checkout", replicas=9)

    refused = desk.client.post(f"/api/approvals/{approval_id}/undo")
    before = desk.view(approval_id)
    undone = desk.undo(approval_id, confirm=True)

    assert refused.status_code == 409
    assert refused.json()["needs_confirmation"] is True
    assert "deployment/checkout was changed since command 1 ran" in refused.json()["error"]
    assert "spec.replicas is 9 now" in refused.json()["error"]
    assert "`confirm: true`" in refused.json()["error"]
    assert (before["undo"], before["can_undo"]) == (None, True)
    assert statuses(before, "undo_status") == [None]
    assert statuses(undone, "undo_status") == ["succeeded"]
    assert desk.api.replicas == 2
    wait_until(lambda: desk.audited("undo_begun"))
    assert [entry["is_confirmed"] for entry in desk.audited("undo_begun")] == [True]


def test_an_undo_leaves_alone_what_it_does_not_set_and_is_not_kept_from_it(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    desk.run(approval_id)
    template = pod_template("checkout", "checkout:2")
    desk.api.change("Deployment", "checkout", template=template)
    found = desk.api.get("Deployment", "checkout")
    found["status"]["conditions"] = [{"type": "Progressing", "status": "True"}]
    desk.api.store.update(found)

    undone = desk.undo(approval_id)

    assert statuses(undone, "undo_status") == ["succeeded"]
    assert (desk.api.replicas, desk.api.image) == (2, "checkout:2")


def test_what_somebody_made_again_is_not_made_a_second_time(desk: ClusterDesk):
    desk.api.add(config_map("settings", mode="fast"))
    approval_id = desk.propose("kubectl delete configmap settings -n shop")
    desk.run(approval_id)
    desk.api.add(config_map("settings", mode="slow"))

    refused = desk.client.post(f"/api/approvals/{approval_id}/undo")

    assert refused.status_code == 409
    assert "configmap/settings is there again" in refused.json()["error"]
    assert desk.api.get("ConfigMap", "settings")["data"] == {"mode": "slow"}


def test_what_changes_between_the_click_and_the_undo_is_not_overwritten(desk: ClusterDesk):
    desk.api.add(workload("StatefulSet", "db"))
    approval_id = desk.propose(SCALE)
    desk.run(approval_id)
    # It ends only at the time limit, and nothing else runs meanwhile.
    slow = desk.propose("kubectl rollout status statefulset/db -n shop --watch --revision=99")
    desk.approve(slow)
    desk.wait(slow, lambda view: statuses(view) == ["executing"])

    asked = desk.client.post(f"/api/approvals/{approval_id}/undo")
    desk.api.change("Deployment", "checkout", replicas=9)
    view = desk.wait(approval_id, lambda view: statuses(view, "undo_status") == ["skipped"])

    assert asked.status_code == 202
    assert "spec.replicas is 9 now" in view["commands"][0]["undo_output"]
    assert desk.api.replicas == 9


def test_nothing_is_taken_back_while_the_cluster_does_not_show_what_is_there(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    desk.run(approval_id)
    desk.api.troubles.append(Trouble(500, method="GET"))

    refused = desk.client.post(f"/api/approvals/{approval_id}/undo", json={"confirm": True})

    assert refused.status_code == 503
    assert refused.json()["error"].startswith("Nothing was taken back")
    assert desk.view(approval_id)["undo"] is None
    assert desk.api.replicas == 5


def test_that_it_helped_does_not_stand_after_an_undo(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    desk.run(approval_id)
    measured = desk.outcome(approval_id)

    view = desk.undo(approval_id)
    told = desk.backend.wait_for_one_of("undone").json

    assert measured["recovery"] == "recovered"
    assert view["outcome"] == "undone"
    assert view["verification"]["recovery"] == "unknown"
    assert "taken back" in view["verification"]["sentence"]
    assert view["verification"]["facts"] == measured["facts"]
    assert told["verification"]["recovery"] == "unknown"


def test_a_change_that_nobody_saw_end_has_no_outcome_and_is_taken_back_when_confirmed(
    desk: ClusterDesk,
):
    approval_id = desk.propose(SCALE)
    desk.api.troubles.append(Trouble(None, method="PATCH"))
    view = desk.run(approval_id)
    desk.api.troubles.clear()

    outcome = desk.outcome(approval_id)
    refused = desk.client.post(f"/api/approvals/{approval_id}/undo")
    undone = desk.undo(approval_id, confirm=True)

    assert statuses(view) == ["unknown"]
    assert outcome["recovery"] == "unknown"
    assert "may not have run" in outcome["sentence"]
    assert outcome["facts"]
    assert all(fact["holds"] for fact in outcome["facts"])
    assert refused.status_code == 409
    assert "Command 1 may have run or not" in refused.json()["error"]
    assert "kubectl get deployment/checkout --namespace=shop" in refused.json()["error"]
    assert statuses(undone, "undo_status") == ["succeeded"]


def test_a_change_that_a_kill_cut_off_says_what_to_look_at_also_without_a_way_back(
    desk: ClusterDesk,
):
    approval_id = desk.propose(RESTART.removesuffix(" -n shop"))
    desk.api.troubles.append(Trouble(None, method="PATCH"))
    desk.approve(approval_id)
    desk.wait(approval_id, lambda view: statuses(view) == ["executing"])

    desk.restart_after_kill()
    view = desk.wait(approval_id, lambda view: statuses(view) == ["unknown"])
    refused = desk.client.post(f"/api/approvals/{approval_id}/undo", json={"confirm": True})

    look = "Look at it: kubectl get deployment/checkout --namespace=shop --output=yaml"
    assert "may have taken effect or not" in view["commands"][0]["output"]
    assert look in view["commands"][0]["output"]
    assert refused.status_code == 409
    assert "no way back is kept" in refused.json()["error"]
    assert look in refused.json()["error"]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "Approved; the commands run now."),
        ({"COMMAND_MODE": "suggest"}, "nothing runs. Not executed: COMMAND_MODE=suggest"),
        ({"COMMAND_MODE": "read-only"}, "1 of 2 commands run now. Not executed: COMMAND_MODE=read"),
        ({"PATH": "/nowhere"}, "Approved and recorded; nothing runs: kubectl is not on the PATH"),
    ],
)
def test_an_approval_says_what_will_really_run(
    tmp_path: Path, settings: dict[str, str], words: str
):
    with open_cluster_desk(tmp_path, **settings) as desk:
        approval_id = desk.propose("kubectl get deployment/checkout -n shop", SCALE)

        answer = desk.approve(approval_id)

        assert words in answer.json()["message"]


def test_the_backend_hears_of_the_decision_the_execution_and_the_outcome(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    desk.run(approval_id)
    desk.outcome(approval_id)

    verified = desk.backend.wait_for_one_of("verified")

    kinds = [webhook.json["type"] for webhook in desk.backend.received]
    assert kinds == ["approval.decided", "approval.executed", "approval.verified"]
    assert verified.json["is_final"]
    assert verified.json["verification"]["recovery"] == "recovered"


def test_an_edited_command_is_proven_anew_before_it_runs(desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    edited = SCALE.replace("=5", "=3")
    choice = {"number": 0, "decision": "edited", "edited_to": edited}

    answer = desk.client.post(f"/api/approvals/{approval_id}/approve", json={"commands": [choice]})
    view = desk.wait(approval_id, lambda view: statuses(view) == ["succeeded"])
    desk.undo(approval_id)

    assert answer.status_code == 200
    assert changes(view["commands"][0]["proof"]) == [("spec.replicas", 2, 3)]
    assert desk.api.replicas == 2


def test_what_is_approved_before_its_card_is_filled_can_be_taken_back_nevertheless(
    desk: ClusterDesk,
):
    approval_id = desk.propose_at_once(SCALE)

    desk.client.post(f"/api/approvals/{approval_id}/approve")
    desk.wait(approval_id, lambda view: statuses(view) == ["succeeded"])
    desk.undo(approval_id)

    assert desk.api.replicas == 2


def test_a_failure_stops_what_follows_and_the_rest_can_still_be_taken_back(desk: ClusterDesk):
    approval_id = desk.propose(SCALE, "kubectl rollout resume deployment/checkout -n shop", RESTART)

    view = desk.run(approval_id)
    desk.undo(approval_id)

    assert statuses(view) == ["succeeded", "failed", "skipped"]
    assert desk.api.replicas == 2


def test_without_kubectl_on_the_path_decisions_are_recorded(tmp_path: Path):
    empty = tmp_path / "no-programs"
    empty.mkdir()
    with open_cluster_desk(tmp_path, PATH=str(empty)) as desk:
        approval_id = desk.propose(SCALE)

        view = desk.run(approval_id)
        ready = desk.client.get("/ready")
        config = desk.client.get("/api/config").json()

        assert statuses(view) == ["recorded"]
        assert "kubectl" in view["commands"][0]["output"]
        assert "kubectl" in ready.text
        assert "kubectl" in config["kubectl"]
        assert desk.api.requests == []


def test_a_killed_approval_server_is_back_at_once_although_its_command_still_hangs(tmp_path: Path):
    with open_kube_api() as api:
        settings = {"KUBECONFIG": str(api.write_kubeconfig(tmp_path / "kubeconfig"))}
        with running_product(tmp_path, **settings) as product:
            address = f"http://127.0.0.1:{product.approval_port}/api/approvals"
            asked = httpx.post(f"{address}/propose", json=payload(SCALE), timeout=30)
            place = f"{address}/{asked.json()['approval_id']}"
            wait_until(lambda: httpx.get(place).json()["commands"][0]["proof"])
            api.troubles.append(Trouble(None, method="PATCH"))
            httpx.post(f"{place}/approve", timeout=30)
            (server,) = children_of(product.process.pid)
            wait_until(lambda: statuses(httpx.get(place).json()) == ["executing"])
            wait_until(lambda: children_of(server))
            (kubectl,) = children_of(server)

            os.kill(server, signal.SIGKILL)
            wait_until(lambda: answers(product.approval_port, "/"))

            assert is_alive(kubectl)
            os.kill(kubectl, signal.SIGKILL)
            wait_until(lambda: statuses(httpx.get(place).json()) == ["unknown"])
