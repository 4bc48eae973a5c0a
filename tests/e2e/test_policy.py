"""A team's policy by the door: servers that do not start with a wrong one, and `policy test`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.servers import free_port, product_environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

TEAM = """\
max_replicas: {shop: 5}
change_windows:
  time_zone: Europe/Berlin
  open: [{days: [mon], from: 09:00, to: 16:00}]
"""
MONDAY_NOON = "2026-11-30T12:00:00+01:00"
SCALE = "kubectl scale deploy web --replicas=%s"


@pytest.fixture
def team_file(tmp_path: Path) -> Path:
    path = tmp_path / "team.yaml"
    path.write_text(TEAM)
    return path


def run_app(root: Path, policy_file: Path, *words: str) -> subprocess.CompletedProcess[str]:
    ports = {"PORT": str(free_port()), "APPROVAL_PORT": str(free_port()), "WORKERS": "2"}
    return subprocess.run(
        [sys.executable, "-m", "app", *words],
        cwd=root,
        env=product_environment(root, {"POLICY_FILE": str(policy_file), **ports}),
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


@pytest.mark.parametrize("command", ["serve", "approval-server", "worker"])
def test_no_server_starts_with_a_wrong_policy(tmp_path: Path, team_file: Path, command: str):
    team_file.write_text("verbs:\n  shop: [get, restart]\n")

    done = run_app(tmp_path, team_file, command)

    assert done.returncode == 1
    assert (done.stdout + done.stderr).splitlines() == [
        f"POLICY_FILE {team_file}, line 2: verbs.shop.1: kubectl has no verb 'restart'."
    ]


def test_a_refusal_is_explained_by_its_rule_and_file(tmp_path: Path, team_file: Path):
    done = run_app(
        tmp_path, team_file,
        "policy", "test", SCALE % 6, "--namespace", "shop", "--at", MONDAY_NOON,
    )  # fmt: skip

    refused = [line for line in done.stdout.splitlines() if line.startswith("REFUSED")]
    assert done.returncode == 1
    assert len(refused) == 1
    assert "max_replicas" in refused[0]
    assert str(team_file) in refused[0]
    assert "kubectl scale deployment/web --namespace=shop --replicas=6" in done.stdout


def test_what_is_allowed_ends_with_0_and_as_json_says_the_same(tmp_path: Path, team_file: Path):
    done = run_app(
        tmp_path, team_file,
        "policy", "test", f"{SCALE % 5} -n shop", "--at", MONDAY_NOON, "--json",
    )  # fmt: skip

    said = json.loads(done.stdout)
    assert done.returncode == 0
    assert (said["allowed"], said["risk"]) == (True, "CAUTION")
    assert said["command"] == "kubectl scale deployment/web --namespace=shop --replicas=5"
    assert {step["rule"]: step["finding"] for step in said["steps"]}["change_windows"] == "passed"


def test_outside_of_a_window_the_next_one_is_named(tmp_path: Path, team_file: Path):
    done = run_app(
        tmp_path, team_file,
        "policy", "test", f"{SCALE % 5} -n shop", "--at", "2026-11-30T16:00:00+01:00",
    )  # fmt: skip

    assert done.returncode == 1
    assert "the next opens Monday 2026-12-07 09:00 Europe/Berlin" in done.stdout


@pytest.mark.parametrize(
    "words", [("test",), ("test", "kubectl get pods", "--at", "2026-11-30"), ("explain",), ()]
)
def test_what_is_not_asked_right_ends_with_2(tmp_path: Path, team_file: Path, words: tuple[str]):
    assert run_app(tmp_path, team_file, "policy", *words).returncode == 2


def test_a_wrong_policy_is_no_answer_about_a_command(tmp_path: Path, team_file: Path):
    team_file.write_text("nothing: here\n")

    done = run_app(tmp_path, team_file, "policy", "test", "kubectl get pods")

    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"POLICY_FILE {team_file}, line 1: nothing: there is no such key."
    ]
