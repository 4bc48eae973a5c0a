"""`python -m app feedback`: what people decided can be taken elsewhere and checked."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.location import DatabaseLocation
from tests.fakes.feedback import WORKFLOW, learning_on, open_learning, report_of
from tests.fakes.postgres import SECRET
from tests.fakes.servers import product_environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


def run_feedback(root: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "feedback", *arguments],
        cwd=root,
        env=product_environment(root, settings),
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
            await learning.recorder.hear(report_of("approval-1", approved=2))

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


def test_what_is_in_postgres_is_exported_and_verified(tmp_path: Path, postgres_url: str):
    async def write() -> None:
        async with open_feedback_table(DatabaseLocation.of_url(postgres_url)) as table:
            learning = learning_on(table)
            await learning.plan(1)
            await learning.recorder.hear(report_of("approval-1", approved=2))

    asyncio.run(write())

    exported = run_feedback(tmp_path, "export", DATABASE_URL=postgres_url)
    whole = run_feedback(tmp_path, "verify", DATABASE_URL=postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("INSERT INTO feedback_events (event) VALUES ('not json')")
    damaged = run_feedback(tmp_path, "verify", DATABASE_URL=postgres_url)

    assert exported.returncode == 0, exported.stderr
    (line,) = exported.stdout.splitlines()
    assert json.loads(line)["reward_score"] == 1.0
    assert whole.returncode == 0, whole.stderr
    assert "decided 1, linked 1, proposed 1" in whole.stdout
    assert damaged.returncode == 1
    assert "line 4 does not parse" in damaged.stdout
    assert SECRET not in whole.stdout + damaged.stdout
