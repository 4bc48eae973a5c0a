"""A desk on which time passes, ten thousand requests wait, and somebody uses the keyboard alone."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.fakes.approval_page import choose, decided, opened, ready
from tests.fakes.approval_storage import copy_pending, let_expire
from tests.fakes.approvals import RESTART, SCALE, payload
from tests.fakes.browser import MARKS

pytestmark = MARKS

MANY = 10_000
MOST_NODES = 2_000
"""Of a page with twenty cards."""
MOST_TABS = 40
FOCUSED = "document.activeElement"


def propose(server: httpx.Client, *commands: str, **metadata: Any) -> str:
    answer = server.post("/api/approvals/propose", json=payload(*commands, **metadata))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["approval_id"])


def view(server: httpx.Client, approval_id: str) -> Any:
    return server.get(f"/api/approvals/{approval_id}").json()


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until it has the focus."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if target.evaluate(f"node => node === {FOCUSED}"):
            return
    raise AssertionError("Tab does not lead there")


def test_a_request_expires_on_the_open_page_without_a_reload(
    page: Page, server: httpx.Client, tmp_path: Path
):
    untouched, touched = propose(server), propose(server)
    card = opened(page, server.base_url, touched)
    choose(card, 0, "Reject").get_by_label("Why not?").fill("half a rea")
    navigations: list[str] = []
    page.on("framenavigated", lambda frame: navigations.append(frame.url))

    let_expire(tmp_path)

    expect(page.locator(f"[id='{untouched}']")).to_have_count(0)
    expect(decided(page, untouched)).to_contain_text("Nobody decided in time")
    expect(card).to_contain_text("This request has expired.")
    expect(card).not_to_contain_text("This was decided meanwhile.")
    expect(card.get_by_role("button")).to_have_text(["Put away"])
    expect(card.get_by_role("radio")).to_have_count(0)
    expect(page.get_by_role("heading", name="Waiting for a decision")).not_to_contain_text("(")
    assert navigations == []


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_who_decides_just_as_the_time_is_over_is_told_that_nothing_runs(
    page: Page, server: httpx.Client, tmp_path: Path, verb: str
):
    approval_id = propose(server)
    card = opened(page, server.base_url, approval_id)
    if verb == "approve":
        card.get_by_role("button", name="Approve selected").click()
    else:
        card.get_by_role("button", name="Reject all").click()
        card.get_by_label("Why not? The next plan").fill("too late")
    button = card.get_by_role("button", name=f"Yes, {verb}")
    expect(button).to_be_enabled()
    # What the page knows is as old as its last look.
    page.route("**/api/approvals*", lambda _: None)
    page.route("**/api/approvals/pending*", lambda _: None)

    let_expire(tmp_path)
    button.click()

    told = card.get_by_role("alert")
    expect(told).to_contain_text("This request has expired.")
    expect(told).to_contain_text("Nobody decided in time")
    expect(told).to_contain_text("nothing of it runs")
    expect(card.get_by_role("button")).to_have_text(["Put away"])
    expect(card).to_be_focused()
    assert view(server, approval_id)["status"] == "expired"


def test_of_ten_thousand_requests_the_page_holds_only_what_it_shows(
    page: Page, server: httpx.Client, tmp_path: Path
):
    propose(server, RESTART, SCALE, root_cause="Too small a heap")
    copy_pending(tmp_path, MANY - 1)
    page.goto(str(server.base_url))

    expect(page.get_by_role("heading", name="Waiting for a decision (10,000)")).to_be_visible()
    expect(page.locator(".request")).to_have_count(10)
    page.get_by_role("button", name="Show more (9,990 further)").click()
    expect(page.locator(".request")).to_have_count(20)
    expect(page.get_by_role("button", name="Show more (9,980 further)")).to_be_visible()

    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES
    # Another look at the desk adds nothing.
    with page.expect_response("**/api/approvals/pending*"):
        pass
    with page.expect_response("**/api/approvals/pending*"):
        pass
    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_NODES


def test_tab_and_enter_approve_and_the_focus_goes_on_to_the_next_request(
    page: Page, server: httpx.Client
):
    first, second = propose(server), propose(server)
    card, other = opened(page, server.base_url, first), ready(page, second)

    for each, at in ((card, other), (other, page.locator("#pending"))):
        tab_to(page, each.get_by_role("button", name="Approve selected"))
        page.keyboard.press("Enter")
        yes = each.get_by_role("button", name="Yes, approve")
        expect(yes).to_be_enabled()
        page.keyboard.press("Shift+Tab")
        expect(yes).to_be_focused()
        page.keyboard.press("Enter")
        expect(each).to_have_count(0)
        expect(at).to_be_focused()

    assert [view(server, each)["status"] for each in (first, second)] == ["approved"] * 2


def test_tab_and_enter_reject_and_an_empty_reason_keeps_the_focus(page: Page, server: httpx.Client):
    first, second = propose(server), propose(server)
    card, other = opened(page, server.base_url, first), ready(page, second)

    tab_to(page, card.get_by_role("button", name="Reject all"))
    page.keyboard.press("Space")
    reason = card.get_by_label("Why not? The next plan")
    expect(reason).to_be_focused()
    for nothing in ("", "   "):
        page.keyboard.type(nothing)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(reason).to_be_focused()
    still = view(server, first)["status"]
    page.keyboard.type("it is the database")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(card).to_have_count(0)
    expect(other).to_be_focused()
    assert still == "pending"
    assert view(server, first)["reason"] == "it is the database"


def test_a_decision_that_could_not_be_sent_leaves_the_focus_on_its_button(
    page: Page, server: httpx.Client
):
    approval_id = propose(server)
    card = opened(page, server.base_url, approval_id)
    page.route("**/approve", lambda route: route.abort(), times=1)
    tab_to(page, card.get_by_role("button", name="Approve selected"))
    page.keyboard.press("Enter")
    yes = card.get_by_role("button", name="Yes, approve")
    expect(yes).to_be_enabled()

    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")

    expect(card.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    expect(yes).to_be_focused()
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    assert view(server, approval_id)["status"] == "approved"


def test_what_ends_elsewhere_does_not_take_the_focus_from_who_types(
    page: Page, server: httpx.Client
):
    first, second = propose(server), propose(server)
    ended, card = opened(page, server.base_url, first), ready(page, second)
    choose(ended, 0, "Reject")
    card.get_by_role("button", name="Reject all").click()
    reason = card.get_by_label("Why not? The next plan")
    reason.press_sequentially("it is ")

    server.post(f"/api/approvals/{first}/approve", json={"reviewer": "Ada"})
    expect(ended).to_contain_text("Ada approved it")

    expect(reason).to_be_focused()
    page.keyboard.type("the database")
    expect(reason).to_have_value("it is the database")


def test_a_request_that_changes_does_not_take_the_focus_from_who_types(
    page: Page, server: httpx.Client
):
    first, second = propose(server), propose(server)
    changing, card = opened(page, server.base_url, first), ready(page, second)
    changing.get_by_role("button", name="Reject all").click()
    reason = card.get_by_label("Why not? The next plan")
    card.get_by_role("button", name="Reject all").click()
    reason.press_sequentially("it is ")

    def answer_with_another(route: Route) -> None:
        found = route.fetch().json()
        found["approvals"][0]["version"] = "another"
        route.fulfill(json=found)

    page.route("**/api/approvals/pending*", answer_with_another)
    expect(changing.locator(".panel")).to_be_hidden()

    expect(reason).to_be_focused()
    page.keyboard.type("the database")
    expect(reason).to_have_value("it is the database")
