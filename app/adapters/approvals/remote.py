"""ApprovalGate: the client of an approval server, ours or one of the older kind."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from app.domain.approval import Proposal
from app.domain.errors import ApprovalGateFailed, ProposalDeclined, ProposalRefused
from app.domain.ids import ApprovalId

PROPOSE_SECONDS = 10.0
PROBE_SECONDS = 1.0
SHOWN_ERROR = 200
UNUSABLE = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}
"""The same proposal would get the same answer for ever."""
KEYS = "idempotency-key"
FEATURES = (KEYS, "per-command", "edit", "expiry", "undo", "audit", "webhook-types")
"""What our own kind of server knows, and says in its configuration."""

log = logging.getLogger(__name__)


class _Configuration(BaseModel):
    """What a server of our kind says of itself."""

    model_config = ConfigDict(extra="ignore")
    features: tuple[str, ...]


class _Reply(BaseModel):
    """What a proposal is answered with; the older server says errors with status 200, too."""

    model_config = ConfigDict(extra="ignore")
    approval_id: str | None = None
    first_approval_id: str | None = None
    """What the key belongs to, where the body is not the same."""
    error: str | None = None


class _QueuedCommand(BaseModel):
    command: str


class _Queued(BaseModel):
    """A proposal that waits at the server."""

    id: str
    action: str
    commands: tuple[_QueuedCommand, ...]
    metadata: dict[str, JsonValue]

    def holds(self, proposal: Proposal) -> bool:
        """Whether it is this one."""
        commands = [command.command for command in self.commands]
        return (
            self.metadata.get("workflow_id") == proposal.metadata.workflow_id
            and self.action == proposal.action
            and commands == [command.command for command in proposal.commands]
        )


class _Listing(BaseModel):
    approvals: tuple[_Queued, ...]


class RemoteApprovalGate:
    """Talks to one approval server over one client."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        url: str,
        page_url: str,
        *,
        is_ours: bool,
    ) -> None:
        """Use `open_remote_gate` instead: it closes the client."""
        self._client = client
        self._url = url.rstrip("/")
        self._page_url = page_url
        self._is_ours = is_ours
        self._features: tuple[str, ...] | None = FEATURES if is_ours else None

    @property
    def page_url(self) -> str:
        """Where a person decides."""
        return self._page_url

    @property
    def lacks(self) -> tuple[str, ...]:
        """What its protocol does not know, as far as it was asked."""
        known = FEATURES if self._features is None else self._features
        return tuple(feature for feature in FEATURES if feature not in known)

    async def propose(self, proposal: Proposal, idempotency_key: str) -> ApprovalId:
        """Submit once per key; raises ApprovalGateFailed."""
        content = proposal.model_dump_json()
        headers = {"content-type": "application/json", "idempotency-key": idempotency_key}
        try:
            async with asyncio.timeout(PROPOSE_SECONDS):
                queued = None if await self._knows_keys() else await self._queued(proposal)
                if queued is not None:
                    return queued
                response = await self._client.post(
                    f"{self._url}/api/approvals/propose", content=content, headers=headers
                )
        except (httpx.HTTPError, TimeoutError) as error:
            self._forget()
            raise ApprovalGateFailed(
                f"The approval server at {self._url} does not answer;"
                " the proposal is kept and will be tried again."
            ) from error
        return self._approval_id(response)

    async def trouble(self) -> str | None:
        """Why it cannot be reached; None when it can."""
        try:
            # Servers of the old kind have no other page that tells; ours may have thousands waiting.
            page = "/health" if await self._knows_keys() else "/api/approvals/pending"
            response = await self._client.get(f"{self._url}{page}", timeout=PROBE_SECONDS)
        except httpx.HTTPError:
            self._forget()
            return f"The approval server at {self._url} does not answer."
        if response.status_code != HTTPStatus.OK:
            return f"The approval server at {self._url} answers {response.status_code}."
        return None

    async def _knows_keys(self) -> bool:
        """Whether a proposal that comes again is known there; asked once, and after failures."""
        if self._features is None:
            await self._ask()
        return self._features is not None and KEYS in self._features

    async def _ask(self) -> None:
        response = await self._client.get(f"{self._url}/api/config", timeout=PROBE_SECONDS)
        if response.is_server_error:
            return  # it is in trouble: this says nothing of its kind
        try:
            self._features = _Configuration.model_validate_json(response.content).features
        except ValidationError:
            self._features = ()
        if self.lacks:
            log.warning("the approval server lacks features", extra={"lacks": self.lacks})

    def _forget(self) -> None:
        """Another one may answer at this address the next time."""
        if not self._is_ours:
            self._features = None

    async def _queued(self, proposal: Proposal) -> ApprovalId | None:
        """An earlier try may have arrived although its answer did not; a second would run twice."""
        response = await self._client.get(f"{self._url}/api/approvals/pending")
        try:
            waiting = _Listing.model_validate_json(response.content).approvals
        except ValidationError:
            return None
        return next((ApprovalId(one.id) for one in waiting if one.holds(proposal)), None)

    def _approval_id(self, response: httpx.Response) -> ApprovalId:
        try:
            reply = _Reply.model_validate_json(response.content)
        except ValidationError:
            reply = _Reply()
        if reply.approval_id and response.is_success:
            return ApprovalId(reply.approval_id)
        if reply.first_approval_id:
            # An earlier release worded it otherwise under the same key: it waits there.
            return ApprovalId(reply.first_approval_id)
        reason = reply.error or f"it answers {response.status_code} without an approval_id"
        is_for_good = response.status_code in UNUSABLE
        raise (ProposalDeclined if is_for_good else ProposalRefused)(
            f"The approval server at {self._url} did not take the proposal:"
            f" {reason[:SHOWN_ERROR].rstrip('.')}."
        )


@asynccontextmanager
async def open_remote_gate(
    url: str, page_url: str, *, is_ours: bool = False
) -> AsyncIterator[RemoteApprovalGate]:
    """The gate to the server at `url`, whose page browsers find at `page_url`.

    One that is not known to be ours is asked for its kind: servers of the older kind do not know
    idempotency keys, and what waits there is looked at first.
    """
    async with httpx.AsyncClient(trust_env=False, timeout=PROPOSE_SECONDS) as client:
        yield RemoteApprovalGate(client, url, page_url, is_ours=is_ours)
