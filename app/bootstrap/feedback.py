"""Where people's decisions are kept: in the database that hosts share, else in the feedback file."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from app.adapters.storage.feedback_jsonl import FEEDBACK_FILE, open_feedback_file, snapshot_of
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.feedback_snapshot import FeedbackSnapshotFile
from app.bootstrap.location import database_location
from app.domain.rewriting import RewritableStore
from app.learning.ledger import FeedbackLedger
from app.settings import Settings

PROGRAM = Path(__file__).parents[1]
LEARNED_BY = ("learning", "domain", "adapters/storage")
"""What is known of a log follows from the code in these folders."""


@asynccontextmanager
async def open_feedback(settings: Settings) -> AsyncIterator[RewritableStore]:
    """The store that the settings name; raises StartupFailed or StorageFailed."""
    if settings.database_url is None:
        async with open_feedback_file(settings.data_dir / FEEDBACK_FILE) as file:
            yield file
        return
    async with open_feedback_table(database_location(settings)) as table:
        yield table


@asynccontextmanager
async def open_ledger(settings: Settings) -> AsyncIterator[FeedbackLedger]:
    """The ledger over that store, with its snapshot in the data folder; raises the same."""
    path = snapshot_of(settings.data_dir / FEEDBACK_FILE)
    async with open_feedback(settings) as store:
        yield FeedbackLedger(store, FeedbackSnapshotFile(path, version(), store.mark))


def version() -> str:
    """Another one whenever any of that code is another one: nobody has to think of it."""
    sources = (path for folder in LEARNED_BY for path in (PROGRAM / folder).glob("*.[py][ya]*"))
    return sha256(b"".join(path.read_bytes() for path in sorted(sources))).hexdigest()
