"""A team's policy only tightens, says why, and is read strictly."""

from datetime import datetime
from pathlib import Path

import pytest

from app.domain.errors import StartupFailed
from app.kubectl.case import LiveFacts
from app.kubectl.evidence import Evidence
from app.kubectl.guard import Finding, judge_text
from app.kubectl.policy import Policy, Risk, load_policy

TEAM = """\
allowed_namespaces: [shop, 'shop-*', argocd, kube-system]
verbs:
  shop-prod: [get, logs, rollout]
  'shop-*': [get, logs, rollout restart, scale, autoscale, patch]
protected_namespaces:
  shop-pay: other people own it
unprotected_namespaces:
  argocd: we own it
protected_labels:
  tier=database: ask the database team
  example.com/frozen: it is frozen
max_replicas: {'*': 20, shop-eu: 5}
"""


@pytest.fixture
def team(tmp_path: Path) -> Policy:
    return load_team(tmp_path, TEAM)


def load_team(folder: Path, text: str | bytes) -> Policy:
    path = folder / "team.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load_policy(path)


def risk_and_reasons(policy: Policy, text: str, facts: LiveFacts | None = None) -> tuple[Risk, str]:
    _, verdict = judge_text(text, policy, Evidence.unknown(), facts or LiveFacts())
    return verdict.risk, "; ".join(verdict.reasons)


@pytest.mark.parametrize(
    ("text", "risk", "reason"),
    [
        ("kubectl get pods -n shop", "SAFE", "only reads"),
        ("kubectl get pods -n shop-eu", "SAFE", "only reads"),
        ("kubectl get nodes", "SAFE", "only reads"),
        ("kubectl version", "SAFE", "only reads"),
        ("kubectl logs web-1 -n kube-system", "SAFE", "only reads"),
        ("kubectl get pods -n bank", "FORBIDDEN", "bank is not among the allowed namespaces"),
        ("kubectl get pods -A", "FORBIDDEN", "every namespace is not among the allowed"),
        ("kubectl get pods -n shop -A", "FORBIDDEN", "every namespace is not among the allowed"),
        ("kubectl get nodes,pods", "FORBIDDEN", "an unnamed namespace is not among the allowed"),
        ("kubectl get pods", "FORBIDDEN", "an unnamed namespace is not among the allowed"),
        ("kubectl cordon worker-1", "FORBIDDEN", "it changes what belongs to no namespace"),
        ("kubectl delete deploy web -n shop", "DESTRUCTIVE", "removes the object"),
        ("kubectl delete deploy web -n argocd", "DESTRUCTIVE", "removes the object"),
        ("kubectl delete ns argocd", "FORBIDDEN", "a namespace belongs to whoever owns"),
        ("kubectl delete deploy web -n kube-system", "FORBIDDEN", "is only read here"),
        ("kubectl scale deploy web --replicas=2 -n shop-pay", "FORBIDDEN", "other people own it"),
        ("kubectl delete deploy web -n shop-eu", "FORBIDDEN", "not among the verbs of shop-*"),
        ("kubectl describe pod web -n shop-prod", "FORBIDDEN", "not among the verbs of shop-prod"),
        ("kubectl rollout status deploy/web -n shop-eu", "FORBIDDEN", "the verbs of shop-*"),
        ("kubectl rollout restart deploy/web -n shop-prod", "CAUTION", "replaces every pod"),
        ("kubectl rollout undo deploy/web -n shop-prod", "FORBIDDEN", "the verbs of shop-*"),
        ("kubectl scale deploy web --replicas=20 -n shop", "CAUTION", "changes how many pods"),
        ("kubectl scale deploy web --replicas=21 -n shop", "FORBIDDEN", "21 pods are more than the 20"),
        ("kubectl scale deploy web --replicas=6 -n shop-eu", "FORBIDDEN", "6 pods are more than the 5"),
        ("kubectl autoscale deploy web --max=6 -n shop-eu", "FORBIDDEN", "6 pods are more than the 5"),
        ("kubectl autoscale deploy web --max=0x64 -n shop", "FORBIDDEN", "it is not a number of pods"),
        ("kubectl patch deploy web -n shop-eu -p '{\"spec\":{\"replicas\":6}}'", "FORBIDDEN", "6 pods"),
        ("kubectl patch deploy web -n shop-eu -p '{\"spec\":{\"replicas\":6e0}}'", "FORBIDDEN", "6 pods"),
        ("kubectl patch hpa web -n shop-eu -p '{\"spec\":{\"maxReplicas\":6}}'", "FORBIDDEN", "6 pods"),
        ("kubectl label pod web-1 tier=web -n shop", "FORBIDDEN", "ask the database team"),
        ("kubectl label pod web-1 tier- -n shop", "FORBIDDEN", "ask the database team"),
        ("kubectl label pod web-1 'example.com/frozen=no' -n shop", "FORBIDDEN", "it is frozen"),
        ("kubectl label pod web-1 layer=web -n shop", "CAUTION", "changes labels"),
        ("kubectl set selector svc/web tier=database -n shop", "FORBIDDEN", "ask the database team"),
        ("kubectl create pdb x --selector=tier=database --min-available=1 -n shop", "FORBIDDEN", "ask the"),
        ("kubectl create pdb x --selector='tier in (a,database)' --min-available=1 -n shop", "FORBIDDEN", "ask the"),
        ("kubectl create pdb x --selector='!tier' --min-available=1 -n shop", "FORBIDDEN", "ask the"),
        ("kubectl create pdb x --selector=tier=web --min-available=1 -n shop", "CAUTION", "limits evictions"),
        ("kubectl patch deploy web -n shop -p '{\"metadata\":{\"labels\":{\"tier\":\"x\"}}}'", "FORBIDDEN", "ask the"),
        ("kubectl patch deploy web -n shop -p '{\"metadata\":{\"labels\":{\"example.com/frozen\":null}}}'", "FORBIDDEN", "it is frozen"),
        ("kubectl patch deploy web -n shop --type=json -p '[{\"op\":\"remove\",\"path\":\"/metadata/labels/example.com~1frozen\"}]'", "FORBIDDEN", "it is frozen"),
    ],
)  # fmt: skip
def test_a_command_is_judged_by_both_policies(team: Policy, text: str, risk: str, reason: str):
    found = risk_and_reasons(team, text)

    assert found[0] == risk
    assert reason in found[1]


@pytest.mark.parametrize(
    ("labels", "risk"),
    [
        ({"tier": "database"}, Risk.FORBIDDEN),
        ({"tier": "web"}, Risk.CAUTION),
        ({"example.com/frozen": ""}, Risk.FORBIDDEN),
        ({}, Risk.CAUTION),
    ],
)
def test_what_has_a_protected_label_in_the_cluster_is_not_changed(
    team: Policy, labels: dict[str, str], risk: Risk
):
    facts = LiveFacts(labels=labels)

    assert risk_and_reasons(team, "kubectl rollout restart deploy/web -n shop", facts)[0] is risk
    assert risk_and_reasons(team, "kubectl get deploy/web -n shop", facts)[0] is Risk.SAFE


def test_nothing_that_the_product_forbids_is_allowed_by_a_team(tmp_path: Path):
    own = load_policy()
    generous = load_team(
        tmp_path, "verbs: {'*': [exec, delete, get, apply]}\nmax_replicas: {'*': 100}\n"
    )

    for text in ("kubectl exec web -n shop -- ls", "kubectl get secret x -o yaml -n shop"):
        assert risk_and_reasons(generous, text) == risk_and_reasons(own, text)
        assert risk_and_reasons(generous, text)[0] is Risk.FORBIDDEN


def test_the_steps_say_which_rule_of_which_file_refused(tmp_path: Path, team: Policy):
    _, verdict = judge_text(
        "kubectl scale deploy web --replicas=50 -n shop", team, Evidence.unknown()
    )

    refused = [step for step in verdict.steps() if step.finding is Finding.REFUSED]

    assert [(step.rule, step.source, step.reasons) for step in refused] == [
        ("max_replicas", str(tmp_path / "team.yaml"), verdict.reasons)
    ]
    assert len(verdict.steps()) == 16


def test_the_steps_of_what_is_allowed_end_with_its_risk_and_what_was_not_seen():
    evidence = Evidence.from_text(["deployment web"])
    _, verdict = judge_text("kubectl delete deploy web -n shop", load_policy(), evidence)

    risk, seen = verdict.steps()[-2:]

    assert (risk.finding, risk.reasons) == (Finding.RAISED, ("removes the object",))
    assert (seen.finding, seen.reasons) == (Finding.RAISED, ("shop is not in evidence",))


WINDOWS = """\
change_windows:
  time_zone: Europe/Berlin
  open:
    - {days: [mon, tue, wed, thu], from: 9:00, to: 16:00}
    - {days: [sat], from: 22:00, to: 02:00}
"""


@pytest.mark.parametrize(
    ("at", "opening"),
    [
        ("2026-11-30T09:00:00+01:00", None),
        ("2026-11-30T08:00:00Z", None),
        ("2026-11-30T14:59:59Z", None),
        ("2026-11-30T08:59:59+01:00", "Monday 2026-11-30 09:00 Europe/Berlin"),
        ("2026-11-30T15:00:00Z", "Tuesday 2026-12-01 09:00 Europe/Berlin"),
        ("2026-12-03T16:00:00+01:00", "Saturday 2026-12-05 22:00 Europe/Berlin"),
        ("2026-12-05T22:00:00+01:00", None),
        ("2026-12-06T01:59:00+01:00", None),
        ("2026-12-06T02:00:00+01:00", "Monday 2026-12-07 09:00 Europe/Berlin"),
        ("2026-07-06T07:00:00Z", None),
        ("2026-07-06T06:59:00Z", "Monday 2026-07-06 09:00 Europe/Berlin"),
    ],
)
def test_changes_wait_for_a_window_and_reads_do_not(tmp_path: Path, at: str, opening: str | None):
    policy = load_team(tmp_path, WINDOWS)
    facts = LiveFacts(at=datetime.fromisoformat(at))

    risk, reasons = risk_and_reasons(policy, "kubectl rollout restart deploy/web -n shop", facts)

    assert (risk is Risk.CAUTION) == (opening is None)
    assert opening is None or f"the next opens {opening}" in reasons
    assert risk_and_reasons(policy, "kubectl get pods", facts)[0] is Risk.SAFE


def test_a_change_at_an_unknown_time_is_refused_where_there_are_windows(tmp_path: Path):
    policy = load_team(tmp_path, WINDOWS)

    risk, reasons = risk_and_reasons(policy, "kubectl rollout restart deploy/web -n shop")

    assert risk is Risk.FORBIDDEN
    assert "the time is not known" in reasons


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, "it is empty"),
        ("# nothing\n", 1, "it is empty"),
        ("[shop]\n", 1, "dictionary"),
        ("verb: {}\n", 1, "verb: there is no such key"),
        ("verbs:\n  shop: [get]\nallowed: [shop]\n", 3, "allowed: there is no such key"),
        ("verbs:\n  shop: [get]\n\n  bank: [get,\n    restart]\n", 5, "kubectl has no verb 'restart'"),
        ("verbs:\n  Shop: [get]\n", 2, "'Shop' is no name of namespaces"),
        ("verbs: {a: [get]}\nverbs: {b: [get]}\n", 2, "verbs is there twice"),
        ("verbs:\n  a: [get]\n  a: [delete]\n", 3, "a is there twice"),
        ("allowed_namespaces: []\n", 1, "allowed_namespaces: "),
        ("allowed_namespaces:\n", 1, "allowed_namespaces: "),
        ("allowed_namespaces: shop\n", 1, "allowed_namespaces: "),
        ("protected_namespaces:\n  shop:\n", 2, "protected_namespaces.shop: "),
        ("unprotected_namespaces:\n  '*': we own all\n", 2, "'*' is not the exact name of a namespace"),
        ("unprotected_namespaces: [argocd]\n", 1, "unprotected_namespaces: "),
        ("protected_labels:\n  a b: no\n", 2, "'a b' is no label"),
        ("max_replicas:\n  shop: 5\n  bank: many\n", 3, "max_replicas.bank: "),
        ("max_replicas:\n  shop: -1\n", 2, "max_replicas.shop: "),
        ("change_windows:\n  time_zone: Mars/Base\n  open: []\n", 2, "'Mars/Base' is no time zone"),
        ("change_windows:\n  time_zone: ../../etc/passwd\n", 2, "is no time zone"),
        ("change_windows:\n  open: [{from: 9:00, to: 10:00}]\n", 1, "change_windows.time_zone: Field required"),
        ("change_windows:\n  time_zone: UTC\n  open:\n  - from: 9:00\n    to: 25:00\n", 5, "'25:00' is no time of day"),
        ("change_windows:\n  time_zone: UTC\n  open:\n  - from: 9\n    to: 10:00\n", 4, "'9' is no time of day"),
        ("change_windows:\n  time_zone: UTC\n  open:\n  - {days: [Monday], from: 9:00, to: 10:00}\n", 4, "change_windows.open.0.days.0: "),
        ("change_windows:\n  time_zone: UTC\n  open: []\n", 3, "change_windows.open: "),
        ("verbs:\n  a: [get\n", 3, "expected"),
        ("verbs: &x {a: [get]}\nmax_replicas: *x\n", 1, "an alias (*) is not understood here"),
        ("a: &a [*a]\n", 1, "an alias (*) is not understood here"),
        ("? [a]\n: b\n", 1, "a key must be a word"),
        ("a: 1\n---\nb: 2\n", 2, "but found another document"),
        ("[" * 5000, 1, "nested too deeply"),
        (b"verbs:\n  a: [\xff]\n", 2, "it is not UTF-8 text"),
        ("verbs: {}\n" + "#" * 70_000, 2, "it is longer than 65536 bytes"),
        ("a\x00b", 1, ""),
    ],
)  # fmt: skip
def test_a_wrong_file_stops_the_start_with_one_line_that_names_the_place(
    tmp_path: Path, text: str | bytes, line: int, words: str
):
    with pytest.raises(StartupFailed) as failure:
        load_team(tmp_path, text)

    said = str(failure.value)
    assert said.startswith(f"POLICY_FILE {tmp_path / 'team.yaml'}, line {line}: ")
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read_stops_the_start_with_one_line(tmp_path: Path, name: str):
    with pytest.raises(StartupFailed, match=r"^POLICY_FILE .* cannot be read: .*\.$"):
        load_policy(tmp_path / name)
