"""What a reviewer does on the approval page, and text that tries to be more than text."""

from playwright.sync_api import Locator, Page, expect

RIGHT_TO_LEFT = "\u202e"
LONG_WORD = "W" * 5_000
HOSTILE = (
    '<img src=x onerror="window.ran=1"></script><script>window.ran=2</script> \u202egnp.exe'
    f" javascript:window.ran=3 \N{FIRE} {LONG_WORD}"
)


def opened(page: Page, url: object, approval_id: str) -> Locator:
    """The card of a request, ready to be decided."""
    page.goto(str(url))
    return ready(page, approval_id)


def ready(page: Page, approval_id: str) -> Locator:
    """The same on a page that is open already."""
    card = page.locator(f"[id='{approval_id}']")
    expect(card.get_by_role("button", name="Approve selected")).to_be_enabled()
    return card


def decided(page: Page, approval_id: str) -> Locator:
    """What the page shows of a request that is decided."""
    return page.locator(f"[data-id='{approval_id}']")


def choose(card: Locator, number: int, decision: str) -> Locator:
    """Say something to one command."""
    command = card.locator(".proposed > li").nth(number)
    command.get_by_role("radio", name=decision, exact=True).check()
    return command


def approve(card: Locator) -> None:
    """Approve what is selected, after the last look."""
    card.get_by_role("button", name="Approve selected").click()
    checked = card.get_by_label("I have checked these commands")
    if checked.count():
        checked.check()
    card.get_by_role("button", name="Yes, approve").click()


def reject(card: Locator, reason: str) -> None:
    """Reject all of it."""
    card.get_by_role("button", name="Reject all").click()
    card.get_by_label("Why not? The next plan").fill(reason)
    card.get_by_role("button", name="Yes, reject").click()


def width(page: Page) -> int:
    """How wide the page is with everything unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    return int(page.evaluate("document.documentElement.scrollWidth"))
