"""Debian's chromium as a person would use it, watched for what the page must never do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
    expect,
    sync_playwright,
)

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
WAIT_LIMIT_MS = 20_000
PHONE = {"width": 360, "height": 740}
MARKS = [
    pytest.mark.e2e,
    pytest.mark.browser,
    pytest.mark.timeout(180),
    pytest.mark.skipif(
        not CHROMIUM.exists() and os.environ.get("CI") != "true",
        reason="needs /usr/bin/chromium: apt-get install chromium",
    ),
]


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser, gone after the block."""
    with sync_playwright() as playwright:
        expect.set_options(timeout=WAIT_LIMIT_MS)
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@contextmanager
def watched_page(browser: Browser, **options: object) -> Iterator[Page]:
    """A fresh page; a script error, a dialog, a broken policy or a foreign request fails the test."""
    context = browser.new_context(**options)  # type: ignore[arg-type]
    context.set_default_timeout(WAIT_LIMIT_MS)
    page = context.new_page()
    troubles: list[str] = []

    def note_foreign(request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme != "data" and address.hostname not in {"127.0.0.1", "localhost"}:
            troubles.append(f"asked {request.url}")

    def note_broken_policy(message: ConsoleMessage) -> None:
        if "Content Security" in message.text:
            troubles.append(message.text)

    def note_dialog(dialog: Dialog) -> None:
        troubles.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    page.on("request", note_foreign)
    page.on("dialog", note_dialog)
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("console", note_broken_policy)
    yield page
    context.close()
    assert troubles == []
