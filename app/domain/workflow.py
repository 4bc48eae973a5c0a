"""A workflow's record: one run of the four agents over one input."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.ids import ProcessId, WorkflowId


class WorkflowState(StrEnum):
    """QUEUED and RUNNING go on after a restart; the others are for good."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return self not in {WorkflowState.QUEUED, WorkflowState.RUNNING}


@dataclass(frozen=True, slots=True)
class WorkflowRecord:
    """What is kept of a workflow beside its events and its input."""

    workflow_id: WorkflowId
    state: WorkflowState
    created_at: datetime
    finished_at: datetime | None
    title: str
    """The first problem's words, or the first line of the input; redacted, at most 120 characters."""
    outcome: str
    """The terminal event's sentence; empty while it runs."""


@dataclass(frozen=True, slots=True)
class WorkflowInput:
    """What a workflow works on; never anything that was not redacted."""

    text: str
    redactions: tuple[tuple[str, int], ...]
    """Kind of secret and how often it was replaced."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A process's right to run a workflow and to write its events; a later claim voids it."""

    owner: ProcessId
    number: int
    """How often the workflow was claimed, this time included: the fencing token."""
