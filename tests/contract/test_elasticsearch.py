"""Elasticsearch as a log source: the real client against its protocol on a loopback port."""

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from app.adapters.logs.elasticsearch import open_elasticsearch
from app.domain.errors import (
    AppError,
    BadInput,
    LogSourceFailed,
    LogSourceTimedOut,
    StartupFailed,
)
from app.domain.ports import LogSource
from tests.fakes.elasticsearch_server import (
    ElasticsearchServer,
    Fault,
    running_elasticsearch,
)

MINUTE = timedelta(minutes=1)
PASSWORD = "s3cret-of-elastic"


@pytest.fixture
def server() -> Iterator[ElasticsearchServer]:
    with running_elasticsearch() as running:
        yield running


@pytest.fixture
async def logs(server: ElasticsearchServer) -> AsyncIterator[LogSource]:
    async with source_for(server) as source:
        yield source


def source_for(
    server: ElasticsearchServer, **changes: Any
) -> AbstractAsyncContextManager[LogSource]:
    arguments: dict[str, Any] = {
        "url": server.url,
        "index": "logs-*-*,logs-*",
        "max_hits": 10_000,
        "timeout_seconds": 10,
        "first_delay_seconds": 0.01,
    }
    return open_elasticsearch(**arguments | changes)


async def test_messages_come_oldest_first(server: ElasticsearchServer, logs: LogSource):
    server.add("third", seconds_ago=1)
    server.add("first", "second", seconds_ago=20)

    assert await logs.fetch(MINUTE, "*") == ["first", "second", "third"]


async def test_only_the_time_window_is_fetched(server: ElasticsearchServer, logs: LogSource):
    server.add("old", seconds_ago=90)
    server.add("new", seconds_ago=30)

    assert await logs.fetch(MINUTE, "*") == ["new"]
    assert await logs.fetch(2 * MINUTE, "*") == ["old", "new"]


async def test_nothing_found_is_an_empty_answer(logs: LogSource):
    assert await logs.fetch(MINUTE, "*") == []


async def test_every_page_is_fetched(server: ElasticsearchServer, logs: LogSource):
    messages = [f"message {number}" for number in range(2345)]
    server.add(*messages, seconds_ago=30)

    assert await logs.fetch(MINUTE, "*") == messages
    assert [asked.body["size"] for asked in server.asked if "size" in asked.body] == [1000] * 3


async def test_lines_of_one_moment_are_neither_lost_nor_doubled(
    server: ElasticsearchServer, logs: LogSource
):
    messages = [f"message {number}" for number in range(1500)]
    server.documents += [(5, {"message": message}) for message in messages]

    assert await logs.fetch(MINUTE, "*") == messages


async def test_half_a_surrogate_pair_is_replaced(server: ElasticsearchServer, logs: LogSource):
    server.add("broken \ud800 emoji")

    assert await logs.fetch(MINUTE, "*") == ["broken ? emoji"]


async def test_beyond_the_limit_the_newest_are_kept(server: ElasticsearchServer):
    server.add(*(f"message {number}" for number in range(1200)), seconds_ago=30)

    async with source_for(server, max_hits=1100) as logs:
        lines = await logs.fetch(MINUTE, "*")

    assert lines == [f"message {number}" for number in range(100, 1200)]


async def test_a_flood_of_bytes_is_cut_at_its_oldest_end(server: ElasticsearchServer):
    large = "é" * 500
    server.add(*(f"{number} {large}" for number in range(10)), seconds_ago=30)

    async with source_for(server, max_bytes=9100) as logs:
        lines = await logs.fetch(MINUTE, "*")

    assert [line[0] for line in lines] == list("123456789")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("error", ["error in cart", "error in mail"]),
        ("error and mail", ["error in mail"]),
        ("cart or mail", ["error in cart", "error in mail", "cart ready"]),
        ("cart AND not error", ["cart ready"]),
        ('"cart and mail"', []),
        ("message:err*", ["error in cart", "error in mail"]),
        ("", ["error in cart", "error in mail", "cart ready", "idle"]),
        ("absent", []),
    ],
)
async def test_the_query_selects(
    server: ElasticsearchServer, logs: LogSource, query: str, expected: list[str]
):
    for message in ("error in cart", "error in mail", "cart ready", "idle"):
        server.documents.append((5 - len(server.documents) / 100, {"message": message}))

    assert await logs.fetch(MINUTE, query) == expected


async def test_the_query_goes_over_all_fields_of_the_configured_indices(
    server: ElasticsearchServer, logs: LogSource
):
    await logs.fetch(MINUTE, "oops")

    opened, searched, closed = server.asked
    assert opened.path.startswith("/logs-*-*,logs-*/_pit?")
    assert "ignore_unavailable=true" in opened.path
    query = searched.body["query"]["bool"]["must"][0]["query_string"]
    assert (query["query"], query["default_field"]) == ("oops", "*")
    assert (closed.method, closed.path) == ("DELETE", "/_pit")


async def test_a_busy_store_is_asked_again(server: ElasticsearchServer, logs: LogSource):
    server.add("hello")
    server.script.extend(
        [Fault(429), Fault(503), None, Fault(502, b"<html>", content_type="text/html")]
    )

    assert await logs.fetch(MINUTE, "*") == ["hello"]
    assert len(server.asked) == 6


NO_HEAP = {"type": "circuit_breaking_exception", "reason": "no heap"}


def page_with(**changes: Any) -> bytes:
    page = {"pit_id": "v", "timed_out": False, "_shards": {"failed": 0}, "hits": {"hits": []}}
    return json.dumps(page | changes).encode()


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (Fault(503), LogSourceFailed, "answered 503: busy"),
        (Fault(500, b"oops", content_type="text/plain"), LogSourceFailed, "answered 500"),
        (Fault(401), LogSourceFailed, "refused the credentials"),
        (Fault(403), LogSourceFailed, "refused the credentials"),
        (
            Fault(404, b'{"error": {"type": "index_not_found_exception", "reason": "no"}}'),
            LogSourceFailed,
            "None of the indices",
        ),
        (
            Fault(200, b"<html>", content_type="text/html"),
            LogSourceFailed,
            "something unreadable",
        ),
        (Fault(200, b"{"), LogSourceFailed, "something unreadable"),
        (Fault(200, b"[]"), LogSourceFailed, "something unreadable"),
        (Fault(200, b"{}"), LogSourceFailed, "something unreadable"),
        (Fault(200, b'{"hits": {}}'), LogSourceFailed, "something unreadable"),
        (Fault(200, is_dropped=True), LogSourceFailed, "cannot be reached"),
        (
            Fault(200, page_with(timed_out=True)),
            LogSourceFailed,
            "before it was complete",
        ),
        (
            Fault(200, page_with(_shards={"failed": 1, "failures": [{"reason": NO_HEAP}]})),
            LogSourceFailed,
            "only a part of the indices: no heap",
        ),
        (Fault(302, b"{}"), LogSourceFailed, "answered 302"),
    ],
)
async def test_a_failing_search_is_a_failure_and_its_view_is_closed(
    server: ElasticsearchServer,
    logs: LogSource,
    fault: Fault,
    kind: type[AppError],
    sentence: str,
):
    server.add("hello")
    server.script.extend([None, *([fault] * (4 if fault.status == 503 else 1))])

    with pytest.raises(kind, match=sentence) as caught:
        await logs.fetch(MINUTE, "*")

    assert type(caught.value) is kind
    assert server.views == {}


@pytest.mark.parametrize(
    "fault",
    [
        Fault(200, b"{}", product=None),
        Fault(200, b"<html>", product=None, content_type="text/html"),
    ],
)
async def test_another_product_is_not_taken_for_elasticsearch(
    server: ElasticsearchServer, logs: LogSource, fault: Fault
):
    server.always = fault

    with pytest.raises(LogSourceFailed, match="is not Elasticsearch"):
        await logs.fetch(MINUTE, "*")


async def test_a_query_that_does_not_parse_is_the_callers_fault(
    server: ElasticsearchServer, logs: LogSource
):
    with pytest.raises(BadInput, match=r"Invalid filter_pattern: Failed to parse query \[a AND\]"):
        await logs.fetch(MINUTE, "a and")

    assert server.views == {}


async def test_a_silent_store_costs_no_more_than_the_time_limit(server: ElasticsearchServer):
    async with source_for(server, timeout_seconds=0.5) as logs:
        server.script.extend([None, Fault(is_silent=True)])
        before = time.monotonic()

        with pytest.raises(LogSourceTimedOut, match=r"within 0\.5 s"):
            await logs.fetch(MINUTE, "*")

    assert time.monotonic() - before < 5
    assert server.views == {}


async def test_a_cancelled_fetch_closes_its_view(server: ElasticsearchServer, logs: LogSource):
    server.script.extend([None, Fault(is_silent=True)])

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await logs.fetch(MINUTE, "*")

    assert server.views == {}


async def test_trouble_says_why_a_search_cannot_work(server: ElasticsearchServer):
    async with source_for(server) as logs:
        assert await logs.trouble() is None
        server.always = Fault(401)
        assert "refused the credentials" in str(await logs.trouble())
        server.always = Fault(is_silent=True)
        before = time.monotonic()
        assert "did not answer within" in str(await logs.trouble())
        assert time.monotonic() - before < 4
    async with source_for(server, url="http://127.0.0.1:9") as logs:
        assert await logs.trouble() == "Elasticsearch cannot be reached at http://127.0.0.1:9."


BASIC = "Basic " + base64.b64encode(f"elastic:{PASSWORD}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "access"),
    [
        (BASIC, {"user": "elastic", "password": SecretStr(PASSWORD)}),
        ("ApiKey YTpi", {"api_key": SecretStr("YTpi"), "user": "x", "password": SecretStr("y")}),
        ("ApiKey YTpi", {"api_key": SecretStr("a:b")}),
    ],
)
async def test_credentials_are_sent(authorization: str, access: dict[str, Any]):
    with running_elasticsearch(authorization) as server:
        server.add("hello")
        async with source_for(server, **access) as logs:
            assert await logs.fetch(MINUTE, "*") == ["hello"]


async def test_credentials_in_the_address_work_and_are_never_shown(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.DEBUG)
    with running_elasticsearch(BASIC) as server:
        server.add("hello")
        address = server.url.replace("//", f"//elastic:{PASSWORD}@")
        async with source_for(server, url=address) as logs:
            assert await logs.fetch(MINUTE, "*") == ["hello"]
            server.always = Fault(500, b'{"error": "bad"}')
            with pytest.raises(LogSourceFailed) as caught:
                await logs.fetch(MINUTE, "*")
            logging.getLogger("test").error("as a caller logs it", exc_info=caught.value)

    assert "as a caller logs it" in caplog.text
    assert PASSWORD not in caplog.text + str(caught.value)


@pytest.mark.parametrize(
    "address", ["elastic:9200", "ftp://elastic", "http://", "http://h:99999", "http://[x"]
)
async def test_an_unusable_address_stops_the_start(server: ElasticsearchServer, address: str):
    with pytest.raises(StartupFailed, match="ELASTICSEARCH_URL"):
        async with source_for(server, url=address):
            pass
