"""What is stored, copied while it is in use and put back elsewhere."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.gemini_server import KEY, Canned, GeminiServer, running_gemini
from tests.fakes.postgres import SECRET
from tests.fakes.servers import RunningProduct, product_environment, running_product
from tests.fakes.stream import Message, follow_stream, read_stream, start_workflow
from tests.fakes.waiting import wait_until

LOGS = b"INFO cart starts\nFATAL deployment/cart -n shop: config key PORT is missing\n"
DECIDED = ("approved_count", "rejected_count", "approval_rate", "average_reward")

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(150)]


def command(root: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    root.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "app", *arguments],
        cwd=root,
        env=product_environment(root, settings),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done


def refused(root: Path, *arguments: str, **settings: str) -> str:
    done = command(root, *arguments, **settings)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.fixture
def gemini() -> Iterator[GeminiServer]:
    with running_gemini() as running:
        yield running


def settings_of(gemini: GeminiServer, **more: str) -> dict[str, str]:
    return {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": gemini.url} | more


def finished_and_decided(product: RunningProduct) -> str:
    """A workflow whose plan was approved and rated."""
    workflow_id = start_workflow(product.url, LOGS)
    read_stream(product.url, workflow_id)
    pending = httpx.get(f"{product.approval_url}/api/approvals/pending", timeout=10).json()
    (approval, *_) = pending["approvals"]
    approve = f"{product.approval_url}/api/approvals/{approval['id']}/approve"
    httpx.post(approve, timeout=10).raise_for_status()
    api = f"{product.url}/api/v1/feedback"
    (plan, *_) = httpx.get(f"{api}/workflow/{workflow_id}", timeout=30).json()[
        "feedback_opportunities"
    ]
    rating = {"feedback_id": plan["feedback_id"], "rating": 4, "was_helpful": True}
    httpx.post(f"{api}/submit", json=rating, timeout=10).raise_for_status()
    wait_until(lambda: learned(product)["approved_count"])
    return workflow_id


def begun(product: RunningProduct, gemini: GeminiServer) -> str:
    """A workflow whose model says nothing for now."""
    gemini.always = Canned(is_silent=True)
    workflow_id = start_workflow(product.url, LOGS)
    for message in follow_stream(product.url, workflow_id):
        if message.data["agent_name"] == "MonitoringAgent":
            return workflow_id
    raise AssertionError("it never began")


def learned(product: RunningProduct) -> dict[str, Any]:
    api = f"{product.url}/api/v1/feedback/statistics/RemediationAgent"
    statistics = httpx.get(api, timeout=10).json()["statistics"]
    return {name: statistics[name] for name in DECIDED}


def told(messages: list[Message]) -> list[dict[str, Any]]:
    """What clients are told, without the epoch."""
    return [message.data | {"id": message.id.partition("-")[2]} for message in messages]


def check_restored(
    product: RunningProduct, finished: list[Message], unfinished: str, statistics: dict[str, Any]
) -> None:
    """Everything is there, and a client that watched before is told that the log is another one."""
    old = finished[1]
    finished_id = old.data["workflow_id"]

    anew = read_stream(product.url, finished_id, last_event_id=old.id)
    continued = read_stream(product.url, unfinished)

    assert anew[0].event == "reset"
    assert told(anew[1:]) == told(finished)
    assert anew[1].id.partition("-")[0] != old.id.partition("-")[0]
    assert [message.data["id"] for message in anew[1:]] == [message.id for message in anew[1:]]
    assert [m.data["seq"] for m in continued] == list(range(1, len(continued) + 1))
    assert continued[-1].data["outcome"]["state"] == "completed"
    assert sum("outcome" in message.data for message in continued) == 1
    assert learned(product) == statistics


def test_a_backup_of_a_product_at_work_is_whole_where_it_is_restored(
    tmp_path: Path, gemini: GeminiServer
):
    backup = tmp_path / "backups" / "monday"
    with running_product(tmp_path / "old", **settings_of(gemini)) as product:
        decided = finished_and_decided(product)
        finished = read_stream(product.url, decided)
        statistics = learned(product)
        unfinished = begun(product, gemini)

        made = command(tmp_path / "old", "backup", str(backup))

    gemini.reset()
    put_back = command(tmp_path / "new", "restore", str(backup))
    with running_product(tmp_path / "new", **settings_of(gemini)) as product:
        check_restored(product, finished, unfinished, statistics)

    assert made.returncode == put_back.returncode == 0, made.stderr + put_back.stderr
    for name in ("workflows.sqlite", "approvals.sqlite", "remediation_feedback.jsonl"):
        assert name in made.stdout
    assert list((tmp_path / "backups").iterdir()) == [backup]


def program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    path = str(found[-1]) if found else shutil.which(name)
    assert path is not None, f"{name} is missing: install PostgreSQL"
    return path


def run_postgres(*arguments: str) -> None:
    subprocess.run(arguments, env={"PATH": os.environ["PATH"]}, timeout=60, check=True)


def test_postgresql_is_backed_up_by_its_own_tools(
    tmp_path: Path, gemini: GeminiServer, postgres_url: str
):
    dump = str(tmp_path / "backup.dump")
    settings = settings_of(gemini, DATABASE_URL=postgres_url)
    with running_product(tmp_path / "old", **settings) as product:
        decided = finished_and_decided(product)
        finished = read_stream(product.url, decided)
        statistics = learned(product)
        unfinished = begun(product, gemini)
        run_postgres(program("pg_dump"), "--format=custom", f"--file={dump}", postgres_url)
        start_workflow(product.url, LOGS)

    gemini.reset()
    options = ("--clean", "--if-exists", "--no-owner", f"--dbname={postgres_url}")
    run_postgres(program("pg_restore"), *options, dump)
    renewed = command(tmp_path / "new", "restore", "--new-epoch", DATABASE_URL=postgres_url)
    with running_product(tmp_path / "new", **settings) as product:
        check_restored(product, finished, unfinished, statistics)
        listed = httpx.get(f"{product.url}/api/v1/workflows", timeout=10).json()["workflows"]

    assert renewed.returncode == 0, renewed.stderr
    assert SECRET not in renewed.stdout
    assert {workflow["workflow_id"] for workflow in listed} == {decided, unfinished}


def test_files_are_neither_copied_nor_restored_beside_postgresql(tmp_path: Path):
    url = "postgresql://ada:tiny@127.0.0.1:9/shop"

    assert "pg_dump" in refused(tmp_path, "backup", "copy", DATABASE_URL=url)
    assert "pg_restore" in refused(tmp_path, "restore", "copy", DATABASE_URL=url)
    assert "tiny" not in refused(tmp_path, "restore", "--new-epoch", DATABASE_URL=url)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a product has run, with its data."""
    root = tmp_path_factory.mktemp("stored")
    with running_product(root) as product:
        read_stream(product.url, start_workflow(product.url, LOGS))
    return root


def test_a_backup_never_goes_into_a_folder_that_holds_something(stored: Path, tmp_path: Path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("dear")

    assert "not empty" in refused(stored, "backup", str(tmp_path / "full"))
    assert (tmp_path / "full" / "letter").read_text() == "dear"


def test_an_empty_folder_takes_a_backup(stored: Path, tmp_path: Path):
    (tmp_path / "empty").mkdir()

    assert command(stored, "backup", str(tmp_path / "empty")).returncode == 0
    assert (tmp_path / "empty" / "workflows.sqlite").is_file()


def test_nothing_stored_is_nothing_to_back_up(tmp_path: Path):
    assert "Nothing is stored" in refused(tmp_path, "backup", "copy")
    assert not (tmp_path / "copy").exists()


def test_a_restore_never_replaces_what_is_stored(stored: Path, tmp_path: Path):
    command(stored, "backup", str(tmp_path / "copy"))
    before = (stored / "data" / "workflows.sqlite").read_bytes()

    assert "holds data already" in refused(stored, "restore", str(tmp_path / "copy"))
    assert (stored / "data" / "workflows.sqlite").read_bytes() == before


def test_a_damaged_backup_is_refused_and_nothing_is_put_in_place(stored: Path, tmp_path: Path):
    command(stored, "backup", str(tmp_path / "copy"))
    database = tmp_path / "copy" / "workflows.sqlite"
    content = database.read_bytes()
    database.write_bytes(content[:4096] + b"\xff" * (len(content) - 8192) + content[-4096:])

    assert "workflows.sqlite" in refused(tmp_path / "new", "restore", str(tmp_path / "copy"))
    assert list((tmp_path / "new" / "data").iterdir()) == []


def test_a_folder_that_is_no_backup_is_refused(tmp_path: Path):
    (tmp_path / "photos").mkdir()

    assert "no backup" in refused(tmp_path, "restore", str(tmp_path / "photos"))
