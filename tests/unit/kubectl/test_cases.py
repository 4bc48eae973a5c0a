"""The tables of cases: what is refused and why, and which spellings mean the same."""

from pathlib import Path

import pytest
import yaml

from app.kubectl.evidence import Evidence
from app.kubectl.guard import judge_text
from app.kubectl.parser import parse
from app.kubectl.policy import Policy, load_policy

FOLDER = Path(__file__).parent
CASES = yaml.safe_load((FOLDER / "cases.yaml").read_text(encoding="utf-8"))
SPELLINGS = yaml.safe_load((FOLDER / "spellings.yaml").read_text(encoding="utf-8"))
EVIDENCE = Evidence.from_text(
    [
        "namespace shop pod checkout-7d9f8b6c5-x2x4z crashed on node worker-1",
        "deployment web",
    ]
)


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


def test_there_are_enough_cases():
    assert len(CASES) >= 300


@pytest.mark.parametrize(("text", "risk", "reason"), CASES)
def test_a_case_of_the_table_is_judged_as_it_says(
    policy: Policy, text: str, risk: str, reason: str
):
    command, verdict = judge_text(text, policy, EVIDENCE)

    assert ("UNPARSEABLE" if command is None else verdict.risk.value) == risk
    assert reason in "; ".join(verdict.reasons)


@pytest.mark.parametrize(
    ("canonical", "spelling"),
    [(canonical, spelling) for canonical, texts in SPELLINGS.items() for spelling in texts],
)
def test_every_spelling_of_a_command_is_the_same_command(canonical: str, spelling: str):
    assert parse(spelling).render() == canonical
    assert parse(spelling) == parse(canonical)
