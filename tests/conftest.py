"""Fixtures that every kind of test may use, and the rule that a build skips nothing."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.postgres import postgres, postgres_url  # noqa: F401 - fixtures of all tests
from tests.fakes.servers import RunningProduct, running_product

StartProduct = Callable[..., RunningProduct]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that is skipped on a developer's machine is a failure where everything must be there."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped under CI: {report.longrepr}"
    return report


@pytest.fixture
def start_product(tmp_path: Path) -> Iterator[StartProduct]:
    """Starts the real product as a process; called again after a stop, it finds the same data."""
    with ExitStack() as running:

        def start(**settings: str) -> RunningProduct:
            return running.enter_context(running_product(tmp_path / "product", **settings))

        yield start
