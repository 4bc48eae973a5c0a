"""Fixtures that every kind of test may use."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.fakes.servers import RunningProduct, running_product

StartProduct = Callable[..., RunningProduct]


@pytest.fixture
def start_product(tmp_path: Path) -> Iterator[StartProduct]:
    """Starts the real product as a process; called again after a stop, it finds the same data."""
    with ExitStack() as running:

        def start(**settings: str) -> RunningProduct:
            return running.enter_context(running_product(tmp_path / "product", **settings))

        yield start
