"""The approval page in a real browser: what is shown, what can be decided, and by whom."""

import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page, Route, expect

from tests.fakes.approval_page import HOSTILE, RIGHT_TO_LEFT, approve, choose, opened, width
from tests.fakes.approvals import DELETE_VOLUME, GET, RESTART, SCALE, payload
from tests.fakes.browser import MARKS, PHONE, watched_page
from tests.fakes.cluster_desk import ClusterDesk, open_cluster_desk
from tests.fakes.kube_api_objects import budget
from tests.fakes.servers import serving

pytestmark = MARKS

NEEDS_KUBECTL = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
FOREIGN = """<!doctype html>
<form method="post" enctype="text/plain" action="{target}"><button>Win a prize</button></form>"""
ATTACKS = """async ([target, socket]) => {
  const body = JSON.stringify({reviewer: "Mallory"});
  const json = {"Content-Type": "application/json"};
  const plain = {"Content-Type": "text/plain"};
  const answers = [];
  for (const [mode, headers] of [["cors", json], ["no-cors", plain], ["cors", plain]])
    answers.push(await fetch(target, {method: "POST", mode, headers, body}).then(a => a.type, () => "failed"));
  answers.push(await fetch(target, {method: "POST", mode: "no-cors"}).then(a => a.type, () => "failed"));
  answers.push(await new Promise(done => {
    const opened = new WebSocket(socket);
    opened.onopen = () => done("open");
    opened.onerror = () => done("failed");
  }));
  return answers;
}"""

SHOWN_WITHIN_A_SECOND = """selector => new Promise(done => {
  const isShown = () => document.querySelector(selector) !== null;
  const watch = new MutationObserver(() => isShown() && done(true));
  watch.observe(document.body, {childList: true, subtree: true});
  setTimeout(() => done(isShown()), 1000);
})"""


def propose(server: httpx.Client, *commands: str, **metadata: Any) -> str:
    answer = server.post("/api/approvals/propose", json=payload(*commands, **metadata))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["approval_id"])


def view(server: httpx.Client, approval_id: str) -> Any:
    return server.get(f"/api/approvals/{approval_id}").json()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_text_in_every_field_stays_text_and_fits_a_phone(
    browser: Browser, server: httpx.Client, scheme: str
):
    command = f"kubectl annotate pod/x note='{HOSTILE}' -n shop"
    keys = ("severity", "priority", "service", "issue", "root_cause", "phase", "workflow_id")
    metadata: dict[str, Any] = dict.fromkeys(keys, HOSTILE) | {
        "notes": {RESTART: HOSTILE},
        "rollback": {RESTART: [HOSTILE]},
        "phases": [HOSTILE[:300], HOSTILE[:300]],
        "not_in_evidence": [HOSTILE[:300]],
        HOSTILE[:300]: HOSTILE[:300],
    }
    body: Any = payload(RESTART, command, **metadata)
    body["action"] = HOSTILE
    for one in body["commands"]:
        one["explanation"] = HOSTILE
    answer = server.post("/api/approvals/propose", json=body)
    assert answer.status_code == 200, answer.text
    asked: list[str] = []

    with watched_page(browser, viewport=PHONE, color_scheme=scheme) as page:
        page.on("request", lambda request: asked.append(request.url))
        card = opened(page, server.base_url, answer.json()["approval_id"])
        expect(card.get_by_text("U+202E").first).to_be_visible()
        assert RIGHT_TO_LEFT not in card.inner_text()
        assert width(page) <= PHONE["width"]
        page.get_by_label("Your name").fill(HOSTILE[:200])
        choose(card, 0, "Edit").get_by_label("Run this instead").fill(HOSTILE)
        approve(card)
        expect(card.get_by_role("alert").filter(has_text="The policy refuses")).to_be_visible()
        assert width(page) <= PHONE["width"]
        card.get_by_role("button", name="Reject all").click()
        card.get_by_label("Why not? The next plan").fill(HOSTILE[:4000])
        card.get_by_role("button", name="Yes, reject").click()
        expect(page.locator(".decided")).to_contain_text("Rejected")
        assert width(page) <= PHONE["width"]
        assert page.evaluate("window.ran") is None
        assert page.locator("main img, main script, main iframe").count() == 0

    own = str(server.base_url).rstrip("/")
    assert [url for url in asked if not url.startswith((own, "data:"))] == []


def test_a_page_of_another_origin_cannot_decide(browser: Browser, server: httpx.Client):
    approval_id = propose(server)
    target = f"{str(server.base_url).rstrip('/')}/api/approvals/{approval_id}/approve"
    foreign = FastAPI()

    @foreign.get("/", response_class=HTMLResponse)
    def attack() -> str:
        return FOREIGN.format(target=target)

    with serving(foreign) as url, watched_page(browser) as page:
        page.goto(url)
        answers = page.evaluate(ATTACKS, [target, target.replace("http:", "ws:")])
        with page.expect_response(target) as posted:
            page.get_by_role("button").click()

    assert answers == ["failed"] * 5
    assert posted.value.status == 403
    assert view(server, approval_id)["status"] == "pending"


def test_a_request_without_a_cluster_is_approved_and_recorded(page: Page, server: httpx.Client):
    approval_id = propose(server, GET, RESTART, root_cause="Too small a heap")
    card = opened(page, server.base_url, approval_id)

    expect(page.get_by_text("No cluster is configured: approving")).to_be_visible()
    expect(card.get_by_text("Too small a heap")).to_be_visible()
    expect(card.get_by_text("expires in 60 minutes")).to_be_visible()
    page.get_by_label("Your name").fill("Ada")
    approve(card)

    expect(card).to_have_count(0)
    expect(page.locator(".decided").get_by_text("Recorded, not run").first).to_be_visible()
    found = view(server, approval_id)
    assert (found["status"], found["reviewer"]) == ("approved", "Ada")
    assert [one["decision"] for one in found["commands"]] == ["approved", "approved"]


def test_a_rejection_needs_a_reason(page: Page, server: httpx.Client):
    approval_id = propose(server)
    card = opened(page, server.base_url, approval_id)

    card.get_by_role("button", name="Reject all").click()
    reason = card.get_by_label("Why not? The next plan")
    for nothing in ("", "   "):
        reason.fill(nothing)
        card.get_by_role("button", name="Yes, reject").click()
        expect(reason).to_be_focused()
    before = view(server, approval_id)["status"]
    reason.fill("it is the database")
    card.get_by_role("button", name="Yes, reject").click()

    expect(card).to_have_count(0)
    assert before == "pending"
    found = view(server, approval_id)
    assert (found["status"], found["reason"]) == ("rejected", "it is the database")


def test_commands_are_decided_one_by_one_and_an_edit_is_judged(page: Page, server: httpx.Client):
    approval_id = propose(server, RESTART, SCALE, DELETE_VOLUME, GET)
    card = opened(page, server.base_url, approval_id)

    expect(card.get_by_text("Refused by policy: never runs")).to_be_visible()
    field = choose(card, 1, "Edit").get_by_label("Run this instead")
    field.fill(DELETE_VOLUME)
    choose(card, 3, "Reject")
    card.get_by_role("button", name="Approve selected").click()
    card.get_by_label("Why is the rest rejected?").fill("known already")
    card.get_by_label("I have checked these commands").check()
    card.get_by_role("button", name="Yes, approve").click()
    problem = card.get_by_role("alert").filter(has_text="The policy refuses this edit")
    expect(problem).to_be_visible()
    expect(field).to_be_focused()
    expect(field).to_have_value(DELETE_VOLUME)
    before = view(server, approval_id)["status"]
    field.fill(SCALE.replace("=3", "=4"))
    choose(card, 3, "Reject").get_by_label("Why not?").fill("seen before")
    approve(card)

    expect(card).to_have_count(0)
    expect(page.get_by_text("Edited, then approved")).to_be_visible()
    commands = view(server, approval_id)["commands"]
    assert before == "pending"
    assert [one["decision"] for one in commands] == ["approved", "edited", "rejected", "rejected"]
    assert commands[1]["edited_to"] == SCALE.replace("=3", "=4")
    assert commands[3]["reason"] == "seen before"


def test_a_refused_edit_is_mended_with_one_click_and_no_reason_is_lost(
    page: Page, server: httpx.Client
):
    approval_id = propose(server, RESTART, SCALE)
    card = opened(page, server.base_url, approval_id)
    field = choose(card, 0, "Edit").get_by_label("Run this instead")
    field.fill(DELETE_VOLUME)
    choose(card, 1, "Reject")
    card.get_by_role("button", name="Approve selected").click()
    card.get_by_label("Why is the rest rejected?").fill("three are enough")
    card.get_by_role("button", name="Yes, approve").click()
    expect(
        card.get_by_role("alert").filter(has_text="The policy refuses this edit")
    ).to_be_visible()

    field.fill(GET)
    card.get_by_role("button", name="Approve selected").click()
    expect(card.get_by_label("Why is the rest rejected?")).to_have_value("three are enough")
    card.get_by_role("button", name="Yes, approve").click()

    expect(card).to_have_count(0)
    commands = view(server, approval_id)["commands"]
    assert (commands[0]["edited_to"], commands[1]["reason"]) == (GET, "three are enough")


def test_a_reason_stays_when_the_request_changed_before_it_was_sent(
    page: Page, server: httpx.Client
):
    approval_id = propose(server)
    card = opened(page, server.base_url, approval_id)
    stale = {"error": "Look again.", "detail": "Look again.", "version": "another"}
    page.route("**/reject", lambda route: route.fulfill(status=409, json=stale), times=1)

    card.get_by_role("button", name="Reject all").click()
    card.get_by_label("Why not? The next plan").fill("it is the database")
    card.get_by_role("button", name="Yes, reject").click()
    expect(card.get_by_role("alert").filter(has_text="Look again.")).to_be_visible()
    card.get_by_role("button", name="Reject all").click()
    expect(card.get_by_label("Why not? The next plan")).to_have_value("it is the database")
    card.get_by_role("button", name="Yes, reject").click()

    expect(card).to_have_count(0)
    assert view(server, approval_id)["reason"] == "it is the database"


def test_reasons_given_one_by_one_are_kept_when_all_is_rejected(page: Page, server: httpx.Client):
    approval_id = propose(server, RESTART, SCALE)
    card = opened(page, server.base_url, approval_id)
    for number, reason in enumerate(("restarts hide the leak", "no memory for it")):
        choose(card, number, "Reject").get_by_label("Why not? Or give one").fill(reason)

    card.get_by_role("button", name="Approve selected").click()
    card.get_by_role("button", name="Yes, reject").click()

    expect(card).to_have_count(0)
    assert view(server, approval_id)["reason"] == "restarts hide the leak; no memory for it"


def test_a_command_can_be_copied(browser: Browser, server: httpx.Client):
    approval_id = propose(server, SCALE)
    granted = {"permissions": ["clipboard-read", "clipboard-write"]}
    with watched_page(browser, **granted) as page:
        card = opened(page, server.base_url, approval_id)
        card.get_by_role("button", name=f"Copy command: {SCALE}").click()

        expect(card.get_by_text("Copied", exact=True)).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == SCALE


def test_what_is_not_in_evidence_has_to_be_confirmed(page: Page, server: httpx.Client):
    approval_id = propose(server, GET, RESTART, not_in_evidence=[RESTART])
    card = opened(page, server.base_url, approval_id)
    confirm = card.get_by_role("checkbox", name="Not in evidence")

    card.get_by_role("button", name="Approve selected").click()
    expect(card.get_by_text("Confirm that you have checked this object")).to_be_visible()
    expect(confirm).to_be_focused()
    expect(card.get_by_role("button", name="Yes, approve")).to_have_count(0)
    confirm.check()
    approve(card)

    expect(card).to_have_count(0)
    decisions = [one["decision"] for one in view(server, approval_id)["commands"]]
    assert decisions == ["approved", "approved"]


def test_a_second_tab_is_told_who_was_first(browser: Browser, page: Page, server: httpx.Client):
    approval_id = propose(server)
    late = opened(page, server.base_url, approval_id)
    late.get_by_role("button", name="Approve selected").click()
    with watched_page(browser) as first:
        card = opened(first, server.base_url, approval_id)
        first.get_by_label("Your name").fill("Ada")
        card.get_by_role("button", name="Reject all").click()
        card.get_by_label("Why not? The next plan").fill("not now")
        card.get_by_role("button", name="Yes, reject").click()
        expect(card).to_have_count(0)

    expect(late).to_contain_text("Ada rejected it")
    expect(late).to_contain_text("not now")
    late.get_by_role("button", name="Put away").click()
    expect(late).to_have_count(0)


def test_a_decision_with_the_keyboard_alone(page: Page, server: httpx.Client):
    first, second = propose(server), propose(server)
    card = opened(page, server.base_url, first)
    other = page.locator(f"[id='{second}']")

    page.keyboard.press("j")
    expect(card).to_be_focused()
    page.keyboard.press("e")
    expect(card.get_by_label("Run this instead")).to_be_focused()
    page.keyboard.type("jkare")
    expect(other.locator(".panel")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(card).to_be_focused()
    page.keyboard.press("j")
    expect(other).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("r")
    page.keyboard.type("no need")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(card).to_have_count(0)
    expect(other).to_be_focused()
    page.keyboard.press("a")
    expect(other.get_by_role("button", name="Yes, approve")).to_be_enabled()
    expect(other.get_by_role("button", name="Back")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(other).to_have_count(0)

    assert view(server, first)["reason"] == "no need"
    assert view(server, second)["status"] == "approved"


def test_of_three_hundred_requests_only_those_shown_are_asked_for(page: Page, server: httpx.Client):
    ids = [propose(server) for _ in range(300)]
    sizes: list[int] = []
    addresses: list[str] = []

    def note(address: str) -> None:
        if "/api/approvals/pending" in address:
            addresses.append(address)

    page.on("request", lambda request: note(request.url))
    with page.expect_response("**/api/approvals/pending*") as answer:
        page.goto(str(server.base_url))
    sizes.append(len(answer.value.json()["approvals"]))
    expect(page.locator(".request")).to_have_count(10)
    expect(page.get_by_role("heading", name="Waiting for a decision (300)")).to_be_visible()
    assert sizes == [10]
    assert all("limit=10" in address for address in addresses)
    page.get_by_role("button", name="Show more (290 further)").click()
    expect(page.locator(".request")).to_have_count(20)
    expect(page.get_by_role("button", name="Show more (280 further)")).to_be_visible()

    page.goto("about:blank")
    linked = opened(page, f"{server.base_url}#{ids[-1]}", ids[-1])
    expect(linked).to_be_focused()


def test_decided_requests_are_filtered(page: Page, server: httpx.Client):
    rejected, approved = propose(server), propose(server)
    server.post(f"/api/approvals/{rejected}/reject", json={"reason": "no"})
    server.post(f"/api/approvals/{approved}/approve")
    page.goto(str(server.base_url))

    expect(page.locator(".decided")).to_have_count(2)
    for status, shown in (("approved", approved), ("rejected", rejected)):
        page.get_by_role("combobox", name="Show").select_option(status)
        expect(page.locator(".decided")).to_have_count(1)
        expect(page.locator(f"[data-id='{shown}']")).to_be_visible()
    page.get_by_role("combobox", name="Show").select_option("expired")
    expect(page.get_by_text("Nothing of this kind yet.")).to_be_visible()


def test_a_late_answer_to_another_filter_is_not_shown(page: Page, server: httpx.Client):
    approved = propose(server)
    page.goto(str(server.base_url))
    expect(page.get_by_text("Nothing of this kind yet.")).to_be_visible()
    server.post(f"/api/approvals/{approved}/approve")
    held: list[Route] = []
    page.route("**/api/approvals?status=decided*", lambda route: held.append(route))
    with page.expect_request("**/api/approvals?status=decided*"):
        pass

    with page.expect_response("**/api/approvals?status=rejected*"):
        page.get_by_role("combobox", name="Show").select_option("rejected")
    with page.expect_response("**/api/approvals?status=decided*"):
        held[0].continue_()

    assert page.evaluate(SHOWN_WITHIN_A_SECOND, ".decided") is False


@NEEDS_KUBECTL
def test_what_the_cluster_says_is_shown_run_verified_and_taken_back(page: Page, desk: ClusterDesk):
    desk.api.add(budget("checkout", "checkout", 0))
    approval_id = desk.propose(SCALE)
    card = opened(page, desk.product.approval_url, approval_id)

    expect(card.locator(".change .before")).to_contain_text("2")
    expect(card.locator(".change .after")).to_contain_text("3")
    for shown in ("shop/deployment/checkout", "allows 0 disruptions", "--replicas=2"):
        expect(card.locator(".proof").get_by_text(shown).first).to_be_visible()
    approve(card)
    entry = page.locator(f"[data-id='{approval_id}']")
    expect(entry.get_by_label("Whether it helped")).to_contain_text("rollout complete")
    assert desk.api.replicas == 3
    entry.get_by_role("button", name="Undo", exact=True).click()
    expect(entry.get_by_role("button", name="Leave it")).to_be_focused()
    entry.get_by_role("button", name="Yes, take it back").click()

    expect(entry.get_by_text("Taken back", exact=True)).to_be_visible()
    assert desk.api.replicas == 2


@NEEDS_KUBECTL
def test_a_cluster_that_changed_meanwhile_is_shown_before_anything_is_decided(
    page: Page, desk: ClusterDesk
):
    approval_id = desk.propose(SCALE)
    card = opened(page, desk.product.approval_url, approval_id)
    expect(card.locator(".change .before")).to_contain_text("2")

    desk.api.change("Deployment", "checkout", replicas=7)
    approve(card)

    expect(card.get_by_role("alert").filter(has_text="Nothing was decided")).to_be_visible()
    expect(card.locator(".change .before")).to_contain_text("7")
    expect(card.locator(".panel")).to_be_hidden()
    assert desk.view(approval_id)["status"] == "pending"
    assert desk.api.replicas == 7
    expect(card.get_by_role("button", name="Approve selected")).to_be_enabled()
    approve(card)
    expect(card).to_have_count(0)
    desk.wait(approval_id, lambda found: found["commands"][0]["status"] == "succeeded")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [({"PATH": "/nowhere"}, "kubectl"), ({"COMMAND_MODE": "suggest"}, "COMMAND_MODE=suggest")],
)
def test_what_keeps_commands_from_running_is_said_first(
    page: Page, tmp_path: Path, settings: dict[str, str], sentence: str
):
    with open_cluster_desk(tmp_path, **settings) as desk:
        approval_id = desk.propose_at_once(SCALE)
        card = opened(page, desk.product.approval_url, approval_id)

        expect(page.locator("#state")).to_contain_text(sentence)
        card.get_by_role("button", name="Approve selected").click()
        expect(card).to_contain_text("Approve and record 1 command?")
        expect(card.get_by_text("looking at the cluster")).to_have_count(0)
