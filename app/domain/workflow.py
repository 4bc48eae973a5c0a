"""A workflow's record: one run of the four agents over one input."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.ids import WorkflowId


class WorkflowState(StrEnum):
    """QUEUED and RUNNING go on after a restart; COMPLETED and FAILED are for good."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """Whether nothing can follow."""
        return self in {WorkflowState.COMPLETED, WorkflowState.FAILED}


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
