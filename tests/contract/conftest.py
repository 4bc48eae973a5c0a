"""What several contracts are held against: both databases, and Gemini's protocol."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.adapters.reasoning.gemini import GeminiReasoner
from app.adapters.storage.location import DatabaseLocation
from tests.fakes.gemini_cases import reasoner_for
from tests.fakes.gemini_server import GeminiServer, running_gemini
from tests.fakes.stored import StoringProcess, storing_process


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> DatabaseLocation:
    """A fresh one of either kind."""
    if request.param == "sqlite":
        return DatabaseLocation.of_file(tmp_path / "workflows.sqlite")
    return DatabaseLocation.of_url(request.getfixturevalue("postgres_url"))


@pytest.fixture
async def here(location: DatabaseLocation) -> AsyncIterator[StoringProcess]:
    async with storing_process(location) as process:
        yield process


@pytest.fixture
async def there(location: DatabaseLocation, here: StoringProcess) -> AsyncIterator[StoringProcess]:
    async with storing_process(location) as process:
        yield process


@pytest.fixture(scope="module")
def running() -> Iterator[GeminiServer]:
    with running_gemini() as started:
        yield started


@pytest.fixture
def server(running: GeminiServer) -> GeminiServer:
    running.reset()
    return running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reasoner(running: GeminiServer) -> AsyncIterator[GeminiReasoner]:
    async with reasoner_for(running) as opened:
        yield opened
