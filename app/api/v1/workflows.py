"""Workflows: start, cancel, list, read."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from app.api.bodies import MIB, read_body
from app.api.deps import Parts
from app.api.schemas import (
    CancelledWorkflow,
    StartedWorkflow,
    WorkflowDetails,
    WorkflowInputSummary,
    WorkflowPage,
    WorkflowResult,
    WorkflowSummary,
)
from app.api.streams.requests import parse_workflow_id
from app.domain.events import EventType
from app.domain.workflow import WorkflowInput

router = APIRouter(prefix="/workflows", tags=["workflows"])

TOO_LARGE_ADVICE = " (MAX_BODY_MIB); send the part around the failure"
LOG_BODY = {
    "requestBody": {
        "required": True,
        "description": "Logs as UTF-8 text; the Content-Type does not matter.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


@router.post("/start", status_code=202, openapi_extra=LOG_BODY)
async def start(request: Request, parts: Parts) -> StartedWorkflow:
    """Take logs in and start the four agents on them."""
    limit = request.app.state.settings.max_body_mib * MIB
    body = await read_body(request, limit, TOO_LARGE_ADVICE)
    return StartedWorkflow(workflow_id=await parts.admission.start(body))


@router.post("/{workflow_id}/cancel")
async def cancel(workflow_id: str, parts: Parts) -> CancelledWorkflow:
    """Stop a workflow; it ends with what it has. Twice is once, too late changes nothing."""
    record = await parts.cancellation.request(parse_workflow_id(workflow_id))
    return CancelledWorkflow(workflow_id=record.workflow_id, state=record.state)


@router.get("")
async def list_workflows(
    parts: Parts,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    before: Annotated[int | None, Query(ge=1)] = None,
) -> WorkflowPage:
    """Workflows, newest first; `next` is the `before` of the next page."""
    records, following = await parts.workflows.page(before, limit)
    return WorkflowPage(
        workflows=[WorkflowSummary.model_validate(record) for record in records], next=following
    )


@router.get("/{workflow_id}")
async def read(workflow_id: str, parts: Parts) -> WorkflowDetails:
    """One workflow: its state, the agents' answers so far, and how long each took."""
    detail = await parts.workflows.detail(parse_workflow_id(workflow_id))
    answers, holdout = detail.answers, detail.holdout
    return WorkflowDetails(
        **WorkflowSummary.model_validate(detail.record).model_dump(),
        result=WorkflowResult(
            findings=answers.get("findings"),
            analysis=answers.get("analysis"),
            remediation=answers.get("remediation"),
            submissions=answers.get("report"),
            decisions=detail.decisions,
            executions=detail.told(EventType.EXECUTION),
            outcome=detail.outcome,
            is_held_out=holdout is not None,
            holdout_reason=holdout["sentence"] if holdout else None,
            guidance=detail.guidance,
        ),
        timings=detail.timings,
        input=_summary_of(detail.log_input),
    )


def _summary_of(log_input: WorkflowInput | None) -> WorkflowInputSummary | None:
    if log_input is None:
        return None
    text = log_input.text
    return WorkflowInputSummary(
        total_lines=text.count("\n") + (not text.endswith("\n")),
        total_bytes=len(text.encode()),
        redactions=dict(log_input.redactions),
    )
