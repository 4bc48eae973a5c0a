"""Text from a cluster and from people that tries to be more than text on the approval page."""

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.fakes.approval_page import (
    LONG_WORD,
    RIGHT_TO_LEFT,
    approve,
    choose,
    decided,
    opened,
    ready,
    reject,
    width,
)
from tests.fakes.approvals import RESTART, SCALE, payload
from tests.fakes.browser import MARKS, PHONE, watched_page
from tests.fakes.cluster_desk import ClusterDesk
from tests.fakes.kube_api import Trouble

pytestmark = MARKS

NEEDS_KUBECTL = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
WIDTHS = (PHONE["width"], 1100)
SHOWN = "U+202E"
TRICKS = (
    """<img src=x onerror="window.ran=1;document.title='ran';alert(1)"></script>"""
    "<script>window.ran=2;fetch('//evil.example/')</script><svg onload=alert(2)> \u202egnp.exe "
)
"""Short, as some places keep only the beginning."""


def assert_harmless(page: Page) -> None:
    """Nothing ran, nothing turns text around, nothing is wider than the window."""
    for width_of_window in WIDTHS:
        page.set_viewport_size({"width": width_of_window, "height": 740})
        assert width(page) <= width_of_window
    assert page.evaluate("window.ran") is None
    assert re.fullmatch(r"(\(\d+\) )?Approvals", page.title())
    assert page.locator("main :is(img, script, svg, iframe)").count() == 0
    assert RIGHT_TO_LEFT not in page.locator("body").inner_text()


def asked_paths(page: Page) -> list[str]:
    """Where the page has asked something, from now on."""
    paths: list[str] = []
    page.on("request", lambda request: paths.append(urlsplit(request.url).path))
    return paths


def trick_deployment(desk: ClusterDesk) -> None:
    """Hostile values in every place of the live object that a card shows."""
    found: dict[str, Any] = desk.api.get("Deployment", "checkout")
    tracking = f"{TRICKS}{LONG_WORD}:apps/Deployment:shop/checkout"
    found["metadata"]["annotations"] |= {
        "note": f"{TRICKS}{LONG_WORD}",
        "argocd.argoproj.io/tracking-id": tracking,
    }
    template = found["spec"]["template"]["spec"]
    template["containers"][0]["env"] = [{"name": "DB_HOST", "value": f"{TRICKS}{LONG_WORD}"}]
    desk.api.store.update(found)
    desk.api.reconcile()


@NEEDS_KUBECTL
def test_what_the_cluster_holds_and_prints_stays_text(page: Page, desk: ClusterDesk):
    paths = asked_paths(page)
    trick_deployment(desk)
    desk.api.log(f"{TRICKS}{LONG_WORD}")
    approval_id = desk.propose(
        "kubectl logs checkout-1 -n shop",
        f"kubectl annotate deployment/checkout note='{LONG_WORD}' --overwrite -n shop",
        "kubectl set env deployment/checkout DB_HOST=orders-db -n shop",
    )
    card = opened(page, desk.product.approval_url, approval_id)

    expect(card.locator(".change .before").get_by_text(SHOWN)).to_have_count(2)
    expect(card.get_by_role("list", name="Warnings").get_by_text(SHOWN).first).to_be_visible()
    expect(card.locator(".facts").get_by_text(SHOWN).first).to_be_visible()
    assert_harmless(page)
    desk.api.troubles.append(Trouble(403, "PATCH", reason="Forbidden", message=TRICKS + LONG_WORD))
    approve(card)
    entry = decided(page, approval_id)
    outputs = entry.locator("pre.quote")
    expect(outputs.first.get_by_text(SHOWN)).to_be_visible()
    expect(outputs.nth(1)).to_contain_text("kubectl ended with")
    expect(outputs.nth(1).get_by_text(SHOWN)).to_be_visible()
    assert_harmless(page)

    assert "/x" not in paths


@NEEDS_KUBECTL
def test_what_the_cluster_says_of_a_command_and_afterwards_stays_text(
    page: Page, desk: ClusterDesk
):
    refusal = Trouble(403, "PATCH", reason="Forbidden", message=f"{TRICKS}{LONG_WORD}")
    desk.api.troubles.append(refusal)
    refused = desk.propose(RESTART)
    desk.api.troubles.clear()
    approval_id = desk.propose(SCALE, error_patterns=[f"{TRICKS}{LONG_WORD}"])
    # Written whenever the log is read.
    desk.api.logs[""] = [(datetime.now(UTC) + timedelta(hours=1), f"{TRICKS}{LONG_WORD}")]
    card = opened(page, desk.product.approval_url, approval_id)

    proof = ready(page, refused).get_by_role("region", name="What the cluster says")
    expect(proof.get_by_text(SHOWN)).to_be_visible()
    approve(card)
    entry = decided(page, approval_id)
    helped = entry.get_by_role("region", name="Whether it helped")
    expect(helped.get_by_text(SHOWN).first).to_be_visible()
    answer = {"status": 502, "json": {"detail": f"{TRICKS}{LONG_WORD}"}}
    page.route("**/undo", lambda route: route.fulfill(**answer))
    entry.get_by_role("button", name="Undo", exact=True).click()
    entry.get_by_role("button", name="Yes, take it back").click()
    expect(entry.get_by_role("alert").get_by_text(SHOWN)).to_be_visible()

    assert_harmless(page)


def test_a_reviewers_name_and_reason_stay_text_for_everybody_else(
    browser: Browser, page: Page, server: httpx.Client
):
    answer = server.post("/api/approvals/propose", json=payload(RESTART))
    approval_id = answer.json()["approval_id"]
    paths = asked_paths(page)
    late = opened(page, server.base_url, approval_id)
    late.get_by_role("button", name="Approve selected").click()
    with watched_page(browser) as first:
        card = opened(first, server.base_url, approval_id)
        first.get_by_label("Your name").fill(TRICKS[:200])
        reject(card, f"{TRICKS}{LONG_WORD}"[:4000])
        expect(card).to_have_count(0)
        assert_harmless(first)

    expect(late.get_by_role("alert").get_by_text(SHOWN).first).to_be_visible()
    expect(decided(page, approval_id).get_by_text(SHOWN).first).to_be_visible()
    assert_harmless(page)
    assert "/x" not in paths


def test_what_the_server_refuses_is_repeated_as_text(page: Page, server: httpx.Client):
    answer = server.post("/api/approvals/propose", json=payload(RESTART))
    card = opened(page, server.base_url, answer.json()["approval_id"])
    said = f"The cluster cannot be asked: {TRICKS}{LONG_WORD}"
    place = {"loc": ["body", "commands", 0, "edited_to"], "msg": said}
    edit = {"status": 422, "json": {"detail": [place], "error": said}}
    page.route("**/approve", lambda route: route.fulfill(**edit), times=1)
    page.route("**/reject", lambda route: route.fulfill(status=502, json={"detail": said}), times=1)

    choose(card, 0, "Edit").get_by_label("Run this instead").fill("kubectl get pods")
    approve(card)
    refused = card.locator("fieldset").get_by_role("alert")
    expect(refused.get_by_text(SHOWN)).to_be_visible()
    assert_harmless(page)
    reject(card, "no")
    failed = card.locator(".panel").get_by_role("alert")
    expect(failed.get_by_text(SHOWN)).to_be_visible()
    assert_harmless(page)

    page.route(
        re.compile("/approvals/pending"),
        lambda route: route.fulfill(status=503, json={"detail": said}),
    )
    expect(page.locator("#trouble").get_by_text(SHOWN)).to_be_visible()
    assert_harmless(page)


def test_what_keeps_the_server_from_working_is_shown_as_text(page: Page, server: httpx.Client):
    checks = {"storage": f"{TRICKS}{LONG_WORD}", "cluster": "ok", "reports": "ok", "audit": "ok"}
    report = {"status": "degraded", "checks": checks}
    page.route("**/ready", lambda route: route.fulfill(status=503, json=report))

    page.goto(str(server.base_url))

    expect(page.locator("#state").get_by_text(SHOWN)).to_be_visible()
    assert_harmless(page)


def test_the_texts_that_are_tried_would_do_something_as_markup(browser: Browser, tmp_path: Path):
    trap = tmp_path / "trap.html"
    trap.write_text(f"<!doctype html><title>Approvals</title>{TRICKS}", encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    dialogs: list[str] = []

    def note(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.goto(trap.as_uri())

    assert page.evaluate("window.ran") in {1, 2}
    assert dialogs
    context.close()
