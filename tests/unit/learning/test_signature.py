"""Signatures: names go, what failed stays."""

import pytest

from app.domain.answer import Entities
from app.domain.feedback import Environment
from app.domain.incident import Analysis, ErrorFinding, Findings
from app.learning.environments import OUR_OWN
from app.learning.signature import (
    signature_of_plan,
    signatures_of,
    tokens_of,
)
from tests.fakes.feedback import analysis_of, plan_of

NOTHING_FOUND = Findings()
NO_ENTITIES = Entities()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CrashLoopBackOff", ("crash", "loop", "back", "off")),
        ("back-off restarting", ("back", "off", "restarting")),
        ("exit code 137", ("exit", "code", "137")),
        ("reason=OOMKilled", ("reason", "oom", "killed")),
        ("java.lang.OutOfMemoryError", ("out", "memory")),
        ("checkout-7d9f8c6b5-x2x4z crashed", ("crashed",)),
        ("cannot reach orders-db.shop.svc.cluster.local", ("cannot", "reach")),
        ("took 48213 ms at 10.2.3.4 for /var/lib/x", ("took",)),
        ("DATABASE_URL missing", ("database", "url", "missing")),
    ],
)
def test_words_stay_and_identifiers_go(text: str, expected: tuple[str, ...]):
    words = [token for token in tokens_of([text], []) if " " not in token]

    assert tuple(words) == expected


def test_known_names_are_masked_wherever_they_stand():
    tokens = tokens_of(["checkout refused: Checkout is down"], ["checkout"])

    assert "checkout" not in tokens
    assert "refused" in tokens


def test_tokens_of_a_huge_text_are_bounded():
    assert len(tokens_of(["".join(f"word{chr(97 + i % 26)}x " for i in range(50_000))], [])) <= 96


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("shop-prod", Environment.PRODUCTION),
        ("production", Environment.PRODUCTION),
        ("preprod", Environment.STAGING),
        ("stg-eu", Environment.STAGING),
        ("team-dev", Environment.DEVELOPMENT),
        ("product-catalog", Environment.UNKNOWN),
        (None, Environment.UNKNOWN),
    ],
)
def test_a_namespace_tells_the_environment(namespace: str | None, expected: Environment):
    assert OUR_OWN.of(namespace) is expected


def test_the_same_failure_of_two_services_has_one_signature():
    one = analysis_of("container web was OOMKilled", service="web")
    other = analysis_of("container api was OOMKilled", service="api")

    assert signatures_of(one, NOTHING_FOUND, NO_ENTITIES) == signatures_of(
        other, NOTHING_FOUND, NO_ENTITIES
    )


def test_a_plan_has_the_signature_of_its_root_cause():
    analysis = analysis_of()

    (wanted,) = signatures_of(analysis, NOTHING_FOUND, NO_ENTITIES)

    assert signature_of_plan(plan_of(), analysis, None) == wanted


def test_a_plan_for_none_of_the_causes_has_the_label_of_those_in_its_namespace():
    causes = [
        cause.model_copy(
            update={"entities": cause.entities.model_copy(update={"labels": ("env=prod",)})}
        )
        for service in ("cart", "search")
        for cause in analysis_of(service=service, namespace="green").root_cause_analysis
    ]
    analysis = Analysis(root_cause_analysis=tuple(causes))
    plan = plan_of(service="mailer", mode="unknown")

    here, elsewhere = (signature_of_plan(plan, analysis, name) for name in ("green", "amber"))

    assert here.environment is Environment.PRODUCTION
    assert elsewhere.environment is Environment.UNKNOWN


def test_without_a_root_cause_the_findings_speak():
    findings = Findings(errors=(ErrorFinding(message="disk pressure"),))

    (signature,) = signatures_of(
        analysis_of().model_copy(update={"root_cause_analysis": ()}),
        findings,
        Entities(namespace="shop-prod"),
    )

    assert signature.tokens == ("disk", "pressure", "disk pressure")
    assert signature.environment is Environment.PRODUCTION


def test_a_change_among_the_factors_is_a_facet_and_no_likeness():
    analysis = analysis_of("container checkout was OOMKilled")
    (cause,) = analysis.root_cause_analysis
    changed = analysis.model_copy(
        update={
            "root_cause_analysis": (
                cause.model_copy(update={"contributing_factors": ("A new revision was deployed",)}),
            )
        }
    )

    (before,) = signatures_of(analysis, NOTHING_FOUND, NO_ENTITIES)
    (after,) = signatures_of(changed, NOTHING_FOUND, NO_ENTITIES)

    assert (before.has_recent_change, after.has_recent_change) == (False, True)
    assert before.tokens == after.tokens
