"""Answers of the workflow endpoints."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.domain.approval import SubmissionReport
from app.domain.incident import Analysis, Findings
from app.domain.plan import Remediation
from app.domain.workflow import WorkflowState


class StartedWorkflow(BaseModel):
    """A workflow that was taken in."""

    workflow_id: str


class CancelledWorkflow(BaseModel):
    """A workflow that was asked to stop, and how it stands now."""

    workflow_id: str
    state: WorkflowState


class WorkflowSummary(BaseModel):
    """One line of the list."""

    model_config = ConfigDict(from_attributes=True)

    workflow_id: str
    state: WorkflowState
    created_at: datetime
    finished_at: datetime | None
    title: str
    outcome: str


class WorkflowPage(BaseModel):
    """A page of the list, and the `before` of the next one."""

    workflows: list[WorkflowSummary]
    next: int | None


class WorkflowResult(BaseModel):
    """The agents' answers so far."""

    findings: Findings | None
    analysis: Analysis | None
    remediation: Remediation | None
    submissions: SubmissionReport | None
    decisions: list[dict[str, Any]]
    """What people decided, oldest first."""
    executions: list[dict[str, Any]]
    """The ends of the commands that were approved."""
    outcome: dict[str, Any] | None
    """What it all came to; None while something is open."""
    is_held_out: bool
    """Whether it was planned without examples, to measure what they gain."""
    holdout_reason: str | None
    """The same as a sentence."""
    guidance: dict[str, Any] | None
    """The earlier plans, lessons, rejections and scores it was planned with, each with its reason."""


class WorkflowInputSummary(BaseModel):
    """What the workflow works on, in numbers."""

    total_lines: int
    total_bytes: int
    redactions: dict[str, int]


class WorkflowDetails(WorkflowSummary):
    """One workflow in full; timings are seconds per agent."""

    result: WorkflowResult
    timings: dict[str, float]
    input: WorkflowInputSummary | None
    """None once retention has taken it away."""


class Sample(BaseModel):
    """An input to try the product on."""

    name: str
    title: str
    description: str


class SampleList(BaseModel):
    """All samples."""

    samples: list[Sample]


class Backend(BaseModel):
    """Who answers at `/`."""

    status: str
    features: list[str]
    version: str
    engine: str
    approval_url: str
    max_body_mib: int
    log_source: bool
    """Whether /fetchlogs is configured."""


class Readiness(BaseModel):
    """Whether each dependency works; a reason where it does not."""

    status: str
    checks: dict[str, str]
    notes: dict[str, str] = {}
    """What works and is less than it could be."""
