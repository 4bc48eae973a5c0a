"""A fresh copy of the repository in which `./run.sh` sets everything up, and who looks at approvals."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from app.settings import Settings
from tests.fakes.approval_app import approval_server
from tests.fakes.browser import running_browser, watched_page
from tests.fakes.cluster_desk import ClusterDesk, open_cluster_desk
from tests.fakes.servers import (
    REPOSITORY,
    RunningProduct,
    free_port,
    start_process,
    stop,
    wait_until_healthy,
)

FIRST_START_SECONDS = 240


@dataclass(frozen=True)
class FreshCopy:
    """Started by its run script alone, with ports and folders that stay the same."""

    folder: Path
    environment: dict[str, str]

    def start(self, *arguments: str, limit: float = FIRST_START_SECONDS) -> RunningProduct:
        """Run the script from elsewhere and wait until the backend answers."""
        command = [str(self.folder / "run.sh"), *arguments]
        product = start_process(command, self.folder.parent, self.environment)
        try:
            wait_until_healthy(product, limit)
        except AssertionError:
            stop(product)
            raise
        return product


def environment_of(root: Path) -> dict[str, str]:
    """The outer environment, because installing may need it, without the product's settings."""
    foreign = {"PYTHONPATH", "VIRTUAL_ENV", *(name.upper() for name in Settings.model_fields)}
    outer = {name: value for name, value in os.environ.items() if name not in foreign}
    return outer | {
        "PORT": str(free_port()),
        "APPROVAL_PORT": str(free_port()),
        "DATA_DIR": str(root / "stored"),
        "LOGS_DIR": str(root / "logged"),
    }


@pytest.fixture(scope="session")
def fresh_copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FreshCopy]:
    root = tmp_path_factory.mktemp("fresh")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    for name in filter(None, names.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            target = root / "copy" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target)
    yield FreshCopy(root / "copy", environment_of(root))
    shutil.rmtree(root / "copy" / ".venv", ignore_errors=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with watched_page(browser) as opened:
        yield opened


@pytest.fixture
def server(tmp_path: Path) -> Iterator[httpx.Client]:
    with approval_server(tmp_path) as client:
        yield client


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ClusterDesk]:
    with open_cluster_desk(tmp_path) as opened:
        yield opened
