"""What a reviewer is told about a command, and what may run at all."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.approvals.judging import CommandJudge, RefusedByPolicy
from app.kubectl.policy import load_policy
from tests.fakes.approvals import DELETE_VOLUME, GET, RESTART

JUDGE = CommandJudge(load_policy())


def test_the_policy_raises_a_label_that_is_too_mild():
    reviewed = JUDGE.review(RESTART, "", "SAFE", None)

    assert reviewed.risk == "CAUTION"
    assert not reviewed.is_refused


def test_a_label_that_is_worse_than_the_policy_counts():
    assert JUDGE.review(GET, "", "destructive", None).risk == "DESTRUCTIVE"


@pytest.mark.parametrize("text", [DELETE_VOLUME, "rm -rf /", "kubectl get pods -n shop; reboot"])
def test_what_the_policy_forbids_is_refused_with_a_reason(text: str):
    reviewed = JUDGE.review(text, "", "SAFE", "shop")

    assert reviewed.is_refused
    assert reviewed.risk == "FORBIDDEN"
    assert reviewed.reasons
    with pytest.raises(RefusedByPolicy, match="refused by policy: "):
        JUDGE.runnable(text, "shop")


def test_a_command_without_a_namespace_runs_in_the_one_that_the_proposal_names():
    text = "kubectl rollout restart deployment/checkout"

    assert JUDGE.runnable(text, "shop").namespace == "shop"
    assert "shop" in JUDGE.review(text, "", "CAUTION", "shop").reasons[-1]


def test_a_namespace_in_the_command_wins():
    assert JUDGE.runnable(RESTART, "elsewhere").namespace == "shop"


@pytest.mark.parametrize("text", ["kubectl get pods", "kubectl delete pod web-1", "kubectl events"])
def test_nothing_runs_silently_in_the_default_namespace(text: str):
    assert JUDGE.review(text, "", "SAFE", None).is_refused


@pytest.mark.parametrize(
    "text", ["kubectl get nodes", "kubectl version", "kubectl get pods -A", "kubectl cordon node-1"]
)
def test_what_has_no_namespace_needs_none(text: str):
    assert JUDGE.runnable(text, None).namespace is None


def test_a_protected_namespace_of_the_proposal_is_refused_too():
    text = "kubectl rollout restart deployment/coredns"

    assert JUDGE.review(text, "", "CAUTION", "kube-system").is_refused


def test_only_safe_reads_go_without_a_person():
    assert JUDGE.safe_read(GET, None) is not None
    assert JUDGE.safe_read(RESTART, None) is None
    assert JUDGE.safe_read("kubectl get secret db -o yaml -n shop", None) is None
    assert JUDGE.safe_read("not a command", None) is None


def test_a_change_is_refused_outside_of_a_team_s_change_windows(tmp_path: Path):
    team = tmp_path / "team.yaml"
    window = "{days: [mon], from: 09:00, to: 10:00}"
    team.write_text(f"change_windows: {{time_zone: UTC, open: [{window}]}}\n")
    policy = load_policy(team)
    open_at, closed_at = (
        CommandJudge(policy, StoppedClock(datetime(2026, 11, 30, hour, tzinfo=UTC)))
        for hour in (9, 10)
    )

    assert open_at.runnable(RESTART, None).action == "rollout restart/deployment"
    assert closed_at.safe_read(GET, None) is not None
    with pytest.raises(RefusedByPolicy, match="the next opens Monday 2026-12-07 09:00 UTC"):
        closed_at.runnable(RESTART, None)


@dataclass(frozen=True)
class StoppedClock:
    moment: datetime

    def now(self) -> datetime:
        return self.moment
