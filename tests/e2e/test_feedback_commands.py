"""`python -m app feedback`: what people decided can be taken elsewhere and checked."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.feedback import WORKFLOW, open_learning, report_of
from tests.fakes.servers import product_environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


def run_feedback(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "feedback", *arguments],
        cwd=root,
        env=product_environment(root, {}),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def write_decided_plan(root: Path) -> Path:
    path = root / "data" / "feedback" / "remediation_feedback.jsonl"

    async def write() -> None:
        async with open_learning(path) as learning:
            await learning.plan(1)
            await learning.recorder.decide(report_of("approval-1", approved=2))

    asyncio.run(write())
    return path


def test_an_export_has_one_whole_object_per_plan(tmp_path: Path):
    write_decided_plan(tmp_path)

    done = run_feedback(tmp_path, "export", "--out", "plans.jsonl")

    assert done.returncode == 0, done.stderr
    assert "1 records" in done.stderr
    exported = (tmp_path / "plans.jsonl").read_text()
    assert run_feedback(tmp_path, "export").stdout == exported
    (line,) = exported.splitlines()
    record = json.loads(line)
    assert record["feedback_id"] == f"{WORKFLOW}_remediation_1"
    assert (record["approval_status"], record["approved_commands_count"]) == ("approved", 2)
    assert (record["approval_ids"], record["reward_score"]) == (["approval-1"], 1.0)


def test_a_whole_file_passes_and_a_damaged_line_is_named(tmp_path: Path):
    path = write_decided_plan(tmp_path)
    whole = run_feedback(tmp_path, "verify")
    assert whole.returncode == 0, whole.stderr
    assert "decided 1, linked 1, proposed 1" in whole.stdout

    with path.open("ab") as file:
        file.write(b"not json\n{")
    before = path.read_bytes()
    damaged = run_feedback(tmp_path, "verify")

    assert damaged.returncode == 1
    assert "line 4 does not parse" in damaged.stdout
    assert "no newline" in damaged.stdout
    assert path.read_bytes() == before


def test_without_a_file_it_says_so_in_one_line(tmp_path: Path):
    done = run_feedback(tmp_path, "verify")

    assert done.returncode == 1
    assert "There is no feedback file" in done.stderr
    assert done.stderr.count("\n") == 1
