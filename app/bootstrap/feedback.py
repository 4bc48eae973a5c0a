"""Where people's decisions are kept: in the database that hosts share, else in the feedback file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.adapters.storage.feedback_jsonl import FEEDBACK_FILE, open_feedback_file
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.bootstrap.location import database_location
from app.domain.rewriting import RewritableStore
from app.settings import Settings


@asynccontextmanager
async def open_feedback(settings: Settings) -> AsyncIterator[RewritableStore]:
    """The store that the settings name; raises StartupFailed or StorageFailed."""
    if settings.database_url is None:
        async with open_feedback_file(settings.data_dir / FEEDBACK_FILE) as file:
            yield file
        return
    async with open_feedback_table(database_location(settings)) as table:
        yield table
