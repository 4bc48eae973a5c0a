"""What each mode executes."""

import pytest

from app.domain.command_mode import CommandMode
from app.kubectl.evidence import Evidence
from app.kubectl.guard import judge_text
from app.kubectl.modes import why_not_executed
from app.kubectl.policy import load_policy

READ = "kubectl get pods -n shop"
UNKNOWN_KIND = "kubectl get widgets -n shop"
DRY_RUN = "kubectl delete pod web-1 -n shop --dry-run=server"
CHANGE = "kubectl rollout restart deploy/web -n shop"
REFUSED = "kubectl exec web-1 -- ls"


@pytest.mark.parametrize(
    ("mode", "executed"),
    [
        (CommandMode.SUGGEST, set()),
        (CommandMode.READ_ONLY, {READ}),
        (CommandMode.APPROVE, {READ, UNKNOWN_KIND, DRY_RUN, CHANGE}),
    ],
)
def test_a_mode_executes_no_more_than_it_says(mode: CommandMode, executed: set[str]):
    policy = load_policy()
    reasons = {
        text: why_not_executed(judge_text(text, policy, Evidence.unknown())[1], mode)
        for text in (READ, UNKNOWN_KIND, DRY_RUN, CHANGE, REFUSED)
    }

    assert {text for text, reason in reasons.items() if reason is None} == executed
    assert all(reason.endswith(".") for reason in reasons.values() if reason)
    assert "it runs a program inside of a container" in (reasons[REFUSED] or "")
