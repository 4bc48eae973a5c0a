"""The approval page and a cluster that has its own mind: owners, refusals, changes, failures."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fakes.approval_page import approve, decided, opened, ready
from tests.fakes.approvals import RESTART, SCALE
from tests.fakes.browser import MARKS, watched_page
from tests.fakes.cluster_desk import ClusterDesk, open_cluster_desk
from tests.fakes.kube_api import DEPLOYMENT, Trouble
from tests.fakes.kube_api_objects import deployment
from tests.fakes.waiting import wait_until

pytestmark = [
    *MARKS,
    pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl"),
]

DENIED = 'admission webhook "limits.shop" denied the request: three replicas are too many'


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[ClusterDesk]:
    with open_cluster_desk(tmp_path, COMMAND_TIMEOUT_SECONDS="5") as opened:
        yield opened


def command(entry: Locator, number: int) -> Locator:
    return entry.locator(".proposed > li").nth(number)


def round_two(page: Page, approval_id: str) -> Locator:
    """The card of a request that is asked about again."""
    card = ready(page, approval_id)
    asked = card.get_by_role("alert").filter(has_text="Asked again, round 2")
    expect(asked).to_contain_text("deployment/checkout changed after the decision")
    return card


@pytest.mark.parametrize(
    ("labels", "annotations", "owner"),
    [
        (
            {},
            {"argocd.argoproj.io/tracking-id": "shop-app:apps/Deployment:shop/cart"},
            "Argo CD application shop-app",
        ),
        ({"argocd.argoproj.io/instance": "shop-app"}, {}, "Argo CD application shop-app"),
        (
            {
                "kustomize.toolkit.fluxcd.io/name": "shop",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            },
            {},
            "Flux Kustomization flux-system/shop",
        ),
        (
            {
                "helm.toolkit.fluxcd.io/name": "cart",
                "helm.toolkit.fluxcd.io/namespace": "shop",
            },
            {},
            "Flux HelmRelease shop/cart",
        ),
    ],
)
def test_the_page_warns_that_a_change_of_what_git_owns_will_be_reverted(
    page: Page,
    desk: ClusterDesk,
    labels: dict[str, str],
    annotations: dict[str, str],
    owner: str,
):
    found: dict[str, Any] = deployment("cart", annotations=annotations)
    found["metadata"]["labels"] |= labels
    desk.api.add(found)
    approval_id = desk.propose("kubectl scale deployment/cart --replicas=3 -n shop")

    card = opened(page, desk.product.approval_url, approval_id)

    warnings = card.get_by_role("list", name="Warnings")
    expect(warnings).to_be_visible()
    expect(warnings).to_contain_text(
        f"{owner} manages deployment/cart: the change will be reverted. It belongs in git."
    )
    expect(card.locator(".facts")).to_contain_text(re.compile(f"Managed by.*{re.escape(owner)}"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SCALE, DENIED),
        ("kubectl scale deployment/nothing --replicas=3 -n shop", "no deployment/nothing"),
    ],
)
def test_what_the_cluster_would_not_take_is_shown_with_its_reason(
    page: Page, desk: ClusterDesk, text: str, reason: str
):
    desk.api.troubles.append(Trouble(403, method="PATCH", reason="Forbidden", message=DENIED))
    approval_id = desk.propose(text)

    card = opened(page, desk.product.approval_url, approval_id)

    proof = card.get_by_role("region", name="What the cluster says")
    expect(proof.get_by_text("The cluster refuses it", exact=True)).to_be_visible()
    expect(proof).to_contain_text(reason)
    expect(proof.get_by_text("Undo")).to_have_count(0)
    expect(proof.get_by_text("What would change")).to_have_count(0)


def hang(desk: ClusterDesk, approval_id: str) -> None:
    """Until its time limit nothing else is done to the object."""
    desk.api.troubles.append(Trouble(None, method="PATCH", path=DEPLOYMENT))
    desk.approve(approval_id)
    wait_until(lambda: desk.api.writes)
    desk.api.troubles.clear()


def test_a_decision_that_became_void_is_asked_again_and_counts_the_second_time(
    page: Page, desk: ClusterDesk
):
    slow, approval_id = desk.propose(RESTART), desk.propose(SCALE)
    card = opened(page, desk.product.approval_url, approval_id)
    hang(desk, slow)
    approve(card)
    expect(decided(page, approval_id)).to_contain_text("Waits to run")

    desk.api.change("Deployment", "checkout", replicas=7)
    card = round_two(page, approval_id)

    expect(decided(page, approval_id)).to_have_count(0)
    expect(card.locator(".change .before")).to_contain_text("7")
    assert desk.api.writes == [("PATCH", DEPLOYMENT)]
    approve(card)
    expect(decided(page, approval_id)).to_contain_text("Succeeded")
    assert desk.api.replicas == 3


def test_who_was_told_that_somebody_else_decided_is_asked_again_when_that_became_void(
    browser: Browser, page: Page, desk: ClusterDesk
):
    slow, approval_id = desk.propose(RESTART), desk.propose(SCALE)
    card = opened(page, desk.product.approval_url, approval_id)
    card.get_by_role("button", name="Reject all").click()
    with watched_page(browser) as other:
        others = opened(other, desk.product.approval_url, approval_id)
        other.get_by_label("Your name").fill("Ada")
        hang(desk, slow)
        approve(others)
        expect(decided(other, approval_id)).to_contain_text("Waits to run")
    expect(card).to_contain_text("Ada approved it")

    desk.api.change("Deployment", "checkout", replicas=7)

    card = round_two(page, approval_id)
    expect(card).to_be_focused()
    expect(card.locator(".change .before")).to_contain_text("7")
    approve(card)
    expect(decided(page, approval_id)).to_contain_text("Succeeded")


def test_a_command_that_failed_is_shown_with_its_output_and_the_rest_as_not_run(
    page: Page, desk: ClusterDesk
):
    approval_id = desk.propose(SCALE, RESTART)
    card = opened(page, desk.product.approval_url, approval_id)
    refused = Trouble(403, method="PATCH", reason="Forbidden", message="the quota is used up")
    desk.api.troubles.append(refused)

    approve(card)

    entry = decided(page, approval_id)
    expect(command(entry, 0).get_by_text("Failed", exact=True)).to_be_visible()
    expect(command(entry, 0).locator("pre.quote")).to_contain_text("the quota is used up")
    expect(command(entry, 1).get_by_text("Not run", exact=True)).to_be_visible()
    expect(command(entry, 1).locator("pre.quote")).to_have_text(
        "Not run: a command before it did not succeed."
    )
    expect(entry.locator("summary").first).to_contain_text(re.compile(r"1 . Failed.*1 . Not run"))
    assert desk.api.restarted_at is None


def test_a_command_that_never_ended_is_unknown_and_the_page_says_what_to_look_at(
    page: Page, impatient: ClusterDesk
):
    approval_id = impatient.propose(SCALE, RESTART)
    card = opened(page, impatient.product.approval_url, approval_id)
    impatient.api.troubles.append(Trouble(None, method="PATCH"))

    approve(card)

    entry = decided(page, approval_id)
    output = command(entry, 0).locator("pre.quote")
    expect(command(entry, 0).get_by_text("Outcome unknown", exact=True)).to_be_visible()
    expect(output).to_contain_text("whether it took effect is not known")
    expect(output).to_contain_text("kubectl get deployment/checkout --namespace=shop")
    expect(command(entry, 1).get_by_text("Not run", exact=True)).to_be_visible()
    impatient.api.troubles.clear()
    entry.get_by_role("button", name="Undo", exact=True).click()
    entry.get_by_role("button", name="Yes, take it back").click()
    expect(entry.get_by_role("alert")).to_contain_text("Command 1 may have run or not")
    entry.get_by_role("button", name="Undo it nevertheless").click()
    expect(entry.get_by_text("Taken back", exact=True)).to_be_visible()


def test_what_somebody_changed_since_is_shown_before_an_undo_overwrites_it(
    page: Page, desk: ClusterDesk
):
    approval_id = desk.propose(SCALE)
    card = opened(page, desk.product.approval_url, approval_id)
    approve(card)
    entry = decided(page, approval_id)
    expect(entry.get_by_text("It helped").first).to_be_visible()
    desk.api.change("Deployment", "checkout", replicas=9)

    entry.get_by_role("button", name="Undo", exact=True).click()
    entry.get_by_role("button", name="Yes, take it back").click()
    expect(entry.get_by_role("alert")).to_contain_text("spec.replicas is 9 now")
    assert desk.api.replicas == 9
    entry.get_by_role("button", name="Undo it nevertheless").click()

    expect(entry.get_by_text("Taken back", exact=True)).to_be_visible()
    expect(entry.get_by_text("The outcome was taken back").first).to_be_visible()
    expect(entry.get_by_text("It helped")).to_have_count(0)
    assert desk.api.replicas == 2


def test_the_focus_stays_where_somebody_looks_again_and_takes_back(page: Page, desk: ClusterDesk):
    approval_id = desk.propose(SCALE)
    card = opened(page, desk.product.approval_url, approval_id)
    look = card.get_by_role("button", name="Look at the cluster again")
    for outcome in (Trouble(500, method="GET"), None):
        desk.api.troubles[:] = [outcome] if outcome else []
        look.focus()
        with page.expect_response("**/refresh"):
            page.keyboard.press("Enter")
        expect(look).to_be_enabled()
        expect(look).to_be_focused()
    approve(card)
    entry = decided(page, approval_id)
    entry.get_by_role("button", name="Undo", exact=True).click()
    yes = entry.get_by_role("button", name="Yes, take it back")
    page.route("**/undo", lambda route: route.abort(), times=1)

    yes.focus()
    page.keyboard.press("Enter")
    expect(entry.get_by_role("alert")).to_contain_text("does not answer")
    expect(yes).to_be_focused()
    page.keyboard.press("Enter")

    expect(entry.get_by_text("Taken back", exact=True)).to_be_visible()
    expect(entry.locator("summary").first).to_be_focused()
