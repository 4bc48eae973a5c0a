"""A team's own rules about its namespaces: they come first, and a file that is wrong says where."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.bootstrap.backend import open_dry_run, open_services
from app.domain.answer import Entities
from app.domain.errors import StartupFailed
from app.domain.feedback import Environment
from app.domain.guidance import Guidance
from app.domain.incident import Analysis, Findings
from app.learning.environments import Environments, load_environments
from app.learning.recorder import FeedbackRecorder
from app.learning.selector import ExampleSelector
from app.settings import Settings
from tests.fakes.feedback import (
    RESTART,
    WORKFLOW,
    Learning,
    TickingClock,
    analysis_of,
    open_learning,
    plan_of,
    report_of,
)

RULES = """\
production: [blue, 'pay-*']
staging:
  - pay-test
development: ['*-play']
"""
TEAMS_LABELS = """\
production: [shop-live, 'label:acme.io/stage=live*', 'label:ring=0']
development: ['label:acme.io/stage=live-test']
"""
WRONG = {
    "no such key": ("production: [a]\nproducts: [b]\n", "line 2: products: there is no such key"),
    "no name": (
        "production:\n  - ok\n  - Not A Name\n",
        "line 3: production.1: 'Not A Name' is no",
    ),
    "no label": (
        "staging: [a]\nproduction:\n  - ok\n  - 'label:stage'\n",
        "line 4: production.1: 'label:stage' is no label; it is written as label:key=value",
    ),
    "twice": ("staging: [a]\nstaging: [b]\n", "line 2: staging is there twice"),
    "no list": ("staging: [a]\nproduction: live\n", "line 2: production"),
    "no YAML": ("production: [a\n", "line 2"),
    "empty": ("", "line 1: it is empty"),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "environments.yaml"
    path.write_text(RULES)
    return path


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("blue", Environment.PRODUCTION),
        ("pay-eu", Environment.PRODUCTION),
        ("pay-test", Environment.STAGING),
        ("pay-play", Environment.PRODUCTION),
        ("prod-play", Environment.DEVELOPMENT),
        ("shop-prod", Environment.PRODUCTION),
        ("green", Environment.UNKNOWN),
        (None, Environment.UNKNOWN),
    ],
)
def test_a_teams_names_come_before_ours(file: Path, namespace: str | None, expected: Environment):
    assert load_environments(file).of(namespace) is expected


PRODUCTION, STAGING, DEVELOPMENT, UNKNOWN = (
    Environment.PRODUCTION,
    Environment.STAGING,
    Environment.DEVELOPMENT,
    Environment.UNKNOWN,
)


@pytest.mark.parametrize(
    ("namespace", "expected"),
    [
        ("non-prod", STAGING),
        ("nonprod", STAGING),
        ("shop-nonprod-eu", STAGING),
        ("not-prod", STAGING),
        ("no-production", STAGING),
        ("pre-prod", STAGING),
        ("preprod", STAGING),
        ("prelive", STAGING),
        ("prod-test", DEVELOPMENT),
        ("dev2prod", DEVELOPMENT),
        ("prod-staging", STAGING),
        ("dev-staging", STAGING),
        ("prod-live", PRODUCTION),
        ("prod1", PRODUCTION),
        ("do-not-delete-prod", PRODUCTION),
        ("alpino-prod", PRODUCTION),
        ("nonsense", UNKNOWN),
    ],
)
def test_a_word_beside_prod_says_that_it_is_none(namespace: str, expected: Environment):
    assert Environments().of(namespace) is expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["env=prod"], PRODUCTION),
        (["env=PROD"], PRODUCTION),
        (["environment=production"], PRODUCTION),
        (["app.kubernetes.io/environment=production"], PRODUCTION),
        (["deployment.environment.name=qa"], DEVELOPMENT),
        (["tier=staging"], STAGING),
        (["tier=staging-like"], STAGING),
        (["env=non-prod"], STAGING),
        (["env=prod", "stage=test"], PRODUCTION),
        (["tier=frontend", "env=dev"], DEVELOPMENT),
        (["tier=frontend"], UNKNOWN),
        (["team=production"], UNKNOWN),
    ],
)
def test_a_label_tells_what_the_namespace_does_not(labels: list[str], expected: Environment):
    assert Environments().of("blue", labels) is expected


@pytest.mark.parametrize(
    ("namespace", "labels", "expected"),
    [
        ("shop-dev", ["env=prod"], PRODUCTION),
        ("shop-prod", ["env=staging"], STAGING),
        ("shop-prod", ["env=blue"], PRODUCTION),
        ("blue", ["env=dev"], PRODUCTION),
        ("pay-test", ["env=dev"], STAGING),
    ],
)
def test_the_teams_namespaces_come_before_labels_and_those_before_our_reading_of_a_name(
    file: Path, namespace: str, labels: list[str], expected: Environment
):
    assert load_environments(file).of(namespace, labels) is expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["acme.io/stage=live-eu"], PRODUCTION),
        (["acme.io/stage=Live-EU"], PRODUCTION),
        (["acme.io/stage=live-test"], DEVELOPMENT),
        (["acme.io/stage=live"], PRODUCTION),
        (["ring=0"], PRODUCTION),
        (["ring=0", "env=dev"], PRODUCTION),
        (["ring=1"], UNKNOWN),
    ],
)
def test_a_team_adds_labels_of_its_own(file: Path, labels: list[str], expected: Environment):
    write(file, TEAMS_LABELS)

    assert load_environments(file).of("green", labels) is expected


def test_a_teams_label_never_fits_a_namespace(file: Path):
    write(file, "production: ['label:ring=*']\nstaging: ['*']\n")

    found = load_environments(file)

    assert found.of("green", ["ring=0"]) is STAGING
    assert found.of(None, ["ring=0"]) is STAGING


def test_without_a_file_our_own_rules_hold():
    assert load_environments(None).of("shop-prod") is Environment.PRODUCTION
    assert load_environments(None).of("blue") is Environment.UNKNOWN


@pytest.mark.parametrize(("content", "said"), WRONG.values(), ids=WRONG)
async def test_a_file_that_cannot_be_used_stops_the_start_with_its_line(
    file: Path, content: str, said: str
):
    write(file, content)
    settings = Settings(environments_file=file, data_dir=file.parent, _env_file=None)

    for opened in (open_services(settings), open_dry_run(settings)):
        with pytest.raises(StartupFailed) as failure:
            async with opened:
                pass
        assert f"ENVIRONMENTS_FILE {file}, {said}" in str(failure.value)


def write(file: Path, content: str) -> None:
    file.write_text(content)


@pytest.fixture
async def learning(tmp_path: Path, file: Path) -> AsyncIterator[Learning]:
    environments = load_environments(file)
    async with open_learning(tmp_path / "remediation_feedback.jsonl") as opened:
        yield replace(
            opened,
            recorder=FeedbackRecorder(opened.ledger, TickingClock(), environments),
            selector=ExampleSelector(opened.ledger, environments=environments),
        )


async def test_what_is_decided_counts_for_the_environment_of_the_teams_rules(learning: Learning):
    blue = analysis_of(namespace="blue")
    plan = plan_of(RESTART.replace("shop-prod", "blue"))
    await learning.recorder.propose(WORKFLOW, 1, blue, plan, Guidance())
    feedback_id, approval_id = await learning.plan(2, plan, blue)
    await learning.recorder.hear(report_of(approval_id))

    record = await learning.record(feedback_id)
    (example,) = (await learning.selector.guide(blue, Findings(), Entities())).examples

    assert record.signature.environment is Environment.PRODUCTION
    assert "environment production" in example.facets
    assert Environments().of("blue") is Environment.UNKNOWN


def labelled(label: str) -> Analysis:
    """An analysis in a namespace that tells nothing, with a label."""
    analysis = analysis_of(namespace="green")
    (cause,) = analysis.root_cause_analysis
    entities = cause.entities.model_copy(update={"labels": (label,)})
    return Analysis(root_cause_analysis=(cause.model_copy(update={"entities": entities}),))


async def test_what_is_decided_counts_for_the_environment_of_the_label(learning: Learning):
    plan = plan_of(RESTART.replace("shop-prod", "green"))
    feedback_id, approval_id = await learning.plan(1, plan, labelled("env=staging"))
    await learning.recorder.hear(report_of(approval_id))

    record = await learning.record(feedback_id)
    guidance = await learning.selector.guide(labelled("env=prod"), Findings(), Entities())

    assert record.signature.environment is STAGING
    assert "environment staging, here production" in guidance.examples[0].facets


async def test_a_label_of_the_batch_counts_for_a_cause_that_is_in_the_same_namespace(
    learning: Learning,
):
    plan = plan_of(RESTART.replace("shop-prod", "green"))
    _, approval_id = await learning.plan(1, plan, labelled("env=prod"))
    await learning.recorder.hear(report_of(approval_id))
    here, elsewhere = (
        Entities(namespace=namespace, labels=("env=prod",)) for namespace in ("green", "amber")
    )

    (same,) = (
        await learning.selector.guide(analysis_of(namespace="green"), Findings(), here)
    ).examples
    (other,) = (
        await learning.selector.guide(analysis_of(namespace="green"), Findings(), elsewhere)
    ).examples

    assert "environment production" in same.facets
    assert "environment production, here unknown" in other.facets
