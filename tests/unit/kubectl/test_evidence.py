"""A name is in evidence when the workflow has read it, not when a part of it looks like it."""

import pytest

from app.domain.plan import SafetyLevel
from app.kubectl.evidence import Evidence
from app.kubectl.guard import judge_text
from app.kubectl.policy import Risk, higher_risk, load_policy


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pod web-1 crashed", "web-1"),
        ("web-1", "web-1"),
        ("shop/web-1:", "web-1"),
        ('namespace="shop"', "shop"),
        ("in namespace shop.", "shop"),
        ("webapp, then web", "web"),
        ("pod web-7d9f8b6c5-x2x4z is back", "web"),
        ("pod agent-x2x4z is back", "agent"),
        ("dial db.shop.svc.cluster.local:5432", "db"),
        ("dial db.shop.svc.cluster.local:5432", "shop"),
        ("k8s_app_web-1_shop_uid", "web-1"),
    ],
)
def test_a_name_that_was_read_is_in_evidence(text: str, name: str):
    assert Evidence.from_text(["first text", text]).names(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("pod web-1 crashed", "web"),
        ("pod web-10 crashed", "web-1"),
        ("webapp", "web"),
        ("my-web", "web"),
        ("web.example.com", "web"),
        ("db.example.com", "example"),
        ("", "web"),
        ("shop-backend", "shop"),
    ],
)
def test_a_part_of_another_name_is_not_in_evidence(text: str, name: str):
    assert not Evidence.from_text([text]).names(name)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("pod db-0 crashed", "statefulset", "db"),
        ("Controlled By: ReplicaSet/web-7d9f8b6c5", "deployment", "web"),
        ("Controlled By: ReplicaSet/web-qgffhqmxh", "deployment", "web"),
        ("job backup-28912345 failed", "cronjob", "backup"),
        ("pod backup-28912345-x2x4z failed", "cronjob", "backup"),
    ],
)
def test_what_owns_a_numbered_object_is_in_evidence_for_that_kind_alone(
    text: str, kind: str, name: str
):
    evidence = Evidence.from_text([text])

    assert evidence.names(name, kind)
    assert not evidence.names(name, "service")


@pytest.mark.parametrize("text", ["web-frontend is slow", "ReplicaSet/web-broker"])
def test_a_word_at_the_end_is_no_hash(text: str):
    assert not Evidence.from_text([text]).names("web", "deployment")


def test_a_name_does_not_reach_over_two_texts():
    assert not Evidence.from_text(["we", "b"]).names("web")


def test_a_change_of_something_unseen_is_marked_and_says_what():
    evidence = Evidence.from_text(["deployment web in shop"])

    _, verdict = judge_text("kubectl rollout restart deploy/api -n shop", load_policy(), evidence)

    assert verdict.risk is Risk.CAUTION
    assert not verdict.in_evidence
    assert "api is not in evidence" in verdict.reasons


def test_without_evidence_only_the_mark_differs():
    text = "kubectl rollout restart deploy/web -n shop"
    known = Evidence.from_text(["deployment web in shop"])

    _, seen = judge_text(text, load_policy(), known)
    _, unknown = judge_text(text, load_policy(), Evidence.unknown())

    assert (seen.risk, seen.reasons) == (unknown.risk, unknown.reasons)
    assert (seen.in_evidence, unknown.in_evidence) == (True, False)


@pytest.mark.parametrize(
    ("risk", "label", "higher"),
    [
        (Risk.SAFE, SafetyLevel.CAUTION, Risk.CAUTION),
        (Risk.DESTRUCTIVE, SafetyLevel.SAFE, Risk.DESTRUCTIVE),
        (Risk.FORBIDDEN, SafetyLevel.DESTRUCTIVE, Risk.FORBIDDEN),
        (Risk.SAFE, SafetyLevel.SAFE, Risk.SAFE),
    ],
)
def test_the_higher_of_risk_and_label_counts(risk: Risk, label: SafetyLevel, higher: Risk):
    assert higher_risk(risk, label) is higher
