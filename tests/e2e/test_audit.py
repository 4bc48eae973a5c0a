"""The audit file of a server that is killed, cut, changed and backed up, and what `audit verify` says."""

import json
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import httpx
import pytest

from app.adapters.storage.approvals import APPROVAL_FILE
from app.adapters.storage.jsonl import LineFile
from app.adapters.storage.location import DatabaseLocation
from tests.fakes.approval_process import ApprovalHost, propose
from tests.fakes.approval_storage import LIMIT, ApprovalStorage
from tests.fakes.approvals import RESTART, approval
from tests.fakes.cli import app
from tests.fakes.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]
WHOLE = "The file is whole and unchanged."


@pytest.fixture
def host(tmp_path: Path) -> Iterator[ApprovalHost]:
    with ExitStack() as running:
        yield ApprovalHost(tmp_path, running, "echo done")


def audit(root: Path) -> Path:
    return root / "data" / "audit.jsonl"


def types(root: Path) -> list[str]:
    path = audit(root)
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [json.loads(line)["type"] for line in lines]


def run_one(client: httpx.Client) -> None:
    approval_id = propose(client, RESTART)
    client.post(f"/api/approvals/{approval_id}/approve", json={"reviewer": "Ada"})


def test_a_kill_between_commit_and_copy_is_made_good_by_the_next_start(
    host: ApprovalHost, tmp_path: Path
):
    product, client = host.start()
    propose(client, RESTART)
    wait_until(lambda: types(tmp_path) == ["proposed"])
    with LineFile(audit(tmp_path)).locked():
        propose(client, RESTART)
        propose(client, RESTART)
        product.kill()
    assert types(tmp_path) == ["proposed"]
    early = app(tmp_path, "audit", "verify")
    assert early.returncode == 0
    assert WHOLE not in early.stdout
    assert "Entries 1 to 1 are whole" in early.stdout
    assert "The newest 2" in early.stdout
    assert "cannot be judged yet" in early.stdout

    host.start()

    wait_until(lambda: types(tmp_path) == ["proposed"] * 3)
    done = app(tmp_path, "audit", "verify")
    assert done.returncode == 0, done.stdout
    assert WHOLE in done.stdout
    assert "entries   3" in done.stdout
    assert "compared" in done.stdout


def test_a_line_that_was_half_written_is_told_and_then_written_again(
    host: ApprovalHost, tmp_path: Path
):
    product, client = host.start()
    propose(client, RESTART)
    propose(client, RESTART)
    wait_until(lambda: len(types(tmp_path)) == 2)
    product.kill()
    audit(tmp_path).write_bytes(audit(tmp_path).read_bytes()[:-40])
    torn = app(tmp_path, "audit", "verify")

    host.start()

    assert torn.returncode == 1
    assert "Line 2 has no end" in torn.stdout
    wait_until(lambda: app(tmp_path, "audit", "verify").returncode == 0)


def test_everything_from_proposal_to_end_is_told_in_order_and_by_whom(
    host: ApprovalHost, tmp_path: Path
):
    _, client = host.start()
    run_one(client)

    wait_until(lambda: "execution_ended" in types(tmp_path))

    lines = [json.loads(line) for line in audit(tmp_path).read_bytes().splitlines()]
    assert [line["type"] for line in lines[:4]] == [
        "proposed",
        "decided",
        "execution_started",
        "execution_ended",
    ]
    assert lines[1]["by"] == "Ada"
    assert lines[1]["commands"][0]["command"] == RESTART


def test_what_somebody_did_to_the_file_is_told_with_its_line(host: ApprovalHost, tmp_path: Path):
    product, client = host.start()
    for _ in range(4):
        propose(client, RESTART)
    wait_until(lambda: len(types(tmp_path)) == 4)
    product.terminate()
    path = audit(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)

    def verdict(*kept: bytes) -> str:
        path.write_bytes(b"".join(kept))
        done = app(tmp_path, "audit", "verify")
        assert done.returncode == 1
        return done.stdout

    assert "Line 2 was changed" in verdict(lines[0], lines[1].replace(b"CAUTION", b"caution"))
    assert "Line 2 follows on entry 2" in verdict(lines[0], *lines[2:])
    assert "Line 3 is entry 2 once more" in verdict(*lines[:2], *lines[1:])
    path.write_bytes(b"".join(lines))
    assert app(tmp_path, "audit", "verify").returncode == 0


def test_a_backup_has_the_audit_file_and_a_restored_server_goes_on_with_it(
    host: ApprovalHost, tmp_path: Path
):
    _, client = host.start()
    propose(client, RESTART)
    wait_until(lambda: len(types(tmp_path)) == 1)

    done = app(tmp_path, "backup", str(tmp_path / "copy"))

    assert "audit.jsonl" in done.stdout
    copy = tmp_path / "copy" / "audit.jsonl"
    assert copy.read_bytes() == audit(tmp_path).read_bytes()
    assert app(tmp_path, "audit", "verify", "--file", str(copy)).returncode == 0


def test_without_the_database_nothing_is_claimed_about_the_end(host: ApprovalHost, tmp_path: Path):
    product, client = host.start()
    for _ in range(2):
        propose(client, RESTART)
    wait_until(lambda: len(types(tmp_path)) == 2)
    product.terminate()
    for file in (tmp_path / "data").glob("approvals.sqlite*"):
        file.unlink()
    audit(tmp_path).write_bytes(audit(tmp_path).read_bytes().splitlines(keepends=True)[0])

    done = app(tmp_path, "audit", "verify")

    assert done.returncode == 0
    assert WHOLE not in done.stdout
    assert "cannot be judged without the database" in done.stdout


async def test_what_the_database_has_had_for_longer_was_cut_off(tmp_path: Path):
    (tmp_path / "data").mkdir()
    location = DatabaseLocation.of_file(tmp_path / "data" / APPROVAL_FILE)
    async with AsyncExitStack() as stack:
        server = await ApprovalStorage(location, stack).server()
        for name in ("one", "two", "three"):
            await server.store.create(approval(name), None, LIMIT)
        first, *_ = await server.audit.after(0)
    audit(tmp_path).write_bytes(first.to_line())

    done = app(tmp_path, "audit", "verify")

    assert done.returncode == 1
    assert "Line 2 is missing, and 1 after it" in done.stdout


def test_without_a_file_there_is_one_line(tmp_path: Path):
    done = app(tmp_path, "audit", "verify")

    assert done.returncode == 1
    assert done.stderr.startswith("There is no audit file")
