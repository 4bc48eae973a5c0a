"""Events: what a workflow says while it runs, and how it stands in its numbered log."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.answer import AgentName
from app.domain.ids import WorkflowId
from app.domain.workflow import Claim


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
    TOKEN = "token"  # noqa: S105 - a piece of a model's answer
    PROGRESS = "progress"
    USAGE = "usage"
    EXAMPLE_USED = "example_used"
    PROPOSAL = "proposal"
    DECISION = "decision"
    EXECUTION = "execution"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened, said by one agent."""

    agent: AgentName
    status: EventStatus
    data: str
    """What the user reads, or JSON as a string."""
    type: EventType = EventType.STATUS
    is_terminal: bool = False
    """Exactly one event of a workflow is terminal: the agents' last."""
    input: str = ""
    """What the agent was given, in a few words."""
    output: str = ""
    """What the agent answered; the same as `data` where an agent completed."""
    outcome: Mapping[str, object] | None = None
    """On the terminal event, what the whole run came to; its `state` is a WorkflowState."""


@dataclass(frozen=True, slots=True)
class Bystander:
    """May write to a workflow that waits for its turn."""


@dataclass(frozen=True, slots=True)
class Latecomer:
    """May write to a workflow whose agents are done, if its log still ends where it looked."""

    last: int
    """The seq of the last event that it has seen."""


Writer = Claim | Bystander | Latecomer
"""On what ground somebody appends."""


@dataclass(frozen=True, slots=True)
class LogBounds:
    """Where a workflow's log begins and ends; 0 stands for an event that is not there yet."""

    first: int
    """The oldest event that is still kept; over 1 once retention has taken older ones away."""
    last: int
    terminal: int
    outcome: int
    """What decisions and executions led to; after it, an undo can come, or a late decision."""


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
