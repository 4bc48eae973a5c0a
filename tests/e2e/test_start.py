"""Starting: what stands in the way is one line and exit code 1."""

import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.conftest import StartProduct
from tests.fakes.postgres import SECRET, Postgres
from tests.fakes.servers import free_port, product_environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


def run_app(
    command: str, root: Path, settings: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    root.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "app", *command.split()],
        cwd=root,
        env=product_environment(root, settings),
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )


def failed_start(root: Path, **settings: str) -> str:
    done = run_app("serve", root, settings)
    assert done.returncode == 1
    said = (done.stdout + done.stderr).strip()
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
    return said


@pytest.mark.parametrize("setting", ["PORT", "APPROVAL_PORT"])
def test_a_port_in_use_is_named(tmp_path: Path, setting: str):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        said = failed_start(tmp_path, **{setting: str(port)})

    assert str(port) in said
    assert setting in said


def test_without_a_command_the_server_starts(tmp_path: Path):
    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        done = run_app("", tmp_path, {"PORT": str(port)})

    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stdout + done.stderr


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")

    said = failed_start(tmp_path, DATA_DIR=str(tmp_path / "file"))

    assert str(tmp_path / "file") in said
    assert "DATA_DIR" in said


@pytest.mark.parametrize(
    ("command", "name"),
    [("serve", "workflows.sqlite"), ("approval-server", "approvals.sqlite")],
)
def test_a_damaged_database_is_named_with_the_way_out(tmp_path: Path, command: str, name: str):
    file = tmp_path / "data" / name
    file.parent.mkdir()
    file.write_bytes(b"no database " * 1000)

    done = run_app(command, tmp_path, {})

    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 1
    assert len(said.splitlines()) == 1, said
    assert str(file) in said
    assert "python -m app restore" in said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_approval_server_that_cannot_start_ends_the_backend_with_its_sentence(
    tmp_path: Path, workers: str
):
    file = tmp_path / "data" / "approvals.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"no database " * 1000)

    done = run_app("serve", tmp_path, {"WORKERS": workers})

    assert done.returncode == 1
    [said] = [line for line in done.stderr.splitlines() if "INFO" not in line]
    assert str(file) in said
    assert "python -m app restore" in said
    assert "Traceback" not in done.stdout


def test_a_settings_file_that_is_no_text_is_named(tmp_path: Path):
    (tmp_path / ".env").write_bytes(b"\xff\xfeP\x00O\x00R\x00T\x00")

    assert ".env" in failed_start(tmp_path)


def test_a_second_server_on_the_same_ports_explains_and_stops(
    tmp_path: Path, start_product: StartProduct
):
    first = start_product()
    settings = {"PORT": str(first.port), "APPROVAL_PORT": str(first.approval_port)}

    said = failed_start(tmp_path / "second", DATA_DIR=str(first.data_dir), **settings)

    assert f"Port {first.port} cannot be used" in said


def test_a_second_server_with_another_approval_port_is_told_to_share_the_first_one(
    tmp_path: Path, start_product: StartProduct
):
    first = start_product()

    said = failed_start(tmp_path / "second", DATA_DIR=str(first.data_dir))

    assert "set APPROVAL_PORT to its port" in said
    shared = {"DATA_DIR": str(first.data_dir), "APPROVAL_PORT": str(first.approval_port)}
    verified = run_app("verify", tmp_path, shared)
    assert verified.returncode == 0, verified.stdout


@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_database_that_is_down_is_named_without_its_password(tmp_path: Path, workers: str):
    url = f"postgresql://ada:tiny-secret@127.0.0.1:{free_port()}/shop"

    said = failed_start(tmp_path, DATABASE_URL=url, WORKERS=workers)

    assert "PostgreSQL at 127.0.0.1" in said
    assert "DATABASE_URL" in said
    assert "tiny-secret" not in said


@pytest.mark.parametrize("url", ["mysql://ada:tiny-secret@host/shop", "shop", "postgresql://a:b:c"])
def test_a_database_url_of_another_kind_is_refused(tmp_path: Path, url: str):
    said = failed_start(tmp_path, DATABASE_URL=url)

    assert "DATABASE_URL must look like" in said
    assert "tiny-secret" not in said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_data_folder_of_a_newer_version_is_left_alone(tmp_path: Path, workers: str):
    path = tmp_path / "data" / "workflows.sqlite"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE workflow_schema (version_num TEXT NOT NULL)")
        connection.execute("INSERT INTO workflow_schema VALUES ('9999')")

    said = failed_start(tmp_path, WORKERS=workers)

    assert "written by a newer version" in said
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema").fetchall()
    assert tables == [("workflow_schema",)]


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path, postgres_url: str):
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE workflow_schema (version_num TEXT NOT NULL)")
        connection.execute("INSERT INTO workflow_schema VALUES ('9999')")

    assert "written by a newer version" in failed_start(tmp_path, DATABASE_URL=postgres_url)


def test_a_check_asks_the_database_when_it_may(tmp_path: Path, postgres: Postgres):
    postgres.start()
    with postgres.database() as url:
        asked = run_app("verify --live", tmp_path, {"DATABASE_URL": url})
    missing = run_app("verify --live", tmp_path, {"DATABASE_URL": postgres.url("nowhere")})
    unasked = run_app("verify", tmp_path, {"DATABASE_URL": postgres.url("nowhere")})

    assert (asked.returncode, missing.returncode, unasked.returncode) == (0, 1, 0)
    assert f"PostgreSQL at 127.0.0.1:{postgres.port}" in asked.stdout
    assert "correct DATABASE_URL" in missing.stdout
    assert SECRET not in asked.stdout + missing.stdout + unasked.stdout + missing.stderr


def test_several_servers_that_cannot_start_say_why_once(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")

    said = failed_start(tmp_path, DATA_DIR=str(tmp_path / "file"), WORKERS="4")

    assert "DATA_DIR" in said


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"TEMPERATURE": "hot"}, "TEMPERATURE"),
        ({"MCP_SERVER_URL": "ftp://approvals:3100"}, "MCP_SERVER_URL"),
        ({"MCP_SERVER_URL": "approvals:3100"}, "MCP_SERVER_URL"),
        ({"BACKEND_WEBHOOK_URL": "http://"}, "BACKEND_WEBHOOK_URL"),
        ({"WEBHOOK_SECRET": "short"}, "WEBHOOK_SECRET"),
        ({"ELASTICSEARCH_URL": "http://x", "ELASTICSEARCH_USER": "u"}, "ELASTICSEARCH_PASSWORD"),
        ({"KUBECONFIG": "/nowhere/config"}, "KUBECONFIG"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    tmp_path: Path, settings: dict[str, str], words: str
):
    assert words in failed_start(tmp_path, **settings)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_open_streams_and_exits_cleanly(
    start_product: StartProduct, number: signal.Signals
):
    product = start_product()

    product.process.send_signal(number)

    assert product.process.wait(15) == 0
    assert "Traceback" not in product.printed()
