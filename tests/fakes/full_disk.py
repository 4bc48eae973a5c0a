"""A process whose files may not grow past a limit, which it lifts later: a disk that is full."""

import asyncio
import resource
import sys
from pathlib import Path

from app.adapters.storage.location import DatabaseLocation
from app.domain.errors import StorageFull
from tests.fakes.stored import said, storing_process

LIMIT_BYTES = 512 * 1024
REFUSALS = 5
TEXT = "x" * 2_000


async def main(path: Path) -> None:
    """Print how many appends were taken, how many refused, and how many taken in the end."""
    async with storing_process(DatabaseLocation.of_file(path)) as process:
        workflow_id, claim = await process.claimed()
        limit_files(LIMIT_BYTES)
        taken = [0, 0]
        refused = 0
        while refused < REFUSALS:
            try:
                await process.events.append(workflow_id, [said(TEXT)], claim)
            except StorageFull:
                refused += 1
            else:
                taken[0] += 1
        limit_files(resource.RLIM_INFINITY)
        for _ in range(20):
            await process.events.append(workflow_id, [said(TEXT)], claim)
            taken[1] += 1
    sys.stdout.write(f"{taken[0]} {refused} {taken[1]}\n")


def limit_files(size: int) -> None:
    """How large any file of this process may become."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
