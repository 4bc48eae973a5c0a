"""A process that appends feedback for as long as it lives and says what was acknowledged."""

import asyncio
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from app.adapters.storage.feedback_jsonl import open_feedback_file
from app.domain.feedback import Rated
from app.domain.ids import FeedbackId

LONG_COMMENT = "x" * 60_000


async def write(path: Path, name: str) -> None:
    """One event after the other; each id is printed after it is durable, never before."""
    async with open_feedback_file(path) as file:
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
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2]))
