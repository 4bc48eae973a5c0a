"""The command line as a process, over one data folder."""

import subprocess
from pathlib import Path

from tests.fakes.approval_process import COMMAND
from tests.fakes.servers import REPOSITORY


def app(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m app` until it ends; a traceback is a failure of the test."""
    environment = {"PATH": "/usr/bin:/bin", "DATA_DIR": str(root / "data"), "PYTHONPATH": "."}
    done = subprocess.run(
        [*COMMAND[:-1], *arguments],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done
