"""Events: what a workflow says while it runs, and how it stands in its numbered log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.answer import AgentName
from app.domain.ids import WorkflowId


class EventStatus(StrEnum):
    """The contract's five statuses."""

    WORKING = "WORKING"
    THINKING = "THINKING"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"
    INFO = "INFO"


class EventType(StrEnum):
    """`status` events are unnamed on the wire; the others carry their type as the SSE event name."""

    STATUS = "status"
    PROGRESS = "progress"
    EXAMPLE_USED = "example_used"
    PROPOSAL = "proposal"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, said by one agent."""

    agent: AgentName
    status: EventStatus
    data: str
    """What the user reads, or JSON as a string."""
    type: EventType = EventType.STATUS
    is_terminal: bool = False
    """Exactly one event of a workflow is terminal: its last."""
    input: str = ""
    """What the agent was given, in a few words."""
    output: str = ""
    """What the agent answered; the same as `data` where an agent completed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A stored event; `frame` is the JSON object that every client gets, byte for byte."""

    workflow_id: WorkflowId
    seq: int
    """Position in the workflow's log, from 1 without gaps."""
    type: EventType
    is_terminal: bool
    frame: bytes
    recorded_at: datetime
