"""Lessons in the real product: told in the stream, switched on the page, below the policy."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.adapters.storage.feedback_jsonl import FEEDBACK_FILE
from app.domain.approval import CommandDecision, CommandVerdict
from tests.fakes.browser import MARKS, running_browser, watched_page
from tests.fakes.feedback import analysis_of, open_learning, plan_of, report_of
from tests.fakes.servers import REPOSITORY, RunningProduct, running_product
from tests.fakes.stream import Message, read_stream, start_workflow

RAISE_LIMIT = "kubectl set resources deployment/thumbnailer --limits=memory=1Gi -n media"
LESSON = (
    "Where the environment is unknown, set resources of a deployment was approved 5 of 5 times."
)
SMALLER = RAISE_LIMIT.replace("1Gi", "600Mi")
ONLY_LOOK = "verbs: {media: [get, describe, logs, top, events, rollout status]}\n"
SAMPLE = REPOSITORY / "data" / "samples" / "oom-killed.log"

pytestmark = MARKS


async def approve_five_times(path: Path) -> None:
    """The last time with an edit."""
    edited = CommandVerdict(command=RAISE_LIMIT, decision=CommandDecision.EDITED, edited_to=SMALLER)
    analysis = analysis_of(namespace="media", service="thumbnailer")
    async with open_learning(path) as learning:
        for number in range(5):
            _, approval_id = await learning.plan(number, plan_of(RAISE_LIMIT), analysis)
            commands = [edited] if number == 4 else []
            await learning.recorder.hear(report_of(approval_id, commands=commands))


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProduct]:
    root = tmp_path_factory.mktemp("product")
    asyncio.run(approve_five_times(root / "data" / FEEDBACK_FILE))
    (root / "team.yaml").write_text(ONLY_LOOK)
    with running_product(root, POLICY_FILE="team.yaml") as running:
        yield running


def investigated(product: RunningProduct) -> list[Message]:
    return read_stream(product.url, start_workflow(product.url, SAMPLE.read_bytes()))


def test_what_is_always_approved_is_still_refused_where_the_policy_refuses_it(
    product: RunningProduct,
):
    said = investigated(product)

    assert any(f"Lesson: {LESSON}" in str(message.data) for message in said)
    judged = [str(message.data) for message in said if message.event == "progress"]
    (change,) = [one for one in judged if "kubectl set resources" in one]
    assert "refused" in change


def test_the_page_shows_circumstances_and_what_people_changed(product: RunningProduct):
    with running_browser() as browser, watched_page(browser) as page:
        page.goto(f"{product.url}/ui/")
        page.get_by_role("button", name="Worker killed for its memory").click()
        page.get_by_role("button", name="Investigate").click()
        expect(page.get_by_text("Workflow completed successfully")).to_be_visible()

        learned = page.locator("section", has_text="Learned from earlier decisions")
        expect(learned.get_by_text("failure oom_killed; workload deployment").first).to_be_visible()
        changed = learned.locator("div", has_text="People changed").last
        expect(changed.locator("code")).to_have_text([RAISE_LIMIT, SMALLER])


def test_a_lesson_is_switched_off_on_the_page(product: RunningProduct):
    with running_browser() as browser, watched_page(browser) as page:
        page.goto(f"{product.url}/ui/#/statistics")
        page.get_by_role("link", name="Statistics").click()
        lesson = page.get_by_role("checkbox", name=LESSON)
        expect(lesson).to_be_checked()

        lesson.uncheck()

        expect(page.get_by_text("Switched off: new plans are not told.")).to_be_visible()

    assert LESSON not in str(investigated(product))
