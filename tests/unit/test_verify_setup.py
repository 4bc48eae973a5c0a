"""`verify_setup.py` as a user runs it: a process, its lines and its exit code."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response

from tests.fakes.servers import REPOSITORY, free_port, product_environment, serving

pytestmark = pytest.mark.timeout(60)

Report = subprocess.CompletedProcess[str]


def verify(root: Path, *arguments: str, **settings: str) -> Report:
    environment = product_environment(root, settings)
    command = [sys.executable, str(REPOSITORY / "verify_setup.py"), *arguments]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, timeout=20, check=False
    )


def line_about(report: Report, subject: str) -> str:
    (line,) = (line for line in report.stdout.splitlines() if subject in line)
    return line


def test_a_good_machine_passes(tmp_path: Path):
    report = verify(tmp_path)

    assert report.returncode == 0, report.stdout
    assert all(line.startswith("ok") for line in report.stdout.splitlines()[:-1])
    assert "playbooks answer" in report.stdout


def test_a_port_in_use_fails_with_the_setting_to_change(tmp_path: Path):
    port = free_port()
    with closing(socket.create_server(("127.0.0.1", port))):
        report = verify(tmp_path, PORT=str(port))

    assert report.returncode == 1
    assert line_about(report, " PORT").startswith("FAIL")
    assert "set PORT" in line_about(report, " PORT")


def test_a_folder_that_cannot_be_written_fails(tmp_path: Path):
    (tmp_path / "file").touch()

    report = verify(tmp_path, DATA_DIR=str(tmp_path / "file" / "data"))

    assert report.returncode == 1
    assert "set DATA_DIR" in line_about(report, "cannot be written")


def test_settings_that_cannot_be_read_are_a_line(tmp_path: Path):
    report = verify(tmp_path, PORT="many", ELASTICSEARCH_USER="ada")

    assert report.returncode == 1
    assert line_about(report, "PORT").startswith("FAIL")
    assert "Traceback" not in report.stdout + report.stderr


def test_an_unusual_key_is_a_warning_and_never_printed(tmp_path: Path):
    report = verify(tmp_path, GOOGLE_API_KEY="my-odd-key-0815")

    assert report.returncode == 0
    assert line_about(report, "GOOGLE_API_KEY").startswith("warn")
    assert "0815" not in report.stdout + report.stderr


def test_a_usual_key_is_recognised(tmp_path: Path):
    report = verify(tmp_path, GOOGLE_API_KEY="AIza" + "x" * 35)

    assert line_about(report, "GOOGLE_API_KEY").startswith("ok")


def test_a_cluster_needs_kubectl(tmp_path: Path):
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.touch()

    report = verify(tmp_path, KUBECONFIG=str(kubeconfig), PATH=str(tmp_path))

    assert report.returncode == 1
    assert "install kubectl" in line_about(report, "KUBECONFIG")


def test_missing_packages_are_named_with_the_command_that_installs_them(tmp_path: Path):
    for name in ("verify_setup.py", "requirements.txt"):
        shutil.copy(REPOSITORY / name, tmp_path)
    shutil.copytree(REPOSITORY / "app" / "cli", tmp_path / "app" / "cli")
    bare = [sys.executable, "-S", str(tmp_path / "verify_setup.py")]

    report = subprocess.run(bare, capture_output=True, text=True, timeout=20, check=False)

    assert report.returncode == 1
    assert line_about(report, "packages").startswith("FAIL")
    assert "./run.sh" in line_about(report, "packages")


@pytest.fixture
def services() -> Iterator[tuple[str, list[Request]]]:
    app, seen = FastAPI(), list[Request]()

    @app.post("/v1beta/models/{question}")
    def gemini(question: str, request: Request) -> Response:
        seen.append(request)
        return Response(status_code=200 if question.startswith("good:") else 404)

    @app.get("/")
    def elasticsearch(request: Request) -> Response:
        seen.append(request)
        return Response("secret-es-key is wrong", status_code=401)

    with serving(app) as url:
        yield url, seen


def test_live_asks_each_service_once(tmp_path: Path, services: tuple[str, list[Request]]):
    url, seen = services
    settings = {
        "GOOGLE_API_KEY": "AIza" + "x" * 35,
        "GEMINI_BASE_URL": url,
        "GEMINI_MODEL_ID": "good",
        "ELASTICSEARCH_URL": url,
        "ELASTICSEARCH_API_KEY": "secret-es-key",
        "MCP_SERVER_URL": f"http://127.0.0.1:{free_port()}",
    }

    quiet = verify(tmp_path, **settings)
    asked_by_quiet = len(seen)
    live = verify(tmp_path, "--live", **settings)

    assert quiet.returncode == 0
    assert asked_by_quiet == 0
    assert len(seen) == 2
    assert live.returncode == 1
    assert line_about(live, "Gemini (good)").startswith("ok")
    assert "status 401" in line_about(live, "Elasticsearch answers")
    assert "MCP_SERVER_URL" in line_about(live, "the approval server")
    assert "secret-es-key" not in live.stdout + live.stderr


def test_live_says_that_a_model_is_not_known(tmp_path: Path, services: tuple[str, list[Request]]):
    url, _ = services

    report = verify(
        tmp_path, "--live", GOOGLE_API_KEY="any", GEMINI_BASE_URL=url, GEMINI_MODEL_ID="absent"
    )

    assert report.returncode == 1
    assert "address or model" in line_about(report, "Gemini (absent)")
