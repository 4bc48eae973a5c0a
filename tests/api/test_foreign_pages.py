"""Which web pages may write to the backend, as their browsers announce them."""

import httpx
import pytest

from tests.fakes.servers import RunningProduct

FOREIGN: list[dict[str, str]] = [
    {"sec-fetch-site": "cross-site", "origin": "http://evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://["},
]
OWN: list[dict[str, str]] = [
    {},
    {"sec-fetch-site": "same-origin", "origin": "https://incidents.example"},
    {"sec-fetch-site": "none"},
    {"origin": "http://127.0.0.1:8501"},
]


def start(product: RunningProduct, headers: dict[str, str]) -> httpx.Response:
    url = f"{product.url}/api/v1/workflows/start"
    with httpx.Client(trust_env=False, timeout=10) as client:
        return client.post(url, content="INFO all is well", headers=headers)


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_foreign_page_cannot_start_a_workflow(product: RunningProduct, headers: dict[str, str]):
    answer = start(product, headers)

    assert answer.status_code == 403
    assert answer.json() == {"detail": "Another web page may not do this."}


@pytest.mark.parametrize("headers", OWN)
def test_programs_and_our_own_page_can(product: RunningProduct, headers: dict[str, str]):
    assert start(product, headers).status_code == 202


def test_a_foreign_page_may_link_to_ours(product: RunningProduct):
    with httpx.Client(trust_env=False, timeout=10) as client:
        answer = client.get(f"{product.url}/ui/", headers={"sec-fetch-site": "cross-site"})

    assert answer.status_code == 200
