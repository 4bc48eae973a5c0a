"""Several approvals at once over one cluster: they wait for each other's objects, not for each other."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.cluster_desk import ClusterDesk, View, open_cluster_desk
from tests.fakes.kube_api import DEPLOYMENT, Trouble
from tests.fakes.kube_api_objects import deployment
from tests.fakes.waiting import wait_until

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed here"),
]

SCALE = "kubectl scale deployment/checkout --replicas=5 -n shop"
RESTART = "kubectl rollout restart deployment/checkout -n shop"
ELSEWHERE = "kubectl scale deployment/cart --replicas=5 -n shop"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ClusterDesk]:
    with open_cluster_desk(tmp_path, COMMAND_TIMEOUT_SECONDS="20") as opened:
        opened.api.add(deployment("cart"))
        yield opened


def statuses(view: View, key: str = "status") -> list[str]:
    return [one[key] for one in view["commands"]]


def hang(desk: ClusterDesk, command: str) -> str:
    """An approval whose command the cluster never answers."""
    approval_id = desk.propose(command)
    desk.api.troubles.append(Trouble(None, method="PATCH", path=f"{DEPLOYMENT}/scale"))
    assert desk.approve(approval_id).status_code == 200
    desk.wait(approval_id, lambda view: statuses(view) == ["executing"])
    return approval_id


def test_a_cluster_that_hangs_on_one_object_keeps_no_other_one_from_being_changed(
    desk: ClusterDesk,
):
    hanging = hang(desk, SCALE)

    ran = desk.run(desk.propose(ELSEWHERE))

    assert statuses(ran) == ["succeeded"]
    assert statuses(desk.view(hanging)) == ["executing"]


def test_the_same_object_is_changed_by_one_command_at_a_time(desk: ClusterDesk):
    """More of them wait than run at once."""
    also = [desk.propose(RESTART) for _ in range(5)]
    hanging = hang(desk, SCALE)

    for one in also:
        assert desk.approve(one).status_code == 200
    ran = desk.run(desk.propose(ELSEWHERE))

    assert statuses(ran) == ["succeeded"]
    assert statuses(desk.view(hanging)) == ["executing"]
    assert [statuses(desk.view(one)) for one in also] == [["waiting"]] * 5
    desk.wait(hanging, lambda view: statuses(view) == ["unknown"])
    wait_until(lambda: ["succeeded"] in [statuses(desk.view(one)) for one in also])


def test_an_undo_does_not_wait_for_a_check_that_still_waits(tmp_path: Path):
    image = "kubectl set image deployment/checkout app=checkout:2 -n shop"
    check = "kubectl rollout status deployment/checkout --timeout=60s -n shop"
    with open_cluster_desk(tmp_path, VERIFY_TIMEOUT_SECONDS="1") as desk:
        desk.api.controller.bad_images["checkout:2"] = "ImagePullBackOff"
        approval_id = desk.propose(image, check, phases=["REMEDIATE", "VERIFY"])
        desk.run(approval_id)
        desk.wait(approval_id, lambda view: statuses(view) == ["succeeded", "executing"])

        undone = desk.undo(approval_id)

        assert statuses(undone, "undo_status") == ["succeeded", None]
        # Only taken back it is complete: a check that had come first would have failed.
        desk.wait(approval_id, lambda view: statuses(view) == ["succeeded", "succeeded"])
