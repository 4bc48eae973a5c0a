"""The states of an approval and of its commands, and which can follow on which."""

from collections.abc import Mapping
from enum import StrEnum


class ApprovalStatus(StrEnum):
    """A decision is for good, unless it is void before anything of it has begun."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


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
    ApprovalStatus.PENDING: frozenset(
        {ApprovalStatus.APPROVED, ApprovalStatus.REJECTED, ApprovalStatus.EXPIRED}
    ),
    ApprovalStatus.APPROVED: frozenset({ApprovalStatus.PENDING}),
    ApprovalStatus.REJECTED: frozenset(),
    ApprovalStatus.EXPIRED: frozenset(),
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
