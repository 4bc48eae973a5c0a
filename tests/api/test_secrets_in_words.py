"""A secret that somebody types into a reason or a comment is kept, told and learned nowhere."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.test_learning_door import Planned, investigate, reject, report
from tests.fakes.servers import RunningProduct, running_product

pytestmark = pytest.mark.timeout(120)

TOKEN = (
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)
WORDS = f"it drops the open carts; password=hunter2 AKIAIOSFODNN7EXAMPLE ada@example.com {TOKEN}"
SECRETS = ("hunter2", "hunter3", "hunter4", "AKIAIOSFODNN7EXAMPLE", "ada@example.com", TOKEN)
REDACTED = (
    "it drops the open carts; password=[REDACTED:password:1] [REDACTED:aws-key:1]"
    " [REDACTED:email:1] [REDACTED:jwt:1]"
)


@pytest.fixture
def product(tmp_path: Path) -> Iterator[RunningProduct]:
    with running_product(tmp_path) as running:
        yield running


def rate(product: RunningProduct, planned: Planned, **said: object) -> None:
    body = {"feedback_id": f"{planned.workflow_id}_remediation_1", **said}
    address = f"{product.url}/api/v1/feedback/submit"
    httpx.post(address, json=body, timeout=30).raise_for_status()


def result(product: RunningProduct, planned: Planned) -> str:
    return httpx.get(f"{product.url}/api/v1/workflows/{planned.workflow_id}", timeout=30).text


def improvements(product: RunningProduct) -> list[str]:
    address = f"{product.url}/api/v1/feedback/improvements/RemediationAgent"
    said: list[str] = httpx.get(address, timeout=30).json()["improvement_suggestions"]
    return said


def stored(root: Path) -> bytes:
    return b"\n".join(one.read_bytes() for one in root.rglob("*") if one.is_file())


@pytest.mark.parametrize("door", ["approval server", "webhook"])
def test_no_secret_of_a_reason_or_a_comment_gets_any_further(
    product: RunningProduct, tmp_path: Path, door: str
):
    first = investigate(product)
    if door == "webhook":
        report(product, first, status="rejected", rejection_reason=WORDS)
    else:
        reject(product, first, WORDS)
    rate(product, first, rating=1, feedback_comments="password: hunter3")
    rate(product, first, improvements_suggested="log in with password: hunter4")

    second = investigate(product)

    (used,) = second.facts("example_used")
    assert "it drops the open carts" in used["note"]
    assert REDACTED in result(product, first)
    assert f"Avoid: {REDACTED}" in improvements(product)
    told = "".join([result(product, first), result(product, second), *improvements(product)])
    kept = stored(tmp_path)
    for secret in SECRETS:
        assert secret not in told
        assert secret not in str(second.messages)
        assert secret.encode() not in kept


def test_an_edit_is_kept_without_its_secret_and_an_ordinary_word_as_it_was(
    product: RunningProduct, tmp_path: Path
):
    planned = investigate(product)
    *reads, change = planned.commands
    edited = f"{change} # DB_PASSWORD=hunter2"
    verdicts = [
        *({"command": text, "decision": "approved", "output": "token: hunter3"} for text in reads),
        {
            "command": change,
            "decision": "edited",
            "edited_to": edited,
            "reason": "the token expired",
        },
    ]

    report(product, planned, status="approved", commands=verdicts)

    lines = (tmp_path / "data" / "feedback" / "remediation_feedback.jsonl").read_text().splitlines()
    (decided,) = [one for line in lines if (one := json.loads(line))["type"] == "decided"]
    assert decided["commands"][-1]["edited_to"] == f"{change} # DB_PASSWORD=[REDACTED:password:1]"
    assert decided["commands"][-1]["reason"] == "the token expired"
    kept = stored(tmp_path)
    assert b"hunter2" not in kept
    assert b"hunter3" not in kept
