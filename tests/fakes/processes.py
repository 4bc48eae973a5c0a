"""What several processes of the product leave to be seen: their log, their ids, workers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.fakes.servers import RunningProduct, product_environment, start_process, stop
from tests.fakes.waiting import wait_until


def logged(product: RunningProduct, message: str) -> list[dict[str, Any]]:
    """Lines of the log; each must be whole, whoever wrote at the same time."""
    log = product.logs_dir / "app.log"
    text = log.read_text() if log.exists() else ""
    whole = text[: text.rfind("\n") + 1]
    return [line for line in map(json.loads, whole.splitlines()) if line["message"] == message]


def serving(product: RunningProduct) -> list[int]:
    """The ids of the processes that have begun to serve, dead ones too."""
    return [line["pid"] for line in logged(product, "serving")]


def is_alive(pid: int) -> bool:
    """Whether it runs; somebody who has died and was not buried yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def children_of(pid: int) -> list[int]:
    """Whom it has started."""
    listing = ["ps", "-o", "pid=", "--ppid", str(pid)]
    found = subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    return [child for child in map(int, found.split()) if is_alive(child)]


@contextmanager
def running_worker(root: Path, **settings: str) -> Iterator[RunningProduct]:
    """`python -m app worker`, once it works."""
    environment = product_environment(root, settings)
    worker = start_process([sys.executable, "-m", "app", "worker"], root, environment)
    try:
        wait_until(lambda: "Working on" in worker.printed() or worker.process.poll() is not None)
        assert worker.process.poll() is None, worker.printed()
        yield worker
    finally:
        stop(worker)
