"""What a run knows: the answers so far, and how they are found again after a restart."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import orjson

from app.agents.agent import Voice
from app.agents.sighting import ReadInput
from app.domain.answer import AgentName
from app.domain.approval import SubmissionReport
from app.domain.events import EventStatus, EventType, Recorded
from app.domain.guidance import Guidance
from app.domain.incident import Analysis, Findings
from app.domain.logbatch import LogBatch
from app.domain.plan import Remediation


class State(TypedDict, total=False):
    """The agents' answers; a key is there once its agent has completed."""

    findings: Findings
    analysis: Analysis
    guidance: Guidance
    remediation: Remediation
    report: SubmissionReport


@dataclass(frozen=True, slots=True)
class Run:
    """What every node needs besides the state."""

    voice: Voice
    batch: LogBatch
    read_input: ReadInput
    """For what the batch does not show; it is large, so nobody keeps it."""
    announced: frozenset[str] = frozenset()
    """Approval ids that the events name already: a resumed run does not say them again."""
    answers: State = field(default_factory=State)
    """What the agents said according to the events: truer than the place the graph has kept."""


def answers_in(recorded: Sequence[Recorded]) -> State:
    """The answers that stand in a workflow's events: an agent that completed is not asked again."""
    state = State()
    for event in recorded:
        if event.type is not EventType.STATUS:
            continue
        frame = orjson.loads(event.frame)
        if frame["status"] == EventStatus.COMPLETED:
            _keep(state, frame["agent_name"], frame["data"])
    return state


def proposals_in(recorded: Sequence[Recorded]) -> list[dict[str, Any]]:
    """What the workflow's events say was submitted."""
    return [
        orjson.loads(orjson.loads(event.frame)["data"])
        for event in recorded
        if event.type is EventType.PROPOSAL
    ]


def _keep(state: State, agent: str, answer: str) -> None:
    match agent:
        case AgentName.MONITORING:
            state["findings"] = Findings.model_validate_json(answer)
        case AgentName.ANALYSIS:
            state["analysis"] = Analysis.model_validate_json(answer)
        case AgentName.REMEDIATION:
            state["remediation"] = Remediation.model_validate_json(answer)
        case AgentName.KUBECTL_COMMAND:
            state["report"] = SubmissionReport.model_validate_json(answer)
        case _:
            pass
