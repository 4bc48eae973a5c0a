"""What pages of other origins can do with the approval server: nothing, and they learn nothing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from playwright.sync_api import Browser, Page

from tests.fakes.approvals import payload
from tests.fakes.browser import MARKS, WAIT_LIMIT_MS
from tests.fakes.servers import serving
from tests.fakes.waiting import wait_until

pytestmark = MARKS

VERBS = ("approve", "reject", "undo", "refresh")
ENCODINGS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
READS = ("/api/approvals/pending", "/api/approvals", "/api/config", "/ready", "/mcp", "/")

SUBMIT = """([target, encoding, fields]) => {
  const frame = document.createElement("iframe");
  frame.name = "sink";
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: target, enctype: encoding, target: "sink"});
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    Object.assign(input, {type: "hidden", name, value});
    form.append(input);
  }
  document.body.replaceChildren(frame, form);
  form.submit();
}"""

FETCH = """async ([target, method]) => {
  const text = '{"reviewer": "Mallory", "reason": "no"}';
  const bodies = method === "POST" ? [["application/json", text], ["text/plain", text], []] : [[]];
  const answers = new Set();
  for (const mode of ["cors", "no-cors"])
    for (const credentials of ["omit", "include"])
      for (const keepalive of [false, true])
        for (const [kind, body] of bodies) {
          const headers = kind ? {"Content-Type": kind} : {};
          const asked = fetch(target, {method, mode, credentials, keepalive, headers, body});
          answers.add(await asked.then(answer => answer.type, () => "failed"));
        }
  return [...answers];
}"""

LISTEN = """async ([base, paths]) => {
  const ended = (source) => new Promise(done => {
    source.onopen = source.onmessage = () => done("open");
    source.onerror = () => done("failed");
  });
  const loaded = (node) => new Promise(done => {
    node.onload = () => done("open");
    node.onerror = () => done("failed");
    document.head.append(node);
  });
  const answers = [];
  for (const path of paths) {
    answers.push(await ended(new EventSource(base + path)));
    answers.push(await ended(new WebSocket(base.replace("http", "ws") + path)));
    for (const [name, key] of [["script", "src"], ["img", "src"], ["link", "href"]])
      answers.push(await loaded(Object.assign(document.createElement(name), {[key]: base + path, rel: "stylesheet"})));
  }
  return [...new Set(answers)];
}"""

FRAME = """target => new Promise(done => {
  const frame = document.createElement("iframe");
  frame.src = target;
  frame.onload = () => {
    try {
      done(frame.contentWindow.document.body.innerText);
    } catch (error) {
      done(error.name);
    }
  };
  document.body.replaceChildren(frame);
})"""


@pytest.fixture
def foreign(browser: Browser) -> Iterator[Page]:
    """A page that somebody else serves on another port of the same host."""
    app = FastAPI()

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        return "<!doctype html><title>Win a prize</title><button>Win</button>"

    with serving(app) as url:
        context = browser.new_context()
        context.set_default_timeout(WAIT_LIMIT_MS)
        opened = context.new_page()
        opened.goto(url)
        yield opened
        context.close()


@pytest.fixture
def approval_id(server: httpx.Client) -> str:
    answer = server.post("/api/approvals/propose", json=payload())
    return str(answer.json()["approval_id"])


def base(server: httpx.Client) -> str:
    return str(server.base_url).rstrip("/")


def state(server: httpx.Client, folder: Path) -> tuple[Any, str]:
    """Everything that anybody could have changed, and the trail of who did."""
    return server.get("/api/approvals").json(), (folder / "audit.jsonl").read_text()


@pytest.fixture
def before(server: httpx.Client, approval_id: str, tmp_path: Path) -> tuple[Any, str]:
    trail = tmp_path / "audit.jsonl"
    wait_until(lambda: trail.exists() and "proposed" in trail.read_text())
    address = f"/api/approvals/{approval_id}"
    wait_until(lambda: server.get(address).json()["commands"][0]["proof"])
    found = state(server, tmp_path)
    assert [one["id"] for one in found[0]["approvals"]] == [approval_id]
    return found


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("fields", [{}, {'{"reviewer": "Mallory", "reason": "': '"}'}])
def test_a_form_of_another_origin_decides_nothing(
    foreign: Page,
    server: httpx.Client,
    tmp_path: Path,
    approval_id: str,
    before: tuple[Any, str],
    encoding: str,
    fields: dict[str, str],
):
    statuses = []
    for path in (*(f"{approval_id}/{verb}" for verb in VERBS), "propose"):
        target = f"{base(server)}/api/approvals/{path}"
        with foreign.expect_response(target) as posted:
            foreign.evaluate(SUBMIT, [target, encoding, fields])
        statuses.append(posted.value.status)

    assert set(statuses) == {403}
    assert state(server, tmp_path) == before


def test_a_script_of_another_origin_decides_nothing_and_gets_no_answer(
    foreign: Page,
    server: httpx.Client,
    tmp_path: Path,
    approval_id: str,
    before: tuple[Any, str],
):
    targets = [f"{base(server)}/api/approvals/{approval_id}/{verb}" for verb in VERBS]
    targets += [f"{base(server)}/api/approvals/propose", f"{base(server)}/mcp"]

    answers = {target: foreign.evaluate(FETCH, [target, "POST"]) for target in targets}

    assert answers == {target: ["failed"] for target in targets}
    assert state(server, tmp_path) == before


def test_a_script_of_another_origin_reads_nothing(
    foreign: Page, server: httpx.Client, approval_id: str
):
    paths = [*READS, f"/api/approvals/{approval_id}", "/approvals.js"]

    answers = {path: foreign.evaluate(FETCH, [base(server) + path, "GET"]) for path in paths}

    assert answers == {path: ["failed"] for path in paths}
    assert foreign.evaluate(LISTEN, [base(server), paths]) == ["failed"]


@pytest.mark.parametrize("path", ["/", "/api/approvals/pending"])
def test_the_page_cannot_be_framed_by_another_origin(
    foreign: Page, server: httpx.Client, path: str
):
    said = foreign.evaluate(FRAME, base(server) + path)

    frame = foreign.frames[1]
    assert said == "SecurityError"
    assert "Approvals" not in frame.content()
    assert frame.url.startswith("chrome-error:")


def test_a_window_that_another_origin_opens_is_out_of_its_reach(
    foreign: Page, server: httpx.Client, approval_id: str
):
    foreign.evaluate(
        "target => document.querySelector('button').onclick = () => window.opened = open(target)",
        f"{base(server)}/#{approval_id}",
    )

    with foreign.expect_popup() as popup:
        foreign.get_by_role("button").click()
    popup.value.locator(f"[id='{approval_id}']").wait_for()

    assert popup.value.evaluate("window.opener") is None
    assert foreign.evaluate("window.opened.closed")
