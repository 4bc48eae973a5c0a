"""Actions: what a command does, and whether it changes anything."""

import pytest

from app.learning.actions import namespace_in, planned_command


@pytest.mark.parametrize(
    ("text", "action", "is_change"),
    [
        ("kubectl get po -n x", "get/pod", False),
        ("kubectl rollout status deploy/web", "rollout status/deployment", False),
        ("kubectl rollout restart deploy/web -n x", "rollout restart/deployment", True),
        ("kubectl scale sts db --replicas=3", "scale/statefulset", True),
        ("kubectl delete pod web-1 --dry-run=server", "delete/pod", False),
        ("kubectl delete pod web-1 --dry-run=none", "delete/pod", True),
        ("kubectl frobnicate pod web | tee x", "frobnicate/pod", True),
        ("", "unknown", True),
    ],
)
def test_a_command_is_an_action(text: str, action: str, is_change: bool):
    command = planned_command(text)

    assert (command.action, command.is_change) == (action, is_change)


@pytest.mark.parametrize("text", ["kubectl get po -n shop", "kubectl get po --namespace=shop"])
def test_a_namespace_is_found_in_text(text: str):
    assert namespace_in(text) == "shop"
