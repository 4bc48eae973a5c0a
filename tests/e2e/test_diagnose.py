"""`diagnose` as a shell uses it."""

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
