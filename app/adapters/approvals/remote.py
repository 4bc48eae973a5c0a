"""ApprovalGate: the client of an approval server, ours or one of the older kind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import httpx
from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from app.domain.approval import Proposal
from app.domain.errors import ApprovalGateFailed, ProposalRefused
from app.domain.ids import ApprovalId

PROPOSE_SECONDS = 10.0
PROBE_SECONDS = 1.0
SHOWN_ERROR = 200


class _Reply(BaseModel):
    """What a proposal is answered with; the older server says errors with status 200, too."""

    model_config = ConfigDict(extra="ignore")
    approval_id: str | None = None
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
        self, client: httpx.AsyncClient, url: str, page_url: str, *, knows_keys: bool
    ) -> None:
        """Use `open_remote_gate` instead: it closes the client."""
        self._client = client
        self._url = url.rstrip("/")
        self._page_url = page_url
        self._knows_keys = knows_keys

    @property
    def page_url(self) -> str:
        """Where a person decides."""
        return self._page_url

    async def propose(self, proposal: Proposal, idempotency_key: str) -> ApprovalId:
        """Submit once per key; raises ApprovalGateFailed."""
        content = proposal.model_dump_json()
        headers = {"content-type": "application/json", "idempotency-key": idempotency_key}
        try:
            async with asyncio.timeout(PROPOSE_SECONDS):
                queued = None if self._knows_keys else await self._queued(proposal)
                if queued is not None:
                    return queued
                response = await self._client.post(
                    f"{self._url}/api/approvals/propose", content=content, headers=headers
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise ApprovalGateFailed(
                f"The approval server at {self._url} does not answer;"
                " the proposal is kept and will be tried again."
            ) from error
        return self._approval_id(response)

    async def trouble(self) -> str | None:
        """Why it cannot be reached; None when it can."""
        # Servers of the old kind have no other page that tells; ours may have thousands waiting.
        page = "/health" if self._knows_keys else "/api/approvals/pending"
        try:
            response = await self._client.get(f"{self._url}{page}", timeout=PROBE_SECONDS)
        except httpx.HTTPError:
            return f"The approval server at {self._url} does not answer."
        if response.status_code != HTTPStatus.OK:
            return f"The approval server at {self._url} answers {response.status_code}."
        return None

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
        reason = reply.error or f"it answers {response.status_code} without an approval_id"
        raise ProposalRefused(
            f"The approval server at {self._url} did not take the proposal:"
            f" {reason[:SHOWN_ERROR].rstrip('.')}."
        )


@asynccontextmanager
async def open_remote_gate(
    url: str, page_url: str, *, knows_keys: bool = True
) -> AsyncIterator[RemoteApprovalGate]:
    """The gate to the server at `url`, whose page browsers find at `page_url`.

    A server of the older kind does not know idempotency keys: what waits there is looked at first.
    """
    async with httpx.AsyncClient(trust_env=False, timeout=PROPOSE_SECONDS) as client:
        yield RemoteApprovalGate(client, url, page_url, knows_keys=knows_keys)
