"""Logs from the log store, for the page and for scripts."""

import asyncio
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from fastapi.responses import JSONResponse

from app.api.deps import Parts
from app.domain.errors import BadInput, LogSourceFailed
from app.security.redaction import redact

MOST_SECONDS = 31 * 24 * 3600
MOST_PATTERN_CHARACTERS = 8192

_WHOLE_NUMBER = re.compile(r"0*(\d{1,7})", re.ASCII)

router = APIRouter(tags=["logs"])


@router.get(
    "/fetchlogs",
    response_model=str,
    summary="Log messages of the last seconds, oldest first, joined by line breaks",
    responses={
        204: {"description": "There are none."},
        400: {"description": "`pull_interval` or `filter_pattern` cannot be used."},
        502: {"description": "The log store failed, or none is configured."},
        504: {"description": "The log store did not answer in time."},
    },
)
async def fetch_logs(
    parts: Parts,
    pull_interval: Annotated[str, Query(description="How many seconds back.")] = "10",
    filter_pattern: Annotated[
        str,
        Query(
            max_length=MOST_PATTERN_CHARACTERS,
            description="A Lucene query string over all fields; and, or, not may be lower-case.",
        ),
    ] = "*",
) -> Response:
    """Nothing leaves with its secrets: the messages are redacted first."""
    since = _since(pull_interval)
    if parts.log_source is None:
        raise LogSourceFailed("ELASTICSEARCH_URL is not set, so there are no logs to fetch.")
    lines = await parts.log_source.fetch(since, filter_pattern)
    if not lines:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    # A fetch may be large: redacting it must not hold up the streams of others.
    return await asyncio.to_thread(_render, lines)


def _render(lines: Sequence[str]) -> Response:
    return JSONResponse(redact("\n".join(lines)).text)


def _since(pull_interval: str) -> timedelta:
    number = _WHOLE_NUMBER.fullmatch(pull_interval.strip())
    seconds = int(number.group(1)) if number else 0
    if not 0 < seconds <= MOST_SECONDS:
        raise BadInput(
            f"Invalid pull_interval: it must be a whole number of seconds from 1 to {MOST_SECONDS}."
        )
    return timedelta(seconds=seconds)
