"""The page in a real browser, against the real product: what a person does and sees."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.browser import MARKS, PHONE, watched_page
from tests.fakes.gemini_server import BAD_KEY, KEY, running_gemini
from tests.fakes.servers import RunningProduct, running_product
from tests.fakes.stream import read_stream, start_workflow

SAMPLES = Path(__file__).parents[2] / "data" / "samples"
STREAM = re.compile(r"/stream(\?|$)")
UNTIL_CLOSED = """path => new Promise(done => {
    const source = new EventSource(path);
    source.onerror = () => source.readyState === EventSource.CLOSED && done();
})"""
HOSTILE = """\
2026-11-20T10:00:00Z ERROR checkout-api <img src=x onerror="window.ran=1"> cannot connect
2026-11-20T10:00:01Z ERROR checkout-api </textarea><script>window.ran=2</script> OOMKilled
2026-11-20T10:00:02Z FATAL pod checkout-api-7d9f "onmouseover=window.ran=3 javascript:window.ran=4
Last State: Terminated  Reason: OOMKilled  Exit Code: 137
"""

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    with running_product(tmp_path_factory.mktemp("product"), MAX_BODY_MIB="1") as running:
        yield running


@pytest.fixture(scope="module")
def finished(product: RunningProduct) -> str:
    """A workflow that has run to its end."""
    workflow_id = start_workflow(product.url, (SAMPLES / "oom-killed.log").read_bytes())
    read_stream(product.url, workflow_id)
    return workflow_id


def test_from_logs_over_approval_and_rating_to_the_figures(page: Page, product: RunningProduct):
    investigate_out_of_memory(page, product)

    expect(page.locator(".stop-done")).to_have_count(4)
    expect(page.get_by_text("Evidence in the logs").first).to_be_visible()
    expect(page.locator(".command").filter(has_text="kubectl").first).to_be_visible()
    decision = page.locator("section", has_text="Decision and rating").locator("article").first
    expect(decision.get_by_text("Waiting for a decision")).to_be_visible()

    with watched_page(page.context.browser) as approvals:  # type: ignore[arg-type]
        approve(approvals, decision.get_by_role("link").get_attribute("href") or "")
    expect(decision.get_by_text("Approved")).to_be_visible()
    became = page.locator("section", has_text="What became of it")
    expect(became.get_by_text("Recorded, not run").first).to_be_visible()
    expect(became.get_by_text("Approved and recorded; nothing was run.")).to_be_visible()
    expect(became.get_by_text("Not measured")).to_be_visible()

    decision.get_by_role("radio", name="5 Exactly right").check()
    decision.get_by_role("radio", name="Yes").check()
    decision.get_by_label("Comment").fill("Right cause <b>at once</b>")
    with page.expect_request("**/feedback/submit") as sent:
        decision.get_by_role("button", name="Send rating").click()
    expect(decision.locator(".good-text")).to_be_visible()
    body = sent.value.post_data_json or {}
    assert set(body) == {"feedback_id", "rating", "was_helpful", "feedback_comments"}

    investigate_out_of_memory(page, product)
    learned = page.locator("section", has_text="Learned from earlier decisions")
    expect(learned.get_by_text("Followed").first).to_be_visible()
    expect(learned.get_by_text("Right cause <b>at once</b>").first).to_be_visible()

    page.get_by_role("link", name="Statistics").click()
    approved = page.locator(".tile", has_text="Commands approved").locator("dd")
    expect(approved).to_have_text(re.compile(r"^[1-9]\d*$"))
    sure = page.locator(".tile", has_text="Approval rate").locator("dd").nth(1)
    expect(sure).to_have_text(re.compile(r"^95 %: \d+ to 100 %$"))
    expect(page.get_by_role("table", name="Examples in use")).to_contain_text("1 plan to follow")
    expect(page.locator("section", has_text="Does learning help?")).to_contain_text(
        "nothing can be told"
    )
    page.get_by_text("Point by point").click()
    expect(page.get_by_role("img", name="After 1 decided plan")).to_be_visible()
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("table", name="Learning curve").locator("tbody td")).to_have_text(
        ["1", re.compile(r"\d"), "100 %", "100 %", re.compile(r"^\d\.\d\d$")]
    )
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("row")).not_to_have_count(0)


def investigate_out_of_memory(page: Page, product: RunningProduct) -> None:
    page.goto(f"{product.url}/ui/")
    page.get_by_role("button", name="Worker killed for its memory").click()
    page.get_by_role("button", name="Investigate").click()
    expect(page.get_by_text("Workflow completed successfully")).to_be_visible()


def approve(approvals: Page, address: str) -> None:
    approvals.goto(address)
    request = approvals.locator(f"[id='{urlsplit(address).fragment}']")
    request.get_by_role("button", name="Approve selected").click()
    for box in request.get_by_role("checkbox").all():
        box.check()
    request.get_by_role("button", name="Yes, approve").click()
    expect(request).to_have_count(0)


def test_markup_in_logs_stays_text(page: Page, product: RunningProduct):
    page.goto(product.url)
    page.get_by_label("Logs").fill(HOSTILE)
    page.get_by_role("button", name="Investigate").click()

    expect(page.get_by_role("status").get_by_text("Workflow c")).to_be_visible()
    expect(page.get_by_text('<img src=x onerror="window.ran=1">').first).to_be_visible()
    page.get_by_role("link", name="History").click()
    expect(page.locator("td").first).to_be_visible()
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("window.ran") is None


def test_the_whole_way_with_the_keyboard(page: Page, product: RunningProduct):
    page.goto(product.url)
    expect(page.locator(".sample").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Logs")).to_be_focused()
    page.keyboard.type("ERROR shop-api OOMKilled exit code 137")
    page.keyboard.press("Control+Enter")

    expect(page.locator("h1")).to_be_focused()
    expect(page.get_by_role("status").get_by_text("Workflow c")).to_be_visible()
    page.keyboard.press("h")
    expect(page.locator("h1")).to_have_text("History")
    expect(page.locator("td a").first).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.locator("td a").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").get_by_text("Workflow c")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_never_scrolls_sideways(
    browser: Browser, product: RunningProduct, finished: str, scheme: str
):
    with watched_page(browser, viewport=PHONE, color_scheme=scheme) as page:
        for view in ("", "history", "statistics", f"workflows/{finished}"):
            page.goto(f"{product.url}/ui/#/{view}")
            expect(page.locator("main .card, main table, main .tile").first).to_be_visible()
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], view


def test_a_finished_workflow_is_read_once_and_the_stream_closed(
    page: Page, product: RunningProduct, finished: str
):
    streams: list[str] = []
    page.on("request", lambda request: streams.append(request.url))

    page.goto(f"{product.url}/ui/#/workflows/{finished}")
    expect(page.get_by_text("Workflow completed successfully")).to_be_visible()
    assert len([address for address in streams if STREAM.search(address)]) == 1

    page.goto("about:blank")
    page.goto(f"{product.url}/ui/")
    streams.clear()
    page.evaluate(UNTIL_CLOSED, f"/api/v1/workflows/{finished}/stream")
    assert len([address for address in streams if STREAM.search(address)]) <= 2


def test_healthy_logs_are_shown_as_healthy(page: Page, product: RunningProduct):
    page.goto(product.url)
    page.get_by_role("button", name="Healthy service").click()
    page.get_by_role("button", name="Investigate").click()

    expect(page.locator(".banner-good")).to_contain_text("No errors or warnings found")
    expect(page.locator(".stop", has_text="Not needed")).to_have_count(3)


def test_a_failure_is_shown_as_a_failure(browser: Browser, tmp_path: Path):
    with (
        running_gemini(always=BAD_KEY) as gemini,
        running_product(tmp_path, GOOGLE_API_KEY=KEY, GEMINI_BASE_URL=gemini.url) as product,
        watched_page(browser) as page,
    ):
        page.goto(product.url)
        page.get_by_label("Logs").fill("ERROR it broke")
        page.get_by_role("button", name="Investigate").click()

        expect(page.locator(".banner-bad:visible")).to_contain_text("Gemini refused the API key")
        expect(page.locator(".stop", has_text="Failed")).to_have_count(1)
        expect(page.locator(".stop", has_text="Not reached")).to_have_count(3)
        assert page.locator(".banner-good").count() == 0
        page.reload()
        expect(page.locator("#status")).to_contain_text("Degraded")


def test_a_file_is_sent_as_it_is_and_one_that_is_too_large_is_refused(
    page: Page, product: RunningProduct, tmp_path: Path
):
    large = tmp_path / "large.log"
    large.write_bytes(b"ERROR\n" * 200_000)
    page.goto(product.url)
    page.get_by_label("Choose a file").set_input_files(large)
    page.get_by_role("button", name="Investigate").click()
    expect(page.get_by_role("alert")).to_contain_text("at most 1 MiB")

    page.get_by_label("Choose a file").set_input_files(SAMPLES / "image-pull.log")
    page.get_by_role("button", name="Investigate").click()
    expect(page.get_by_role("status").get_by_text("Workflow c")).to_be_visible()


def test_an_unknown_workflow_is_said_to_be_unknown(page: Page, product: RunningProduct):
    page.goto(f"{product.url}/ui/#/workflows/00000000-0000-4000-8000-000000000000")

    expect(page.locator(".banner-bad:visible")).to_contain_text("cannot be shown")


@pytest.mark.parametrize(
    ("path", "shown"), [("/docs", ".opblock"), ("/redoc", "section.card table")]
)
def test_the_api_pages_need_no_internet(page: Page, product: RunningProduct, path: str, shown: str):
    page.goto(product.url + path)

    expect(page.locator(shown).first).to_be_visible()
    expect(page.get_by_text("/api/v1/workflows/start").first).to_be_visible()


def test_what_was_taken_back_is_shown_under_what_became_of_it(page: Page, product: RunningProduct):
    workflow_id = start_workflow(product.url, (SAMPLES / "oom-killed.log").read_bytes())
    read_stream(product.url, workflow_id)
    api = f"{product.url}/api/v1/feedback"
    [plan] = httpx.get(f"{api}/workflow/{workflow_id}").json()["feedback_opportunities"]
    command = {"command": "kubectl scale deploy/a -n b", "decision": "approved"}
    ended = {**command, "status": "succeeded", "undo_status": "succeeded"}
    for kind in ("executed", "undone"):
        report = {"approval_id": plan["approval_id"], "status": "approved", "commands": [ended]}
        told = {**report, "type": f"approval.{kind}", "is_final": True}
        assert httpx.post(f"{api}/mcp-approval", json=told).status_code == 200

    page.goto(f"{product.url}/ui/#/workflows/{workflow_id}")

    became = page.locator("section", has_text="What became of it")
    expect(became.get_by_text("Taken back")).to_be_visible()
    expect(page.get_by_text("The connection was lost")).to_have_count(0)
