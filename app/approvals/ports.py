"""What the approval desk needs from outside, on one page."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from app.domain.ids import ApprovalId, ProcessId
from app.domain.review import Approval, ApprovalStatus, Backlog, CommandStatus, DueReport


class ApprovalStore(Protocol):
    """Every proposal, its decision and its commands; what it acknowledged survives a kill."""

    async def create(
        self, approval: Approval, idempotency_key: str | None, limit: int
    ) -> ApprovalId:
        """Keep a proposal; the id of the first one when the key is known.

        Raises TooBusy when `limit` proposals are pending already.
        """
        ...

    async def get(self, approval_id: ApprovalId) -> Approval | None:
        """One approval."""
        ...

    async def pending(self) -> Sequence[Approval]:
        """All that wait for a decision, oldest first."""
        ...

    async def page(
        self, statuses: Collection[ApprovalStatus], before: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Those in one of the statuses, newest first, and the cursor of the next page, None at the end."""
        ...

    async def decide(self, approval: Approval) -> bool:
        """Keep a decided approval; False when somebody else decided it first."""
        ...

    async def move(
        self, approval_id: ApprovalId, number: int, status: CommandStatus, output: str
    ) -> None:
        """Note a command's next state; raises Conflict when that is not a legal move, or not for
        this server to make.
        """
        ...

    async def interrupt(self, output: str) -> int:
        """Make unknown what this server was executing before, and what dead ones were."""
        ...

    async def take_unsettled(self) -> Sequence[Approval]:
        """Approved ones with commands that still wait, oldest decision first.

        No other server is to execute them, and none has a command of them executing: whoever
        decided has them for as long as it lives.
        """
        ...


class ServerTable(Protocol):
    """Which approval servers share a database; on it, a server is believed to live."""

    async def beat(self) -> Mapping[ProcessId, int]:
        """Count this server's beat up, registering it if need be; the others' counts."""
        ...

    async def strike_off(self, server: ProcessId, seen: int) -> bool:
        """Take a dead server off; False when its count is not the one that was seen last."""
        ...

    async def leave(self) -> None:
        """Take this server off."""
        ...


class ReportOutbox(Protocol):
    """Decisions on their way to the backend."""

    async def unreported(self) -> Sequence[Approval]:
        """Settled approvals that no report was written for, oldest first."""
        ...

    async def add(self, report: DueReport) -> None:
        """Keep a report, once per approval; it is due at once."""
        ...

    async def take_due(self, at: datetime) -> DueReport | None:
        """The oldest report whose time has come and that no other living server is sending.

        It is this server's until it says what came of it, or takes the next one.
        """
        ...

    async def next_due(self) -> datetime | None:
        """When the next report is to be tried that no other server is sending."""
        ...

    async def delivered(self, approval_id: ApprovalId) -> None:
        """The backend has it."""
        ...

    async def postpone(self, approval_id: ApprovalId, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        ...

    async def abandon(self, approval_id: ApprovalId, error: str) -> None:
        """Give it up, and keep why."""
        ...

    async def backlog(self) -> Backlog:
        """How many wait, how many were given up."""
        ...


class ReportSender(Protocol):
    """Takes one report to the backend."""

    async def send(self, report: DueReport, at: datetime) -> None:
        """Deliver; raises WebhookFailed to be tried again, WebhookRefused when that is useless."""
        ...
