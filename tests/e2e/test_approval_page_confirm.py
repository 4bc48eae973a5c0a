"""Edits to what the workflow has not seen, and what no click takes back, on the approval page."""

import shutil
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fakes.approval_page import approve, choose, decided, opened, width
from tests.fakes.approvals import GET, RESTART, SCALE, payload
from tests.fakes.browser import MARKS, PHONE, watched_page
from tests.fakes.cluster_desk import ClusterDesk
from tests.fakes.kube_api_objects import deployment

pytestmark = MARKS

NEEDS_KUBECTL = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
ELSEWHERE = "kubectl scale deployment/billing --replicas=3 -n money"
OTHER = "kubectl scale deployment/ledger --replicas=3 -n money"


def propose(server: httpx.Client, *commands: str, **metadata: Any) -> str:
    answer = server.post("/api/approvals/propose", json=payload(*commands, **metadata))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["approval_id"])


def commands(server: httpx.Client, approval_id: str) -> Any:
    return server.get(f"/api/approvals/{approval_id}").json()["commands"]


def ask_for(card: Locator, text: str) -> tuple[Locator, Locator]:
    """Send an edit of the first command; its field, and the confirmation that the page asks for."""
    field = choose(card, 0, "Edit").get_by_label("Run this instead")
    field.fill(text)
    approve(card)
    return field, card.get_by_role("checkbox", name="Not in evidence")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_edit_to_something_unseen_is_confirmed_with_the_keyboard_on_a_phone(
    browser: Browser, server: httpx.Client, scheme: str
):
    approval_id = propose(server, RESTART, GET, not_in_evidence=[])
    with watched_page(browser, viewport=PHONE, color_scheme=scheme) as page:
        card = opened(page, server.base_url, approval_id)
        field, confirm = ask_for(card, ELSEWHERE)

        expect(confirm).to_be_focused()
        expect(confirm).to_be_in_viewport()
        expect(confirm).not_to_be_checked()
        expect(confirm).to_have_attribute("aria-invalid", "true")
        told = card.get_by_role("alert").filter(has_text="has not seen what this text changes")
        expect(told).to_be_visible()
        expect(confirm).to_have_accessible_description(told.inner_text())
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert commands(server, approval_id)[0]["status"] == "waiting"
        page.keyboard.press("Space")
        expect(confirm).to_be_checked()
        expect(field).to_have_value(ELSEWHERE)
        approve(card)

        expect(card).to_have_count(0)
        entry = decided(page, approval_id)
        expect(entry.get_by_text("Not in evidence", exact=True)).to_have_count(1)
        assert width(page) <= PHONE["width"]
    shown = commands(server, approval_id)
    assert [one["decision"] for one in shown] == ["edited", "approved"]
    assert [one["in_evidence"] for one in shown] == [False, True]


def test_a_confirmation_is_for_one_text_alone(page: Page, server: httpx.Client):
    approval_id = propose(server, RESTART, not_in_evidence=[])
    card = opened(page, server.base_url, approval_id)
    field, confirm = ask_for(card, ELSEWHERE)
    confirm.check()

    field.fill(OTHER)
    expect(confirm).to_be_hidden()
    approve(card)
    expect(confirm).to_be_focused()
    expect(confirm).not_to_be_checked()
    card.get_by_role("button", name="Approve selected").click()
    expect(card.get_by_text("Confirm that you have checked this object")).to_be_visible()
    assert commands(server, approval_id)[0]["decision"] is None
    confirm.check()
    approve(card)

    expect(card).to_have_count(0)
    assert commands(server, approval_id)[0]["edited_to"] == OTHER


def test_an_edit_that_goes_back_to_what_was_seen_needs_no_confirmation(
    page: Page, server: httpx.Client
):
    approval_id = propose(server, SCALE, not_in_evidence=[])
    card = opened(page, server.base_url, approval_id)
    field, confirm = ask_for(card, ELSEWHERE)
    expect(confirm).to_be_visible()

    field.fill(SCALE.replace("=3", "=4"))
    approve(card)

    expect(card).to_have_count(0)
    assert commands(server, approval_id)[0]["in_evidence"] is True


def test_a_confirmed_command_that_nobody_had_seen_can_be_edited(page: Page, server: httpx.Client):
    approval_id = propose(server, SCALE, not_in_evidence=[SCALE])
    card = opened(page, server.base_url, approval_id)
    field = choose(card, 0, "Edit").get_by_label("Run this instead")
    confirm = card.get_by_role("checkbox", name="Not in evidence")
    confirm.check()
    field.fill(SCALE.replace("=3", "=4"))
    expect(confirm).not_to_be_checked()
    confirm.check()

    approve(card)

    expect(card).to_have_count(0)
    assert commands(server, approval_id)[0]["decision"] == "edited"


def test_what_cannot_be_seen_is_marked_by_its_number(page: Page, server: httpx.Client):
    hidden = "".join(map(chr, (0x202E, 0x200B, 0x2066, 0x1B, 0xFE0F, 0x34F, 0xE0041, 0x2028)))
    marks = "U+202EU+200BU+2066U+001BU+FE0FU+034FU+E0041U+2028"
    trick = f"a{hidden}b"
    body = payload(f"{GET} {trick}", service=trick, root_cause=trick, issue=trick)
    body["action"] = trick
    approval_id = server.post("/api/approvals/propose", json=body).json()["approval_id"]

    card = opened(page, server.base_url, approval_id)

    for place in (
        card.get_by_role("heading", level=3),
        card.locator(".quote"),
        card.locator("pre"),
    ):
        expect(place.first).to_contain_text(f"a{marks}b")
    shown = card.inner_text()
    assert not [one for one in hidden if one in shown]
    assert shown.count(marks) >= 5
    assert f"a{marks}b" in str(card.get_attribute("aria-label"))


@NEEDS_KUBECTL
def test_what_several_objects_would_need_to_go_back_is_said_before_and_after(
    page: Page, desk: ClusterDesk
):
    desk.api.add(deployment("cart"))
    both = "kubectl scale deployment/checkout deployment/cart --replicas=3 -n shop"
    approval_id = desk.propose(both)
    card = opened(page, desk.product.approval_url, approval_id)

    proof = card.get_by_label("What the cluster says")
    expect(proof).to_contain_text("No undo")
    expect(proof).to_contain_text("one command for each")
    expect(proof).to_contain_text("set each field back to what it was before")
    approve(card)

    entry = decided(page, approval_id)
    expect(entry).to_contain_text("Succeeded")
    expect(entry.get_by_text("Not taken back by a click:")).to_be_visible()
    expect(entry).to_contain_text("set each field back to what it was before")
    expect(entry.get_by_role("button", name="Undo", exact=True)).to_have_count(0)
