"""A process that appends feedback for as long as it lives and says what was acknowledged."""

import asyncio
import sys
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from app.adapters.storage.feedback_jsonl import open_feedback_file
from app.adapters.storage.feedback_postgres import open_feedback_table
from app.adapters.storage.location import DatabaseLocation
from app.domain.feedback import Rated
from app.domain.ids import FeedbackId
from app.domain.ports import FeedbackStore

LONG_COMMENT = "x" * 60_000


def opened(target: str) -> AbstractAsyncContextManager[FeedbackStore]:
    """The table of a PostgreSQL database, or a file."""
    if "://" in target:
        return open_feedback_table(DatabaseLocation.of_url(target))
    return open_feedback_file(Path(target))


async def write(target: str, name: str) -> None:
    """One event after the other; each id is printed after it is durable, never before."""
    async with opened(target) as file:
        for number in count():
            rated = Rated(
                id=f"{name}-{number}",
                ts=datetime.now(UTC),
                feedback_id=FeedbackId(f"{name}-{number}"),
                feedback_comments=LONG_COMMENT,
            )
            await file.append([rated])
            sys.stdout.write(f"{rated.id}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(write(sys.argv[1], sys.argv[2]))
