"""What is known only in this process is kept until the storage takes it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from app.domain.errors import StorageFailed

RETRY_SECONDS = 5.0

log = logging.getLogger(__name__)


async def until_stored(store: Callable[[], Awaitable[object]]) -> None:
    """Try again and again until it is stored."""
    while True:
        try:
            await store()
        except StorageFailed:
            log.exception("the end of a command cannot be stored")
            await asyncio.sleep(RETRY_SECONDS)
        else:
            return
