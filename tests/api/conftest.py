"""The real product, started once for all tests of its HTTP surface."""

from collections.abc import Iterator

import pytest

from tests.fakes.servers import RunningProduct, running_product


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    with running_product(tmp_path_factory.mktemp("product"), MAX_BODY_MIB="1") as running:
        yield running
