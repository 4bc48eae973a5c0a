"""The shipped examples get the diagnosis that an experienced engineer would give."""

from pathlib import Path

import pytest

from app.adapters.reasoning.playbook import PlaybookReasoner
from app.domain.plan import Phase
from app.intake.batch import read_batch
from tests.unit.adapters.playbook_session import Session, investigate

SAMPLES = Path(__file__).parents[3] / "data" / "samples"


@pytest.fixture(scope="module")
def reasoner() -> PlaybookReasoner:
    return PlaybookReasoner()


async def _sample(reasoner: PlaybookReasoner, name: str) -> Session:
    return await investigate(
        reasoner, read_batch((SAMPLES / f"{name}.log").read_text(encoding="utf-8"))
    )


@pytest.mark.parametrize(
    ("name", "modes", "objects", "remedy"),
    [
        (
            "crash-loop-bad-config",
            ["config_error", "crashloop_app_error", "readiness_probe_failing"],
            ("storefront", "checkout-api", "checkout-api-7c9b44d6f8-h8xwz", "api"),
            "kubectl rollout undo deployment/checkout-api -n storefront",
        ),
        (
            "oom-killed",
            ["oom_killed", "crashloop_app_error"],
            ("media", "thumbnailer", "thumbnailer-6b7f9c58d4-9rkcs", "worker"),
            "kubectl set resources deployment/thumbnailer --containers=worker"
            " --limits=memory=512Mi -n media",
        ),
        (
            "image-pull",
            ["image_pull_not_found"],
            ("billing", "invoice-renderer", "invoice-renderer-6d4c8b5f77-pk9d4", "renderer"),
            "kubectl rollout undo deployment/invoice-renderer -n billing",
        ),
        (
            "unbound-volume",
            ["storageclass_invalid", "pvc_unbound"],
            ("search", "indexer", "indexer-2", "indexer"),
            None,
        ),
        (
            "database-cascade",
            [
                "disk_full",
                "dependency_unreachable",
                "readiness_probe_failing",
                "crashloop_app_error",
            ],
            ("orders", "ledger-db", "ledger-db-0", "postgres"),
            "kubectl patch persistentvolumeclaim data-ledger-db-0 --type=merge -p"
            ' \'{"spec":{"resources":{"requests":{"storage":"40Gi"}}}}\' -n orders',
        ),
    ],
)
async def test_names_the_cause_its_object_and_a_remedy(
    reasoner: PlaybookReasoner,
    name: str,
    modes: list[str],
    objects: tuple[str, str, str, str],
    remedy: str | None,
):
    seen = await _sample(reasoner, name)
    first, *effects = seen.analysis.root_cause_analysis

    assert [cause.failure_mode for cause in (first, *effects)] == modes
    named = first.entities
    assert (named.namespace, named.workload, named.pod, named.container) == objects
    assert all(effect.is_cascading_effect for effect in effects)
    assert {effect.related_to for effect in effects} <= {modes[0]}
    (plan,) = seen.remediation.remediation_plans
    changes = [
        command.command
        for step in plan.steps
        if step.phase is Phase.REMEDIATE
        for command in step.commands
    ]
    assert changes == ([remedy] if remedy else [])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("crash-loop-bad-config", "PAYMENT_TIMEOUT_MS, which comes from ConfigMap checkout-config"),
        ("oom-killed", "its memory limit of 256Mi"),
        ("image-pull", "registry.example.com/billing/invoice-renderer:2.41.0-hotfix1"),
        ("unbound-volume", "data-indexer-2 names StorageClass fast-ssd"),
        ("database-cascade", "The volume at /var/lib/postgresql/data is full"),
    ],
)
async def test_the_cause_is_told_with_its_particulars_and_true_lines(
    reasoner: PlaybookReasoner, name: str, said: str
):
    text = (SAMPLES / f"{name}.log").read_text(encoding="utf-8").split("\n")
    seen = await _sample(reasoner, name)
    cause = seen.analysis.root_cause_analysis[0]

    assert said in cause.root_cause
    for quoted in cause.evidence:
        head, _, words = quoted.partition(": ")
        assert words in text[int(head.removeprefix("line ")) - 1]


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("crash-loop-bad-config", {"checkout-api"}),
        ("image-pull", {"invoice-renderer"}),
        ("database-cascade", {"ledger-db", "orders-api", "shipping-worker", "web-gateway"}),
    ],
)
async def test_every_finding_names_its_service(
    reasoner: PlaybookReasoner, name: str, services: set[str]
):
    seen = await _sample(reasoner, name)

    assert {finding.service for finding in seen.findings.errors} == services


async def test_the_healthy_sample_is_healthy(reasoner: PlaybookReasoner):
    seen = await _sample(reasoner, "healthy")

    assert seen.findings.is_empty
    assert not seen.analysis.root_cause_analysis
