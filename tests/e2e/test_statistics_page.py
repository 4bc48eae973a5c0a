"""The statistics page over a team's past: what it says, on a phone, in the dark, with the keyboard."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from app.learning.actions import planned_command
from app.learning.holdout import draw
from tests.fakes.browser import MARKS, PHONE, running_browser, watched_page
from tests.fakes.past import Past, avoid
from tests.fakes.servers import RunningProduct, running_product
from tests.fakes.stream import read_stream, start_workflow

OUT_OF_MEMORY = b"ERROR checkout-api OOMKilled: exit code 137, memory limit reached\n"
SHARE = 0.5
LOOK = planned_command("kubectl get pods -n shop")
CHANGE = planned_command("kubectl rollout restart deployment/x -n shop")
MOST_WORKFLOWS = 40
IS_DRAWN = """async image => {
    await image.decode();
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const pen = canvas.getContext('2d');
    pen.drawImage(image, 0, 0);
    const colours = new Set();
    const pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
    for (let at = 0; at < pixels.length; at += 4) {
        if (pixels[at + 3] === 255) colours.add([pixels[at], pixels[at + 1], pixels[at + 2]].join());
    }
    return [...colours];
}"""
LINE = {"light": "26,87,181", "dark": "134,180,255"}

pytestmark = MARKS


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    root = tmp_path_factory.mktemp("statistics")
    past = Past()
    past.experiment(600, guided=0.85, held_out=0.35, share=0.2)
    past.plan("odd", (0, 2), mode="<b>odd</b>", shown=[avoid("w1_remediation_1")])
    past.write(root / "data" / "feedback" / "remediation_feedback.jsonl")
    with running_product(root, HOLDOUT_SHARE=str(SHARE)) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as started:
        yield started


@pytest.fixture
def page(browser: Browser, product: RunningProduct) -> Iterator[Page]:
    with watched_page(browser) as opened:
        opened.goto(f"{product.url}/ui/#/statistics")
        yield opened


def test_the_lift_is_one_sentence_with_its_figures_behind_it(page: Page):
    lift = page.locator("section", has_text="Does learning help?")

    expect(lift.locator(".banner-good")).to_contain_text("What was learned raises approval by ")
    expect(lift.locator(".banner-good")).to_contain_text("it holds however often one looks")
    expect(lift).to_contain_text(
        re.compile(r"The difference, \+\d+ points, is adjusted for which incidents each group ")
    )
    lift.get_by_text("The same from the recorded probabilities").click()
    rows = page.get_by_role("table", name="Off-policy estimates").locator("tbody tr")
    expect(rows).to_have_count(4)
    expect(rows.first).to_contain_text("Always with what was learned")


def test_too_few_workflows_are_said_to_be_too_few(browser: Browser, tmp_path: Path):
    past = Past()
    past.experiment(12, guided=0.9, held_out=0.4, share=0.2)
    past.write(tmp_path / "data" / "feedback" / "remediation_feedback.jsonl")
    with running_product(tmp_path) as young, watched_page(browser) as page:
        page.goto(f"{young.url}/ui/#/statistics")
        lift = page.locator("section", has_text="Does learning help?")
        expect(lift.locator(".banner-info")).to_contain_text(
            re.compile(r"^Not known yet12 workflows \(\d held out\) are too few to tell")
        )
        expect(lift).to_contain_text(
            re.compile(r"the plain difference of the two averages is \S+ points\.")
        )
        lift.get_by_text("The same from the recorded probabilities").click()
        rows = page.get_by_role("table", name="Off-policy estimates").locator("tbody tr")
        expect(rows.last).to_contain_text("too few yet")


def test_rates_are_shown_with_intervals_and_names_stay_text(page: Page):
    table = page.get_by_role("table", name="Approval rate by failure")

    expect(table.locator("tbody tr")).to_have_count(4)
    odd = table.locator("tr", has_text="<b>odd</b>")
    expect(odd.locator("td").last).to_have_text(re.compile(r"^0 % \(0 to \d+ %\)$"))
    page.locator("summary", has_text="By week").click()
    weeks = page.get_by_role("table", name="Approval rate by week").locator("tbody tr")
    expect(weeks.last).to_contain_text("2030-W01")


def test_examples_are_shown_with_how_their_plans_fared(page: Page):
    rows = page.get_by_role("table", name="Examples in use").locator("tbody tr")

    expect(rows.first).to_contain_text(re.compile(r"\d+ plans to follow"))
    expect(rows.last).to_contain_text("1 plan to avoid")


def test_the_curve_and_its_words_are_about_changing_commands_over_one_window(
    browser: Browser, tmp_path: Path
):
    past = Past()
    for number in range(40):
        past.plan(f"plan-{number}", (2, 0) if number < 10 else (1, 1), commands=[LOOK, CHANGE])
    past.write(tmp_path / "data" / "feedback" / "remediation_feedback.jsonl")
    with running_product(tmp_path) as careful, watched_page(browser) as page:
        page.goto(f"{careful.url}/ui/#/statistics")
        curve = page.locator("section", has=page.get_by_role("heading", name="Learning curve"))
        expect(curve).to_contain_text(
            "Over the last 20 decided plans: 0 % of the changing commands were approved "
        )
        expect(curve).to_contain_text("average reward 0.00.")
        curve.get_by_text("Point by point").click()
        expect(curve.locator("output")).to_contain_text("changing commands approved 0 %,")
        tile = page.locator(".tile", has_text="Changes approved")
        expect(tile).to_contain_text("25 %")
        page.goto(f"{careful.url}/api/v1/feedback/learning-curve.svg")
        told = page.locator("desc").text_content() or ""
        assert told.startswith(
            "After 40 decided plans, over the last 20: 0 % of the changing commands approved "
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_curve_is_drawn_in_the_colours_of_the_page(
    browser: Browser, product: RunningProduct, scheme: str
):
    with watched_page(browser, color_scheme=scheme) as page:
        page.goto(f"{product.url}/ui/#/statistics")
        picture = page.get_by_role("img", name="Learning curve with the interval of its main line")
        expect(picture).to_be_visible()
        assert LINE[scheme] in picture.evaluate(IS_DRAWN)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_is_a_document_of_its_own_that_breaks_no_policy(
    browser: Browser, product: RunningProduct, scheme: str
):
    with watched_page(browser, color_scheme=scheme) as page:
        page.goto(f"{product.url}/api/v1/feedback/learning-curve.svg")
        colour = page.evaluate("getComputedStyle(document.querySelector('.changes')).stroke")
        assert colour.replace(" ", "") == f"rgb({LINE[scheme]})"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_nothing_is_cut_off(browser: Browser, product: RunningProduct, scheme: str):
    with watched_page(browser, viewport=PHONE, color_scheme=scheme) as page:
        page.goto(f"{product.url}/ui/#/statistics")
        expect(page.get_by_role("table", name="Examples in use")).to_be_visible()
        expect(page.locator(".picture img")).to_be_visible()
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_every_folded_part_opens_with_the_keyboard(page: Page):
    expect(page.get_by_role("table", name="Examples in use")).to_be_visible()
    folded = page.locator("summary", has_text="By environment")
    folded.focus()
    page.keyboard.press("Enter")

    expect(page.get_by_role("table", name="Approval rate by environment")).to_be_visible()


def test_a_held_out_workflow_says_that_it_is(page: Page, product: RunningProduct):
    started = (start_workflow(product.url, OUT_OF_MEMORY) for _ in range(MOST_WORKFLOWS))
    held_out = next(workflow_id for workflow_id in started if draw(workflow_id) < SHARE)
    read_stream(product.url, held_out)
    page.goto(f"{product.url}/ui/#/workflows/{held_out}")

    learned = page.locator("section", has_text="Learned from earlier decisions")
    expect(learned.locator(".banner-info")).to_contain_text("This workflow is in the holdout")
