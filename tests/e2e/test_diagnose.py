"""`diagnose` as a shell uses it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.servers import REPOSITORY, product_environment

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(60)]

SAMPLE = REPOSITORY / "data" / "samples" / "oom-killed.log"


@pytest.mark.parametrize("options", [["--json"], []], ids=["json", "text"])
def test_a_reader_that_leaves_early_is_no_error(tmp_path: Path, options: list[str]):
    command = [sys.executable, "-m", "app", "diagnose", *options, str(SAMPLE)]
    with (tmp_path / "said").open("w+b") as said:
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=product_environment(tmp_path, {}),
            stdout=subprocess.PIPE,
            stderr=said,
        )
        assert process.stdout is not None
        process.stdout.close()

        process.wait(30)
        said.seek(0)
        words = said.read().decode()

    assert "Traceback" not in words
    assert "BrokenPipe" not in words


def test_no_command_is_cut_where_no_terminal_shows_it(tmp_path: Path):
    def said(*options: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "app", "diagnose", *options, str(SAMPLE)],
            cwd=tmp_path,
            env=product_environment(tmp_path, {}),
            capture_output=True,
            text=True,
            timeout=50,
            check=True,
        ).stdout

    plans = json.loads(said("--json"))["remediation"]["remediation_plans"]
    steps = [step for plan in plans for step in plan["steps"]]
    commands = [command["command"] for step in steps for command in step["commands"]]
    lines = said().splitlines()

    assert max(map(len, commands)) > 70
    for command in commands:
        assert any(line.endswith(command) for line in lines), command


@pytest.mark.parametrize(
    ("content", "reason"), [(b" \n", "is empty"), (b"ERROR \xff\n", "is not UTF-8 text")]
)
def test_a_file_that_is_no_log_is_named_in_one_line(tmp_path: Path, content: bytes, reason: str):
    log = tmp_path / "pod.log"
    log.write_bytes(content)

    done = subprocess.run(
        [sys.executable, "-m", "app", "diagnose", str(log)],
        cwd=tmp_path,
        env=product_environment(tmp_path, {}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert said.startswith(f"{log} {reason}")
