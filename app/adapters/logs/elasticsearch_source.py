"""Fetches log lines from Elasticsearch: a frozen view, page by page, within one time limit."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from elastic_transport import ApiError, HttpxAsyncHttpNode, TransportError
from elasticsearch import AsyncElasticsearch

from app.adapters.logs.elasticsearch_access import ElasticsearchAccess
from app.adapters.logs.elasticsearch_answer import Hit, View, to_page, to_part
from app.adapters.logs.elasticsearch_faults import fault_of
from app.adapters.logs.elasticsearch_query import message_of, query_of, search_body
from app.domain.errors import AppError, LogSourceTimedOut

PAGE_HITS = 1000
MOST_ATTEMPTS = 4
RETRYABLE = {429, 502, 503}
READY_LIMIT_SECONDS = 1.8
CLOSE_LIMIT_SECONDS = 1.0
# Elasticsearch 8 and 9 both speak version 8; the client's own choice, 9, shuts out 8.
MEDIA_TYPE = "application/vnd.elasticsearch+json; compatible-with=8"

log = logging.getLogger(__name__)


class ElasticsearchLogs:
    """One client, kept open; every fetch has its own view of the indices."""

    def __init__(self, access: ElasticsearchAccess) -> None:
        """Connects to nothing yet."""
        self._access = access
        self._indices = quote(access.index, safe=",*")
        self._client = AsyncElasticsearch(
            access.address,
            node_class=HttpxAsyncHttpNode,
            basic_auth=access.basic_auth,
            api_key=access.api_key_value,
            request_timeout=access.timeout_seconds,
            max_retries=0,
            retry_on_timeout=False,
        )

    async def fetch(self, since: timedelta, query: str) -> Sequence[str]:
        """The newest messages of the time window, at most `max_hits`, oldest first.

        Raises LogSourceFailed, LogSourceTimedOut, and BadInput for a query that does not parse.
        """
        try:
            async with asyncio.timeout(self._access.timeout_seconds):
                newest_first = await self._collect(since, query)
        except TimeoutError:
            raise LogSourceTimedOut(
                f"Elasticsearch did not answer within {self._access.timeout_seconds:g} s "
                "(ELASTICSEARCH_TIMEOUT_SECONDS)."
            ) from None
        newest_first.reverse()
        return newest_first

    async def trouble(self) -> str | None:
        """Why a search cannot work now; asks for no hit, and for at most two seconds."""
        body = {"size": 0, "terminate_after": 1, "query": query_of("*", timedelta(minutes=1))}
        try:
            async with asyncio.timeout(READY_LIMIT_SECONDS):
                await self._once("POST", f"/{self._indices}/_search", _LENIENT, body)
        except TimeoutError:
            return f"Elasticsearch did not answer within {READY_LIMIT_SECONDS:g} s."
        except AppError as error:
            return str(error)
        return None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _collect(self, since: timedelta, query: str) -> list[str]:
        lines: list[str] = []
        room = self._access.max_bytes
        async with aclosing(self._pages(since, query)) as pages:
            async for hits in pages:
                for hit in hits:
                    # JSON may hold half a surrogate pair, which no output can carry.
                    line = message_of(hit.source).encode("utf-8", "replace")
                    room -= len(line)
                    if room < 0:
                        log.warning("log fetch cut at its size limit", extra={"lines": len(lines)})
                        return lines
                    lines.append(line.decode())
        return lines

    async def _pages(self, since: timedelta, query: str) -> AsyncGenerator[list[Hit], None]:
        left: int = self._access.max_hits
        after: list[Any] | None = None
        clock = asyncio.get_running_loop()
        started = clock.time()
        opening = {"keep_alive": "1m", "ignore_unavailable": "true"}
        opened = await self._call("POST", f"/{self._indices}/_pit", opening, None)
        view = to_part(opened, View, self._access.address).id
        try:
            while (size := min(PAGE_HITS, left)) > 0:
                # "now" moves on between two pages: look further back by the time that has passed.
                window = since + timedelta(seconds=clock.time() - started)
                body = search_body(query, window, size, view, after)
                answer = await self._call("POST", "/_search", _WHOLE, body)
                page = to_page(answer, self._access.address)
                view = page.pit_id
                yield page.hits
                if len(page.hits) < size:
                    return
                left, after = left - size, page.hits[-1].sort
        finally:
            await self._close_view(view)

    async def _close_view(self, pit_id: str) -> None:
        try:
            async with asyncio.timeout(CLOSE_LIMIT_SECONDS):
                await self._once("DELETE", "/_pit", {}, {"id": pit_id})
        except (AppError, TimeoutError):
            log.warning("a view was left to expire on the log store")

    async def _call(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> object:
        for attempt in range(1, MOST_ATTEMPTS):
            try:
                return await self._request(method, path, params, body)
            except ApiError as error:
                if error.meta.status not in RETRYABLE:
                    raise fault_of(error, self._access.address) from None
            except TransportError as error:
                raise fault_of(error, self._access.address) from None
            await asyncio.sleep(self._access.first_delay_seconds * 2 ** (attempt - 1))
        return await self._once(method, path, params, body)

    async def _once(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> object:
        try:
            return await self._request(method, path, params, body)
        except (ApiError, TransportError) as error:
            # From None: the cause's text may hold the address with its credentials.
            raise fault_of(error, self._access.address) from None

    async def _request(
        self, method: str, path: str, params: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> object:
        headers = {"accept": MEDIA_TYPE} | ({} if body is None else {"content-type": MEDIA_TYPE})
        response = await self._client.perform_request(
            method, path, params=params, headers=headers, body=body
        )
        answer: object = response.body
        return answer


_LENIENT = {"ignore_unavailable": "true", "allow_no_indices": "true"}
_WHOLE = {"allow_partial_search_results": "false"}
