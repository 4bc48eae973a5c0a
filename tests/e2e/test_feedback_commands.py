"""`python -m app feedback`: what people decided can be taken elsewhere and checked."""

import asyncio
import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.location import DatabaseLocation
from app.domain.approval import Decision
from app.domain.feedback import Rating
from app.domain.ids import WorkflowId
from tests.fakes.feedback import WORKFLOW, Learning, learning_on, open_learning, report_of
from tests.fakes.postgres import SECRET
from tests.fakes.servers import product_environment

OTHER = WorkflowId("11111111-3f4e-4c5a-9d52-2f1f0d3c9a11")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


def run_feedback(root: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    root.mkdir(exist_ok=True)
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


def write_story(root: Path) -> Path:
    """A plan that Ada rejected with words, another one, a repeat, and a damaged line."""
    path = root / "data" / "feedback" / "remediation_feedback.jsonl"
    asyncio.run(tell_story_in(path))
    first = path.read_bytes().splitlines(keepends=True)[0]
    path.write_bytes(path.read_bytes() + first + b"damaged\n")
    return path


async def tell_story_in(path: Path) -> None:
    async with open_learning(path) as learning:
        await tell_story(learning)


async def tell_story(learning: Learning) -> None:
    _, approval_id = await learning.plan(1)
    said = report_of(approval_id, Decision.REJECTED, reason="drops the open carts")
    await learning.recorder.hear(replace(said, reviewer="Ada Lovelace"))
    await learning.plan(2, workflow_id=OTHER)
    await learning.recorder.hear(replace(report_of("approval-2"), reviewer="Grace"))


def content(path: Path) -> str:
    return "".join(one.read_text() for one in path.parent.iterdir())


def test_compact_leaves_out_repeats_and_keeps_what_is_damaged(tmp_path: Path):
    path = write_story(tmp_path)
    before = run_feedback(tmp_path, "export").stdout

    done = run_feedback(tmp_path, "compact")

    assert done.returncode == 0, done.stderr
    assert "left out    1 lines" in done.stdout
    assert run_feedback(tmp_path, "export").stdout == before
    assert path.read_text().endswith("damaged\n")
    assert "line 8 does not parse" in run_feedback(tmp_path, "verify").stdout


def test_compact_takes_out_the_secrets_that_an_earlier_version_kept(tmp_path: Path):
    path = write_story(tmp_path)
    text = path.read_text().replace("drops the open carts", "no; password: hunter2")
    path.write_text(text)
    before = run_feedback(tmp_path, "export").stdout

    done = run_feedback(tmp_path, "compact")

    assert done.returncode == 0, done.stderr
    assert "no; password: [REDACTED:password:1]" in path.read_text()
    assert "hunter2" not in content(path) + before
    assert run_feedback(tmp_path, "export").stdout == before


def test_lines_of_a_later_version_are_counted_kept_and_no_damage(tmp_path: Path):
    path = write_decided_plan(tmp_path)
    newer = b'{"v":2,"id":"x","ts":"2031-01-01T00:00:00Z","type":"of a later version"}\n'
    path.write_bytes(path.read_bytes() + newer)

    verified = run_feedback(tmp_path, "verify")
    run_feedback(tmp_path, "compact")

    assert verified.returncode == 0, verified.stdout
    assert "newer       1 lines of a later version" in verified.stdout
    assert newer in path.read_bytes()


def test_a_workflow_is_forgotten_and_verify_proves_it(tmp_path: Path):
    path = write_story(tmp_path)
    kept_elsewhere = tmp_path / "elsewhere.jsonl"
    kept_elsewhere.write_bytes(path.read_bytes())

    done = run_feedback(tmp_path, "forget", "--workflow", WORKFLOW)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "left        0 lines" in done.stdout
    assert "open carts" not in content(path)
    assert "Lovelace" not in content(path)
    assert [json.loads(line)["workflow_id"] for line in export(tmp_path)] == [OTHER]
    assert "forgotten   0 lines are left" in run_feedback(tmp_path, "verify").stdout

    run_feedback(tmp_path, "import", str(kept_elsewhere))
    assert [json.loads(line)["workflow_id"] for line in export(tmp_path)] == [OTHER]


def test_a_reviewer_is_forgotten_and_what_brings_the_name_back_is_found(tmp_path: Path):
    path = write_story(tmp_path)
    before = path.read_bytes()

    done = run_feedback(tmp_path, "forget", "--reviewer", "ada lovelace")

    assert done.returncode == 0, done.stdout + done.stderr
    # As words: the letters may stand in a fingerprint.
    assert not re.search(r"\b(ada|lovelace)\b", content(path).casefold())
    assert "Grace" in content(path)
    assert [json.loads(line)["rejected_commands_count"] for line in export(tmp_path)] == [2, 0]

    path.write_bytes(path.read_bytes() + before)
    brought_back = run_feedback(tmp_path, "verify")
    assert brought_back.returncode == 1
    assert "forgotten   1 lines are left" in brought_back.stdout
    assert run_feedback(tmp_path, "compact").returncode == 0
    assert "lovelace" not in content(path).casefold()


@pytest.mark.parametrize("name", ["deployment", "a"])
def test_a_name_that_is_nobodys_takes_nothing_away(tmp_path: Path, name: str):
    path = write_story(tmp_path)
    before = path.read_text().splitlines()

    done = run_feedback(tmp_path, "forget", "--reviewer", name)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "No reviewer of that name is known here" in done.stdout
    after = path.read_text().splitlines()
    assert [line for line in after if line in before] == list(dict.fromkeys(before))
    assert "forgotten   0 lines are left" in run_feedback(tmp_path, "verify").stdout


def test_short_words_that_others_quote_are_forgotten_too(tmp_path: Path):
    path = tmp_path / "data" / "feedback" / "remediation_feedback.jsonl"

    async def write() -> None:
        async with open_learning(path) as learning:
            await learning.plan(1)
            await learning.recorder.hear(
                report_of("approval-1", Decision.REJECTED, reason="drops carts")
            )
            other, _ = await learning.plan(2, workflow_id=OTHER)
            await learning.recorder.rate(other, Rating(comments="as before: it drops carts"))

    asyncio.run(write())

    done = run_feedback(tmp_path, "forget", "--workflow", WORKFLOW)

    assert "left        0 lines" in done.stdout
    assert "drops carts" not in content(path)
    (record,) = map(json.loads, export(tmp_path))
    assert record["feedback_comments"] == "as before: it [forgotten]"


def test_an_unknown_workflow_is_forgotten_in_advance(tmp_path: Path):
    write_story(tmp_path)

    done = run_feedback(tmp_path, "forget", "--workflow", "of-tomorrow")

    assert done.returncode == 0
    assert "Nothing of it was known here" in done.stdout


@pytest.mark.parametrize("who", ["--workflow", "--reviewer"])
def test_nobody_is_forgotten_by_an_empty_name(tmp_path: Path, who: str):
    path = write_story(tmp_path)
    before = path.read_bytes()

    done = run_feedback(tmp_path, "forget", who, " ")

    assert done.returncode == 2
    assert "it is empty" in done.stderr
    assert path.read_bytes() == before


def test_an_import_adds_what_is_new_once(tmp_path: Path):
    path = write_story(tmp_path)
    source = tmp_path / "other" / "data" / "feedback" / "remediation_feedback.jsonl"

    first = run_feedback(tmp_path / "other", "import", str(path))
    again = run_feedback(tmp_path / "other", "import", str(path))
    exported = tmp_path / "plans.jsonl"
    run_feedback(tmp_path, "export", "--out", str(exported))
    whole = run_feedback(tmp_path / "other", "import", str(exported))

    assert first.returncode == 1
    assert "6 added, 1 known or forgotten, 1 unreadable" in first.stderr
    assert "0 added, 7 known or forgotten, 1 unreadable" in again.stderr
    assert "0 added, 2 known or forgotten, 0 unreadable" in whole.stderr
    assert export(tmp_path / "other") == export(tmp_path)
    assert len(source.read_text().splitlines()) == 6


def test_an_export_is_imported_into_an_empty_place(tmp_path: Path):
    write_story(tmp_path)
    exported = tmp_path / "plans.jsonl"
    run_feedback(tmp_path, "export", "--out", str(exported))

    done = run_feedback(tmp_path / "other", "import", str(exported))

    assert done.returncode == 0, done.stderr
    figures = [
        [json.loads(line)[name] for name in ("feedback_id", "approval_status", "reward_score")]
        for line in export(tmp_path / "other")
    ]
    assert figures == [
        [f"{WORKFLOW}_remediation_1", "rejected", 0.0],
        [f"{OTHER}_remediation_2", "approved", 1.0],
    ]


def test_an_import_brings_no_secret_along(tmp_path: Path):
    secret = "password: hunter2"
    whole = {
        "feedback_id": "wf-9_remediation_1",
        "workflow_id": "wf-9",
        "timestamp": "2029-11-02T10:00:00",
        "input_data": f"ERROR {secret}",
        "output_data": {"login": {"password": "hunter2"}, "issue": "ledger runs out of memory"},
        "approval_status": "rejected",
        "rejection_reason": f"it drops carts, {secret}",
        "feedback_comments": "the token expired",
        "improvements_suggested": secret,
    }
    head = {"v": 1, "ts": "2030-01-01T00:00:00Z", "feedback_id": "wf-9_remediation_1"}
    verdict = {"command": "kubectl get pods", "decision": "rejected", "reason": secret}
    said = {"type": "decided", "decision": "rejected", "approval_id": "a", "commands": [verdict]}
    events = [
        head | {"id": "d", **said, "reviewer": "ada@example.com", "rejection_reason": secret},
        head | {"id": "r", "type": "rated", "feedback_comments": secret},
        head | {"id": "x", "type": "retracted", "reason": secret},
    ]
    source = tmp_path / "source.jsonl"
    source.write_text("".join(f"{json.dumps(line)}\n" for line in (whole, *events)))

    first = run_feedback(tmp_path, "import", str(source))
    again = run_feedback(tmp_path, "import", str(source))

    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert "4 added" in first.stderr
    assert "0 added" in again.stderr
    kept = content(tmp_path / "data" / "feedback" / "remediation_feedback.jsonl")
    assert "hunter2" not in kept
    assert "ada@example.com" in kept
    (record,) = map(json.loads, export(tmp_path))
    assert record["feedback_comments"] == "password: [REDACTED:password:1]"
    assert "the token expired" in kept


def export(root: Path) -> list[str]:
    return run_feedback(root, "export").stdout.splitlines()


def test_postgres_forgets_as_well(tmp_path: Path, postgres_url: str):
    async def write() -> None:
        async with open_feedback_table(DatabaseLocation.of_url(postgres_url)) as table:
            await tell_story(learning_on(table))

    asyncio.run(write())

    reviewer = run_feedback(tmp_path, "forget", "--reviewer", "Grace", DATABASE_URL=postgres_url)
    workflow = run_feedback(tmp_path, "forget", "--workflow", WORKFLOW, DATABASE_URL=postgres_url)
    verified = run_feedback(tmp_path, "verify", DATABASE_URL=postgres_url)

    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute("SELECT event FROM feedback_events").fetchall()
    stored = b"".join(bytes(row[0]) for row in rows)
    assert [done.returncode for done in (reviewer, workflow, verified)] == [0, 0, 0]
    assert not any(word in stored for word in (b"Grace", b"Lovelace", b"open carts"))
    assert b'"type":"decided"' in stored
    assert "compacted 1, decided 1, forgotten 2, linked 1, proposed 1" in verified.stdout
