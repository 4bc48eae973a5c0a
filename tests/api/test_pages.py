"""The page and the API's own pages as HTTP serves them, and what their source may not contain."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from fastapi import FastAPI

from app.api.docs import mount_docs
from app.api.pages import mount_pages
from app.web import WEB_FOLDER
from tests.fakes.servers import serving

PAGES = ["/ui/", "/docs", "/redoc"]
SOURCES = sorted(path for path in WEB_FOLDER.rglob("*") if path.suffix in {".html", ".css", ".js"})
SCRIPTS = [path for path in SOURCES if path.suffix == ".js"]
LONGEST_MODULE = 300
MARKUP_SINKS = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|setHTML|"
    r"createContextualFragment|DOMParser|\beval\(|new Function"
)
TEXT_CONTRAST = 4.5
EDGE_CONTRAST = 3.0
READ_ON = {
    "text": ["page", "surface", "sunken"],
    "muted": ["page", "surface", "sunken"],
    "accent": ["page", "surface", "sunken"],
    "on-accent": ["accent", "accent-strong"],
    "good": ["surface", "good-soft"],
    "warn": ["surface", "warn-soft"],
    "bad": ["surface", "bad-soft"],
    "info": ["surface", "info-soft"],
}
NAMESPACE = "http://www.w3.org/2000/svg"


class Links(HTMLParser):
    """Everything that a page loads, and whether it holds code of its own."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.inline += [name for name in values if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in values):
            self.inline.append(tag)
        address = values.get("src") or (values.get("href") if tag == "link" else None)
        if address:
            self.loaded.append(address)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    app = FastAPI(title="Pages", docs_url=None, redoc_url=None)
    mount_docs(app)
    mount_pages(app)
    with serving(app) as address, httpx.Client(base_url=address) as http:
        yield http


@pytest.mark.parametrize("page", PAGES)
def test_a_page_loads_only_from_here_and_all_of_it_is_there(client: httpx.Client, page: str):
    answer = client.get(page)

    links = Links(answer.text)
    assert answer.status_code == 200
    assert links.loaded
    assert links.inline == []
    for address in links.loaded:
        target = urljoin(str(answer.url), address)
        assert urlsplit(target).netloc == answer.url.netloc.decode()
        assert client.get(target).status_code == 200, address


@pytest.mark.parametrize("path", ["/ui/", "/ui/main.js", "/ui/theme.css", "/ui/icon.svg", "/redoc"])
def test_nothing_foreign_may_run_or_load(client: httpx.Client, path: str):
    headers = client.get(path).headers

    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


def test_a_reload_asks_for_changes_only(client: httpx.Client):
    etag = client.get("/ui/main.js").headers["etag"]

    answer = client.get("/ui/main.js", headers={"If-None-Match": etag})

    assert answer.status_code == 304
    assert answer.headers["content-security-policy"]


def test_the_page_is_found_without_its_slash(client: httpx.Client):
    answer = client.get("/ui", follow_redirects=True)

    assert answer.url.path == "/ui/"
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/ui/__init__.py",
        "/ui/approvals/index.html",
        "/ui/approvals/",
        "/ui/%2e%2e/settings.py",
        "/ui/..%2f..%2fpyproject.toml",
        "/docs/assets/..%2f__init__.py",
    ],
)
def test_nothing_else_of_the_folder_is_served(client: httpx.Client, path: str):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(WEB_FOLDER)))
def test_a_script_builds_nodes_and_never_markup(script: Path):
    text = script.read_text(encoding="utf-8")

    assert not MARKUP_SINKS.search(text)
    assert len(text.splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(WEB_FOLDER)))
def test_a_source_names_no_foreign_host(source: Path):
    text = source.read_text(encoding="utf-8").replace(NAMESPACE, "")

    assert not re.search(r"https?://\w|['\"]//\w", text)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(WEB_FOLDER)))
def test_every_import_names_a_module_that_is_there(script: Path):
    imports = re.findall(r'from "(\.[^"]+)"', script.read_text(encoding="utf-8"))

    for name in imports:
        assert (script.parent / name).resolve().is_file() or (WEB_FOLDER / name).is_file(), name


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_on_its_background(scheme: str):
    light, dark = (WEB_FOLDER / "theme.css").read_text(encoding="utf-8").split("@media (prefers", 1)
    colours = colours_in(light) | (colours_in(dark) if scheme == "dark" else {})

    for text, backgrounds in READ_ON.items():
        for background in backgrounds:
            ratio = contrast(colours[text], colours[background])
            assert ratio >= TEXT_CONTRAST, f"{text} on {background}: {ratio:.2f}"
    assert contrast(colours["line-strong"], colours["surface"]) >= EDGE_CONTRAST


def colours_in(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): #([0-9a-f]{6});", css))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
