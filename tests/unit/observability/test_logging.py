"""The log file and the console, read back as an operator would."""

import asyncio
import io
import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import pytest

from app.domain.errors import StartupFailed
from app.observability.logging import LogSession, configure_logging, workflow_context

log = logging.getLogger("app.tests")
Written = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def console() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def session(tmp_path: Path, console: io.StringIO) -> Iterator[LogSession]:
    with redirect_stderr(console):
        session = configure_logging("INFO", tmp_path / "logs", secrets=["tiny-key", ""])
    yield session
    session.close()


@pytest.fixture
def written(session: LogSession, tmp_path: Path) -> Written:
    def read() -> list[dict[str, Any]]:
        session.close()
        text = (tmp_path / "logs" / "app.log").read_text()
        return [json.loads(line) for line in text.splitlines()]

    return read


def test_a_line_says_when_who_what_and_the_facts(written: Written):
    log.warning("approval %s", "failed", extra={"approval_id": "a-1", "attempts": 3})

    (line,) = written()
    assert line.pop("time").endswith("+00:00")
    assert line.pop("pid") == os.getpid()
    assert line == {
        "approval_id": "a-1",
        "attempts": 3,
        "level": "WARNING",
        "logger": "app.tests",
        "message": "approval failed",
        "workflow_id": "-",
    }


async def test_each_task_logs_its_own_workflow(written: Written):
    async def run(workflow_id: str) -> None:
        with workflow_context(workflow_id):
            await asyncio.sleep(0)
            log.info("step")

    async with asyncio.TaskGroup() as group:
        group.create_task(run("w-1"))
        group.create_task(run("w-2"))
    log.info("afterwards")

    assert [line["workflow_id"] for line in written()] == ["w-1", "w-2", "-"]


def test_a_stack_trace_stays_in_its_line(written: Written):
    try:
        raise ValueError("password=opensesame9 was wrong")
    except ValueError:
        log.exception("sign-in failed")

    (line,) = written()
    assert line["exception"].startswith("Traceback")
    assert "ValueError" in line["exception"]
    assert "opensesame9" not in line["exception"]


@pytest.mark.parametrize(
    ("message", "facts"),
    [
        ("the key is tiny-key", {}),
        ("asked", {"url": "https://host/?x=tiny-key"}),
        ("connecting to postgres://ada:tiny-pass@db/orders", {}),
        ("asked", {"password": "tiny-pass"}),
    ],
)
def test_no_secret_reaches_file_or_console(
    message: str, facts: dict[str, str], written: Written, console: io.StringIO
):
    log.error(message, extra=facts)

    assert "tiny" not in json.dumps(written())
    assert "ERROR" in console.getvalue()
    assert "tiny" not in console.getvalue()


def test_what_is_below_the_level_is_not_written(written: Written):
    log.debug("too fine")
    logging.getLogger("httpx").info("HTTP Request: GET https://host/?key=abc")

    assert written() == []


def test_logged_text_cannot_forge_lines_or_steer_the_terminal(
    session: LogSession, console: io.StringIO
):
    log.info("name: %s", "x\n10:00:00 ERROR forged\x1b[2J", extra={"pod": "a\nb"})
    session.close()

    printed = console.getvalue()
    assert printed.count("\n") == 1
    assert "\x1b" not in printed
    assert r"x\x0a10:00:00" in printed


def test_a_log_folder_that_cannot_be_made_stops_the_start(tmp_path: Path):
    (tmp_path / "logs").write_text("a file where the folder should be")

    with pytest.raises(StartupFailed, match="LOGS_DIR"):
        configure_logging("INFO", tmp_path / "logs")


def test_two_names_are_two_files(tmp_path: Path):
    session = configure_logging("INFO", tmp_path, name="approvals")
    log.info("hello")
    session.close()

    assert "hello" in (tmp_path / "approvals.log").read_text()
    assert not (tmp_path / "app.log").exists()


def test_uvicorn_writes_into_the_same_file(written: Written):
    logging.getLogger("uvicorn.error").error("no more sockets")

    assert [line["message"] for line in written()] == ["no more sockets"]


def test_closing_twice_is_closing_once(session: LogSession):
    session.close()

    session.close()
