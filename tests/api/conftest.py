"""The real product, started once for all tests of its HTTP surface."""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator, Mapping

import pytest
from uvicorn.loops.auto import auto_loop_factory

from tests.fakes.servers import RunningProduct, running_product


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    with running_product(tmp_path_factory.mktemp("product"), MAX_BODY_MIB="1") as running:
        yield running


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """What is served in a test's own process is served on the fast event loop, too."""
    return {"served": auto_loop_factory()}
