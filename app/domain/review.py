"""An approval at the desk: what a person sees, decides, and what came of each command."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import JsonValue

from app.domain.approval import Decision
from app.domain.errors import Conflict
from app.domain.ids import ApprovalId

DEFAULT_REASON = "Rejected by user"


class ApprovalStatus(StrEnum):
    """A decision is for good."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class CommandStatus(StrEnum):
    """How far one command of an approval came."""

    WAITING = "waiting"
    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It was started, and nobody saw how it ended; it is never run again."""
    SKIPPED = "skipped"
    RECORDED = "recorded"
    """Approved, and nothing was run, because no cluster is configured."""

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return not COMMAND_MOVES[self]


APPROVAL_MOVES: Mapping[ApprovalStatus, frozenset[ApprovalStatus]] = {
    ApprovalStatus.PENDING: frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}),
    ApprovalStatus.APPROVED: frozenset(),
    ApprovalStatus.REJECTED: frozenset(),
}

COMMAND_MOVES: Mapping[CommandStatus, frozenset[CommandStatus]] = {
    CommandStatus.WAITING: frozenset(
        {
            CommandStatus.EXECUTING,
            CommandStatus.FAILED,
            CommandStatus.SKIPPED,
            CommandStatus.RECORDED,
        }
    ),
    CommandStatus.EXECUTING: frozenset(
        {CommandStatus.SUCCEEDED, CommandStatus.FAILED, CommandStatus.UNKNOWN}
    ),
    CommandStatus.SUCCEEDED: frozenset(),
    CommandStatus.FAILED: frozenset(),
    CommandStatus.UNKNOWN: frozenset(),
    CommandStatus.SKIPPED: frozenset(),
    CommandStatus.RECORDED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class ReviewedCommand:
    """A proposed command with the policy's verdict and its fate."""

    text: str
    explanation: str
    safety_level: str
    """The proposer's own label."""
    risk: str
    """The higher one of the policy's verdict and the label."""
    reasons: tuple[str, ...]
    is_refused: bool
    """The policy forbids it or it does not parse: it never runs, whoever approves it."""
    status: CommandStatus = CommandStatus.WAITING
    output: str = ""

    def move(self, status: CommandStatus, output: str = "") -> Self:
        """The command in its next state; raises Conflict."""
        if status not in COMMAND_MOVES[self.status]:
            raise Conflict(f"A command that is {self.status} cannot become {status}.")
        return replace(self, status=status, output=output)


@dataclass(frozen=True, slots=True)
class Approval:
    """A proposal from its arrival to the last of its commands."""

    approval_id: ApprovalId
    action: str
    commands: tuple[ReviewedCommand, ...]
    metadata: Mapping[str, JsonValue]
    proposed_at: datetime
    status: ApprovalStatus = ApprovalStatus.PENDING
    decided_at: datetime | None = None
    reviewer: str | None = None
    reason: str | None = None

    def decide(
        self, decision: Decision, reviewer: str | None, reason: str | None, at: datetime
    ) -> Self:
        """The approval with a person's decision; raises Conflict when there is one already."""
        status = ApprovalStatus(decision)
        if status not in APPROVAL_MOVES[self.status]:
            raise Conflict(f"This request is {self.status} already.")
        is_rejected = decision is Decision.REJECTED
        return replace(
            self,
            status=status,
            commands=tuple(_after(decision, command) for command in self.commands),
            decided_at=at,
            reviewer=reviewer,
            reason=(reason or DEFAULT_REASON) if is_rejected else None,
        )

    def without_cluster(self) -> Self:
        """The approved commands as recorded: there is nothing they could run on."""
        return replace(
            self,
            commands=tuple(
                command.move(CommandStatus.RECORDED, "Recorded; no cluster is configured.")
                if command.status is CommandStatus.WAITING
                else command
                for command in self.commands
            ),
        )

    @property
    def is_settled(self) -> bool:
        """Whether it is decided and every command has come to its end."""
        return self.status is not ApprovalStatus.PENDING and all(
            command.status.is_final for command in self.commands
        )

    @property
    def approved_count(self) -> int:
        """Approved commands that the policy allows."""
        if self.status is not ApprovalStatus.APPROVED:
            return 0
        return sum(not command.is_refused for command in self.commands)

    @property
    def rejected_count(self) -> int:
        """Rejected commands, and approved ones that the policy refuses."""
        if self.status is ApprovalStatus.PENDING:
            return 0
        return len(self.commands) - self.approved_count


@dataclass(frozen=True, slots=True)
class DueReport:
    """A decision that the backend has not acknowledged yet."""

    approval_id: ApprovalId
    body: bytes
    created_at: datetime
    attempts: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Reports on their way and reports given up."""

    waiting: int
    abandoned: int
    last_error: str


def _after(decision: Decision, command: ReviewedCommand) -> ReviewedCommand:
    if decision is Decision.REJECTED:
        return command.move(CommandStatus.SKIPPED, "Not run: the request was rejected.")
    if command.is_refused:
        return command.move(
            CommandStatus.FAILED, f"refused by policy: {'; '.join(command.reasons)}"
        )
    return command
