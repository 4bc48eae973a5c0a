"""The browser's own EventSource, without any script of ours around it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from app.domain.events import EventType
from tests.conftest import StartProduct
from tests.fakes.gemini_server import KEY, Canned, running_gemini
from tests.fakes.servers import RunningProduct
from tests.fakes.sse_reader import opened, stream_path
from tests.fakes.stream import read_stream, start_workflow

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-dev-shm-usage"]
SAMPLE = Path(__file__).parents[2] / "data" / "samples" / "oom-killed.log"
WAIT_LIMIT_MS = 40_000
OPEN = """([path, names]) => {
    window.seen = [];
    window.source = new EventSource(path);
    const keep = (message) => window.seen.push(message.lastEventId);
    for (const name of names) window.source.addEventListener(name, keep);
}"""
IS_CLOSED = "window.source.readyState === EventSource.CLOSED"
NAMES = ["message", *(name for name in EventType if name is not EventType.STATUS)]

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not CHROMIUM.exists() and os.environ.get("CI") != "true",
        reason="needs /usr/bin/chromium: apt-get install chromium",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(WAIT_LIMIT_MS)
    yield context.new_page()
    context.close()


def watch(page: Page, product: RunningProduct, workflow_id: str) -> list[str]:
    """Open a source on an empty page of the product; gives the requests that it makes."""
    path, requests = stream_path(workflow_id), list[str]()
    page.goto(f"{product.url}/health")
    page.on("request", lambda request: requests.append(request.url))
    page.evaluate(OPEN, [path, NAMES])
    return requests


def ids_of(product: RunningProduct, workflow_id: str) -> list[str]:
    return [message.id for message in read_stream(product.url, workflow_id)]


def test_a_finished_workflow_is_asked_for_twice_at_most_and_the_source_closes(
    page: Page, start_product: StartProduct
):
    product = start_product()
    workflow_id = start_workflow(product.url, SAMPLE.read_bytes())
    everything = ids_of(product, workflow_id)

    requests = watch(page, product, workflow_id)
    page.wait_for_function(IS_CLOSED)

    assert len(requests) <= 2
    assert page.evaluate("window.seen") == everything


@pytest.mark.parametrize("end", [RunningProduct.terminate, RunningProduct.kill])
def test_a_source_goes_on_by_itself_when_the_server_comes_back(
    page: Page, start_product: StartProduct, end: Callable[[RunningProduct], object]
):
    with running_gemini(always=Canned(is_silent=True)) as gemini:
        engine = {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": gemini.url}
        first = start_product(**engine)
        ports = {"PORT": str(first.port), "APPROVAL_PORT": str(first.approval_port)}
        workflow_id = start_workflow(first.url, SAMPLE.read_bytes())
        requests = watch(page, first, workflow_id)
        page.wait_for_function("window.seen.length > 1")

        end(first)
        page.wait_for_function("window.source.readyState === EventSource.CONNECTING")
        gemini.always = None
        second = start_product(**engine, **ports)
        page.wait_for_function(IS_CLOSED)

    assert len(requests) > 2
    seen = page.evaluate("window.seen")
    assert seen == ids_of(second, workflow_id)
    assert ends_of(second, workflow_id) == [seen[-1]]


def ends_of(product: RunningProduct, workflow_id: str) -> list[str]:
    """The ids of events that end a workflow for its clients."""
    with opened(product.port, stream_path(workflow_id)) as answer:
        return [event.id for event in answer.events() if '"outcome":{' in event.data]
