"""Starting: what stands in the way is one line and exit code 1."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import StartProduct
from tests.fakes.servers import free_port, product_environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]


def failed_start(root: Path, **settings: str) -> str:
    root.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "app", "serve"],
        cwd=root,
        env=product_environment(root, settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
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


def test_a_data_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")

    said = failed_start(tmp_path, DATA_DIR=str(tmp_path / "file"))

    assert str(tmp_path / "file") in said
    assert "DATA_DIR" in said


def test_a_settings_file_that_is_no_text_is_named(tmp_path: Path):
    (tmp_path / ".env").write_bytes(b"\xff\xfeP\x00O\x00R\x00T\x00")

    assert ".env" in failed_start(tmp_path)


def test_a_second_server_on_one_data_folder_explains_and_stops(
    tmp_path: Path, start_product: StartProduct
):
    first = start_product()

    said = failed_start(tmp_path / "second", DATA_DIR=str(first.data_dir))

    assert "Another server uses the data folder" in said


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


def test_sigterm_ends_open_streams_and_exits_cleanly(start_product: StartProduct):
    product = start_product()

    assert product.terminate() == 0
    assert "Traceback" not in product.printed()
