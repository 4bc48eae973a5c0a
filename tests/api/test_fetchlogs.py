"""GET /fetchlogs over a real socket, against a store that speaks Elasticsearch's protocol."""

from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from types import SimpleNamespace

import httpx
import pytest
from fastapi import FastAPI

from app.adapters.logs.elasticsearch import open_elasticsearch
from app.api.errors import add_error_pages
from app.api.v1.logs import MOST_PATTERN_CHARACTERS, router
from tests.fakes.elasticsearch_server import ElasticsearchServer, Fault, running_elasticsearch
from tests.fakes.servers import serving


@contextmanager
def fetching_from(address: str | None, limit_seconds: float = 15) -> Iterator[httpx.Client]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if address is None:
            app.state.services = SimpleNamespace(log_source=None)
            yield
            return
        async with open_elasticsearch(
            url=address, index="logs-*", max_hits=10_000, timeout_seconds=limit_seconds
        ) as source:
            app.state.services = SimpleNamespace(log_source=source)
            yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(router)
    add_error_pages(app)
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[httpx.Client, ElasticsearchServer]]:
    with ExitStack() as stack:
        server = stack.enter_context(running_elasticsearch())
        yield stack.enter_context(fetching_from(server.url)), server


@pytest.fixture
def client(running: tuple[httpx.Client, ElasticsearchServer]) -> httpx.Client:
    return running[0]


@pytest.fixture
def store(running: tuple[httpx.Client, ElasticsearchServer]) -> Iterator[ElasticsearchServer]:
    store = running[1]
    yield store
    store.documents.clear()
    store.asked.clear()
    store.always = None


def test_messages_are_one_json_string_oldest_first(
    client: httpx.Client, store: ElasticsearchServer
):
    store.add("second", seconds_ago=3)
    store.add("first", seconds_ago=4)
    store.add("long ago", seconds_ago=40)

    answer = client.get("/fetchlogs")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == "first\nsecond"


def test_interval_and_pattern_select(client: httpx.Client, store: ElasticsearchServer):
    store.add("ERROR long ago", "INFO long ago", "WARN ago", seconds_ago=40)

    asked = {"pull_interval": " 060 ", "filter_pattern": "error or warn"}

    assert client.get("/fetchlogs", params=asked).json() == "ERROR long ago\nWARN ago"


def test_nothing_found_is_204_without_a_body(client: httpx.Client, store: ElasticsearchServer):
    answer = client.get("/fetchlogs")

    assert (answer.status_code, answer.content) == (204, b"")


def test_more_than_a_page_arrives_whole(client: httpx.Client, store: ElasticsearchServer):
    messages = [f"message {number}" for number in range(250)]
    store.add(*messages, seconds_ago=5)

    assert client.get("/fetchlogs").json().split("\n") == messages


def test_secrets_do_not_leave(client: httpx.Client, store: ElasticsearchServer):
    store.add("login failed password=hunter2-of-the-shop for admin")

    text = client.get("/fetchlogs").json()

    assert "hunter2-of-the-shop" not in text
    assert text.startswith("login failed password=")


@pytest.mark.parametrize(
    "interval", ["0", "-5", "ten", "", "1.5", "1e3", "1_0", "٣", "99999999", "2678401", "1;2"]
)
def test_an_unusable_interval_is_the_callers_fault(
    client: httpx.Client, store: ElasticsearchServer, interval: str
):
    answer = client.get("/fetchlogs", params={"pull_interval": interval})

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("Invalid pull_interval: ")
    assert store.asked == []


def test_a_pattern_that_does_not_parse_is_the_callers_fault(
    client: httpx.Client, store: ElasticsearchServer
):
    answer = client.get("/fetchlogs", params={"filter_pattern": 'message:"open'})

    assert answer.status_code == 400
    assert answer.json() == {
        "detail": 'Invalid filter_pattern: Failed to parse query [message:"open]'
    }


def test_an_endless_pattern_is_refused(client: httpx.Client, store: ElasticsearchServer):
    pattern = "x" * (MOST_PATTERN_CHARACTERS + 1)

    answer = client.get("/fetchlogs", params={"filter_pattern": pattern})

    assert answer.status_code == 422
    assert store.asked == []


@pytest.mark.parametrize(
    ("fault", "status", "sentence"),
    [
        (Fault(401), 502, "refused the credentials"),
        (Fault(500, b"oops", content_type="text/plain"), 502, "answered 500"),
    ],
)
def test_a_failing_store_is_never_an_empty_answer(
    client: httpx.Client, store: ElasticsearchServer, fault: Fault, status: int, sentence: str
):
    store.always = fault

    answer = client.get("/fetchlogs")

    assert answer.status_code == status
    assert sentence in answer.json()["detail"]


def test_a_silent_store_is_a_timeout(store: ElasticsearchServer):
    store.always = Fault(is_silent=True)

    with fetching_from(store.url, limit_seconds=0.5) as client:
        answer = client.get("/fetchlogs")

    assert answer.status_code == 504
    assert "did not answer within 0.5 s" in answer.json()["detail"]


def test_without_a_store_the_answer_says_which_setting_is_missing():
    with fetching_from(None) as client:
        answer = client.get("/fetchlogs")

    assert answer.status_code == 502
    assert answer.json()["detail"].startswith("ELASTICSEARCH_URL is not set")
