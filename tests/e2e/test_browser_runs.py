"""A run as the page shows it: waiting, written, cancelled, cut off, and told again."""

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.conftest import StartProduct
from tests.fakes.browser import MARKS, PHONE, watched_page
from tests.fakes.gemini_answers import plausible_answer
from tests.fakes.gemini_server import KEY, Canned, GeminiServer, answered, running_gemini
from tests.fakes.servers import RunningProduct, running_product
from tests.fakes.stream import follow_stream, read_stream, start_workflow

LOGS = b"INFO cart starts\nFATAL deployment/cart -n shop: config key PORT is missing\n"
STREAM = re.compile(r"/stream(\?|$)")
SILENT = Canned(is_silent=True)
LOST = "Connecting again"

pytestmark = MARKS


@pytest.fixture(scope="module")
def running_fake() -> Iterator[GeminiServer]:
    with running_gemini() as running:
        yield running


@pytest.fixture
def gemini(running_fake: GeminiServer) -> GeminiServer:
    running_fake.reset()
    return running_fake


@pytest.fixture(scope="module")
def running(
    running_fake: GeminiServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProduct]:
    """One workflow at a time."""
    settings = engine(running_fake) | {"MAX_CONCURRENT_WORKFLOWS": "1"}
    with running_product(tmp_path_factory.mktemp("runs"), **settings) as started:
        yield started


@pytest.fixture
def product(running: RunningProduct, gemini: GeminiServer) -> Iterator[RunningProduct]:
    """With nothing left to do when a test is over."""
    yield running
    page = httpx.get(f"{running.url}/api/v1/workflows").json()
    left = [one["workflow_id"] for one in page["workflows"] if one["finished_at"] is None]
    for workflow_id in left:
        cancel(running, workflow_id)
        read_stream(running.url, workflow_id)


def engine(gemini: GeminiServer) -> dict[str, str]:
    return {"GOOGLE_API_KEY": KEY, "GEMINI_BASE_URL": gemini.url, "GEMINI_MODEL_ID": "gemini-test"}


def first_agent_answers(gemini: GeminiServer) -> None:
    """Monitoring gets an answer, whoever asks after it waits."""

    def answer(body: dict[str, object]) -> Canned:
        found = plausible_answer(body)
        return answered(json.dumps(found)) if "errors" in found else SILENT

    gemini.answer = answer


def started(product: RunningProduct) -> str:
    """A workflow at work."""
    workflow_id = start_workflow(product.url, LOGS)
    for message in follow_stream(product.url, workflow_id):
        if message.data["agent_name"] == "MonitoringAgent":
            return workflow_id
    raise AssertionError("it never began")


def cancel(product: RunningProduct, workflow_id: str) -> None:
    httpx.post(f"{product.url}/api/v1/workflows/{workflow_id}/cancel").raise_for_status()


def show(page: Page, product: RunningProduct, workflow_id: str) -> None:
    page.goto(f"{product.url}/ui/#/workflows/{workflow_id}")


def test_who_waits_sees_the_place_in_the_queue(
    page: Page, product: RunningProduct, gemini: GeminiServer
):
    gemini.always = SILENT
    running = started(product)
    first, second = (start_workflow(product.url, LOGS) for _ in range(2))

    show(page, product, second)
    expect(page.get_by_text("Waiting: 2nd in the queue")).to_be_visible()
    cancel(product, first)
    cancel(product, running)

    expect(page.locator(".stop-working")).to_have_count(1)
    expect(page.get_by_text("in the queue")).to_be_hidden()
    expect(page.get_by_text("Running", exact=True)).to_be_visible()


def test_cancelling_with_the_keyboard_asks_first_and_keeps_what_was_found(
    page: Page, product: RunningProduct, gemini: GeminiServer
):
    first_agent_answers(gemini)
    show(page, product, start_workflow(product.url, LOGS))
    expect(page.locator(".stop-done")).to_have_count(1)

    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep it running")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    ended = page.locator(".banner", has_text="Cancelled: a partial result")
    expect(ended).to_contain_text("1 error")
    expect(page.locator("h1")).to_be_focused()
    expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    expect(page.locator(".stop", has_text="Stopped")).to_have_count(1)
    expect(page.locator(".stop", has_text="Not reached")).to_have_count(2)
    expect(page.locator("section", has_text="Findings")).to_contain_text("config key PORT")
    page.keyboard.press("h")
    expect(page.locator("td").first).to_have_text("Cancelled")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_cancelling_on_a_phone(
    browser: Browser, product: RunningProduct, gemini: GeminiServer, scheme: str
):
    gemini.always = SILENT
    workflow_id = started(product)

    with watched_page(browser, viewport=PHONE, has_touch=True, color_scheme=scheme) as page:
        show(page, product, workflow_id)
        page.get_by_role("button", name="Cancel").tap()
        expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        page.get_by_role("button", name="Yes, cancel it").tap()

        expect(page.locator(".banner-warn:visible")).to_contain_text("There is no result yet")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert read_stream(product.url, workflow_id)[-1].data["outcome"]["state"] == "cancelled"


def test_what_the_model_writes_is_seen_before_it_has_ended_and_then_what_it_cost(
    page: Page, product: RunningProduct, gemini: GeminiServer
):
    found = {"errors": [{"message": "The port is <b>not</b> set. " + "And so on. " * 20}]}
    text = json.dumps({"summary": {}, **found, "warnings": []})
    gemini.script.append(Canned(body=answered(text).body, is_held=True))
    gemini.pause_seconds = 0.25
    workflow_id = start_workflow(product.url, LOGS)

    show(page, product, workflow_id)
    expect(page.locator(".stop-tail:visible")).to_contain_text("And so on.")
    assert page.locator(".stop-tail b").count() == 0
    gemini.pause_seconds = 0
    gemini.release()

    cost = page.locator("dt", has_text="Tokens").locator("xpath=following-sibling::dd")
    expect(page.get_by_text("Workflow completed successfully")).to_be_visible()
    expect(cost).to_have_text("2,100 read, 126 written; 3 requests to gemini-test")
    expect(page.locator(".stop-tail:visible")).to_have_count(0)
    page.reload()
    expect(page.get_by_text("Workflow completed successfully")).to_be_visible()
    expect(cost).to_have_text("2,100 read, 126 written; 3 requests to gemini-test")


def test_what_hides_in_a_command_is_shown_by_its_number(
    page: Page, product: RunningProduct, gemini: GeminiServer
):
    def answer(body: dict[str, object]) -> Canned:
        text = json.dumps(plausible_answer(body), ensure_ascii=False)
        return answered(text.replace("kubectl rollout", "kubectl \u202erollout"))

    gemini.answer = answer

    show(page, product, start_workflow(product.url, LOGS))

    expect(page.get_by_text("Refused by the command policy")).to_be_visible()
    for place in ("pre.command", ".rail"):
        expect(page.locator(f"{place} .hidden-character").first).to_have_text("U+202E")
    assert "\u202e" not in page.locator("body").inner_text()


def test_a_broken_attempt_is_not_taken_for_the_answer(
    page: Page, product: RunningProduct, gemini: GeminiServer
):
    broken = json.dumps({"errors": [{"message": "A guess that came to nothing. " * 3}]})
    gemini.script.extend([answered(broken, None), SILENT])

    show(page, product, start_workflow(product.url, LOGS))

    expect(page.get_by_text("Trying again")).to_be_visible()
    expect(page.locator(".stop-tail:visible")).to_have_count(0)


def decided(product: RunningProduct) -> tuple[str, int]:
    """A workflow of which all is known, and the number of the agents' last event."""
    workflow_id = start_workflow(product.url, LOGS)
    last = read_stream(product.url, workflow_id)[-1].data
    for proposal in last["outcome"]["proposals"]:
        approval = f"{product.approval_url}/api/approvals/{proposal['approval_id']}"
        httpx.post(f"{approval}/reject", json={"reason": "no"}).raise_for_status()
    assert [*follow_stream(product.url, workflow_id, until="outcome")]
    return workflow_id, last["seq"]


def test_a_stream_that_was_refused_is_opened_again_and_shows_each_event_once(
    page: Page, product: RunningProduct
):
    workflow_id, _ = decided(product)
    refusals = [503, 502]

    def refuse_then_repeat(route: Route) -> None:
        if refusals:
            route.fulfill(status=refusals.pop())
            return
        answer = route.fetch()
        *blocks, last, _ = answer.text().split("\n\n")
        route.fulfill(response=answer, body="\n\n".join([*blocks, *blocks, last, ""]))

    page.route(STREAM, refuse_then_repeat)
    show(page, product, workflow_id)

    expect(page.get_by_text(LOST)).to_be_visible()
    expect(page.get_by_text("Workflow completed successfully")).to_be_visible()
    expect(page.get_by_text(LOST)).to_be_hidden()
    expect(page.get_by_text("AnalysisAgent received")).to_have_count(1)


@dataclass(frozen=True)
class Interrupted:
    """A half done workflow in sight whose server has gone, and what brings that back."""

    product: RunningProduct
    workflow_id: str
    settings: dict[str, str]


def interrupted(page: Page, start_product: StartProduct, gemini: GeminiServer) -> Interrupted:
    first_agent_answers(gemini)
    product = start_product(**engine(gemini))
    workflow_id = started(product)
    show(page, product, workflow_id)
    expect(page.locator(".stop-working", has_text="AnalysisAgent received")).to_have_count(1)
    product.terminate()
    expect(page.get_by_text(LOST)).to_be_visible()
    gemini.reset()
    ports = {"PORT": str(product.port), "APPROVAL_PORT": str(product.approval_port)}
    return Interrupted(product, workflow_id, engine(gemini) | ports)


def expect_each_event_once(page: Page, run: Interrupted) -> None:
    expect(page.get_by_text("Workflow completed successfully")).to_be_visible()
    expect(page.get_by_text(LOST)).to_be_hidden()
    expect(page.locator(".stop-done")).to_have_count(4)
    messages = read_stream(run.product.url, run.workflow_id)
    begun = Counter(m.data["data"] for m in messages if "Agent received" in m.data["data"])
    for sentence, times in begun.items():
        expect(page.get_by_text(sentence)).to_have_count(times)
    asked = sum(json.loads(m.data["data"])["attempts"] for m in messages if m.event == "usage")
    expect(page.get_by_text(f"{asked} requests to gemini-test")).to_be_visible()


def test_a_page_goes_on_by_itself_over_a_restart_of_the_server(
    page: Page, start_product: StartProduct, gemini: GeminiServer
):
    run = interrupted(page, start_product, gemini)

    start_product(**run.settings)

    expect_each_event_once(page, run)
    expect(page.get_by_text("has changed")).to_be_hidden()


def test_a_log_that_was_replaced_is_said_to_be_and_shown_anew(
    page: Page, start_product: StartProduct, gemini: GeminiServer
):
    run = interrupted(page, start_product, gemini)
    give_new_epoch(run.product.data_dir / "workflows.sqlite")

    start_product(**run.settings)

    expect(page.get_by_text("log of this workflow has changed")).to_be_visible()
    expect_each_event_once(page, run)


def give_new_epoch(path: Path) -> None:
    """As restoring a backup does."""
    database = sqlite3.connect(path)
    with database:
        changed = database.execute("UPDATE meta SET value = 'restored' WHERE key = 'epoch'")
    database.close()
    assert changed.rowcount == 1


def test_events_that_are_not_kept_any_more_are_not_passed_off_as_needless_agents(
    page: Page, product: RunningProduct
):
    workflow_id, end = decided(product)
    reset = {"type": "reset", "reason": "they were removed", "first_seq": end}

    def forget_all_but_the_last(route: Route) -> None:
        answer = route.fetch()
        blocks = answer.text().split("\n\n")
        (kept,) = (place for place, block in enumerate(blocks) if f'"seq":{end},' in block)
        rest = "\n\n".join(blocks[kept:])
        body = f"event: reset\ndata: {json.dumps(reset)}\n\n{rest}"
        route.fulfill(response=answer, body=body)

    page.route(STREAM, forget_all_but_the_last)
    show(page, product, workflow_id)

    lost = end - 1
    expect(page.get_by_text(f"The first {lost} events of this workflow")).to_be_visible()
    expect(page.locator(".stop", has_text="Not kept")).to_have_count(4)
    expect(page.locator(".banner").get_by_text("Workflow completed")).to_be_visible()
