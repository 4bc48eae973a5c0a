"""The way in to Elasticsearch; the client's second of imports is paid only where it is used."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from pydantic import SecretStr

from app.adapters.logs.elasticsearch_access import ElasticsearchAccess, with_plain_address

if TYPE_CHECKING:
    from app.adapters.logs.elasticsearch_source import ElasticsearchLogs

FIRST_DELAY_SECONDS = 0.5
MOST_BYTES = 64 * 1024 * 1024


@asynccontextmanager
async def open_elasticsearch(  # noqa: PLR0913 - one argument per setting
    *,
    url: str,
    index: str,
    max_hits: int,
    timeout_seconds: float,
    user: str | None = None,
    password: SecretStr | None = None,
    api_key: SecretStr | None = None,
    max_bytes: int = MOST_BYTES,
    first_delay_seconds: float = FIRST_DELAY_SECONDS,
) -> AsyncIterator["ElasticsearchLogs"]:
    """A log source whose connections end with the block; raises StartupFailed for a bad address."""
    access = ElasticsearchAccess(
        address=url,
        index=index,
        max_hits=max_hits,
        max_bytes=max_bytes,
        timeout_seconds=timeout_seconds,
        user=user,
        password=password,
        api_key=api_key,
        first_delay_seconds=first_delay_seconds,
    )
    source = await asyncio.to_thread(_build, with_plain_address(access))
    try:
        yield source
    finally:
        await source.aclose()


def _build(access: ElasticsearchAccess) -> "ElasticsearchLogs":
    from app.adapters.logs.elasticsearch_source import ElasticsearchLogs  # noqa: PLC0415

    return ElasticsearchLogs(access)
