"""The approval server as the terminal reaches it, also one of the old kind."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import httpx

from app.domain.errors import ApprovalGateFailed, BadInput, Conflict, NotFound

SECONDS = 15.0
RECENT = 100
View = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ApprovalClient:
    """Every answer that is no success is an error with the server's own sentence."""

    http: httpx.Client
    url: str
    features: frozenset[str]
    """Empty for a server of the old kind."""

    @property
    def is_old(self) -> bool:
        """Whether it knows only pending requests and decisions about the whole of them."""
        return not self.features

    def pending(self) -> list[View]:
        """All that wait, oldest first."""
        return list(self._ask("GET", "/api/approvals/pending")["approvals"])

    def recent(self) -> list[View]:
        """The newest ones in any state; what waits, from a server of the old kind."""
        if self.is_old:
            return self.pending()
        return list(self._ask("GET", f"/api/approvals?limit={RECENT}")["approvals"])

    def one(self, beginning: str) -> View:
        """The only one whose id begins so; raises NotFound, BadInput."""
        listed = {view["id"]: view for view in (*self.recent(), *self.pending())}
        if beginning in listed:
            return listed[beginning]
        matches = [view for name, view in listed.items() if name.startswith(beginning)]
        if len(matches) > 1:
            raise BadInput(f"{len(matches)} requests begin with {beginning}: name more of the id.")
        if matches:
            return matches[0]
        if self.is_old:
            raise NotFound(f"No request that waits begins with {beginning}.")
        found: View = self._ask("GET", f"/api/approvals/{beginning}")
        return found

    def decide(self, approval_id: str, verb: str, body: Mapping[str, object]) -> View:
        """Approve, reject or undo."""
        answer: View = self._ask("POST", f"/api/approvals/{approval_id}/{verb}", body)
        return answer

    def demand(self, feature: str, what: str) -> None:
        """Raise BadInput when the server cannot do it."""
        if feature not in self.features:
            raise BadInput(
                f"The approval server at {self.url} is of an older kind and cannot {what}: it"
                " approves or rejects a request as a whole."
            )

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        return ask(self.http, self.url, method, path, body)


def connect(http: httpx.Client, url: str) -> ApprovalClient:
    """Learn what the server can do; raises ApprovalGateFailed."""
    try:
        config = ask(http, url, "GET", "/api/config")
    except (NotFound, BadInput):
        config = {}
    features = config.get("features", []) if isinstance(config, dict) else []
    return ApprovalClient(http, url, frozenset(map(str, features)))


def ask(http: httpx.Client, url: str, method: str, path: str, body: object = None) -> Any:
    """One call; raises an error of ours for everything but a success."""
    try:
        response = http.request(method, f"{url}{path}", json=body, timeout=SECONDS)
        answer = response.json() if response.content else {}
    except httpx.HTTPError:
        raise ApprovalGateFailed(
            f"The approval server at {url} does not answer: start the product, or correct"
            " MCP_SERVER_URL."
        ) from None
    except ValueError:
        raise ApprovalGateFailed(f"What answers at {url} is no approval server.") from None
    if response.is_success:
        return answer
    sentence = _sentence(answer) or f"It answers {response.status_code}."
    match response.status_code:
        case HTTPStatus.NOT_FOUND:
            raise NotFound(sentence)
        case HTTPStatus.CONFLICT:
            raise Conflict(sentence)
        case status if status < HTTPStatus.INTERNAL_SERVER_ERROR:
            raise BadInput(sentence)
        case _:
            raise ApprovalGateFailed(sentence)


def _sentence(answer: object) -> str:
    """The detail where it is a sentence, with who was first; else the error."""
    if not isinstance(answer, dict):
        return ""
    detail = answer.get("detail")
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        return str(detail[0].get("msg", ""))
    sentence = str(detail if isinstance(detail, str) else answer.get("error", ""))
    if reviewer := answer.get("reviewer"):
        return f"{sentence} By {reviewer}, {answer.get('decided_at')}."
    if decided_at := answer.get("decided_at"):
        return f"{sentence} That was at {decided_at}."
    return sentence
