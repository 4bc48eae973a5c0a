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
from app.domain.incident import Findings
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
WRONG = {
    "no such key": ("production: [a]\nproducts: [b]\n", "line 2: products: there is no such key"),
    "no name": (
        "production:\n  - ok\n  - Not A Name\n",
        "line 3: production.1: 'Not A Name' is no",
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
