"""What people made of plans: ratings and decisions come in, figures and lessons go out."""

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.types import Message

from app.api.bodies import read_body
from app.api.deps import Parts
from app.api.json_bodies import refuse_unusable_json
from app.api.v1.feedback_schemas import (
    IDENTIFIER_LIMIT,
    AllStatistics,
    DecisionTaken,
    FeedbackTaken,
    Improvements,
    LearningCurve,
    NoLearning,
    Opportunities,
    ReportedDecision,
    StatisticsOfAgent,
    SubmittedFeedback,
    TopExamples,
    to_example,
    to_opportunity,
    to_point,
    to_statistics,
)
from app.domain.answer import AgentName
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.report import CURVE_WINDOW

BODY_LIMIT = 256 * 1024
LEARNER = AgentName.REMEDIATION

Name = Annotated[str, Path(max_length=IDENTIFIER_LIMIT)]


class SmallBodyRoute(APIRoute):
    """Reads the body up to BODY_LIMIT before anything parses it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, on a request whose body is in memory already."""
        answer = super().get_route_handler()

        async def limited(request: Request) -> Response:
            body = await read_body(request, BODY_LIMIT)
            refuse_unusable_json(body)
            # FastAPI turns every error while it reads a body into a 400; ours must stay a 413.
            try:
                return await answer(Request(request.scope, _replay(body)))
            except RequestValidationError as error:
                raise RequestValidationError(_printable(error.errors())) from error

        return limited


router = APIRouter(prefix="/feedback", tags=["feedback"], route_class=SmallBodyRoute)


async def sender_is_proven(request: Request, parts: Parts) -> bool:
    """Whether a signature proves the sender; raises Unauthorized where one is demanded."""
    if parts.webhook_signature is None:
        return False
    parts.webhook_signature.verify(request.headers, await request.body())
    return True


@router.post("/submit")
async def submit(feedback: SubmittedFeedback, parts: Parts) -> FeedbackTaken:
    """Rate a plan; what is absent or null leaves an earlier value alone."""
    await parts.feedback.rate(FeedbackId(feedback.feedback_id), feedback.to_rating())
    return FeedbackTaken(
        message="Feedback submitted successfully", feedback_id=feedback.feedback_id
    )


@router.post("/mcp-approval")
async def record_decision(
    decision: ReportedDecision, parts: Parts, is_signed: Annotated[bool, Depends(sender_is_proven)]
) -> DecisionTaken:
    """Take an approval server's decision; the same one again changes nothing."""
    if await parts.feedback.decide(decision.to_report(is_signed=is_signed)):
        parts.metrics.decision_recorded(decision.status)
    await parts.reactions.decided(ApprovalId(decision.approval_id))
    return DecisionTaken(
        message=f"Approval status '{decision.status}' recorded successfully",
        approval_id=decision.approval_id,
    )


@router.get("/statistics")
async def statistics(parts: Parts) -> AllStatistics:
    """Every agent that learns."""
    found = await parts.feedback_report.statistics()
    return AllStatistics(
        agent_statistics={LEARNER: to_statistics(found)},
        total_feedbacks=found.total_outputs,
        average_reward=found.average_reward,
    )


@router.get("/statistics/{agent_name}")
async def statistics_of(agent_name: Name, parts: Parts) -> StatisticsOfAgent:
    """One agent."""
    if agent_name != LEARNER:
        return StatisticsOfAgent(agent_name=agent_name, statistics=NoLearning())
    found = await parts.feedback_report.statistics()
    return StatisticsOfAgent(agent_name=agent_name, statistics=to_statistics(found))


@router.get("/improvements/{agent_name}", response_model_exclude_none=True)
async def improvements(agent_name: Name, parts: Parts) -> Improvements:
    """Rejection reasons and suggestions, newest first."""
    if agent_name != LEARNER:
        return Improvements(
            agent_name=agent_name,
            improvement_suggestions=[],
            count=0,
            message=NoLearning().message,
        )
    said = await parts.feedback_report.improvements()
    return Improvements(agent_name=agent_name, improvement_suggestions=said, count=len(said))


@router.get("/top-examples/{agent_name}")
async def top_examples(
    agent_name: Name,
    parts: Parts,
    limit: Annotated[int, Query(ge=1, le=1000)] = 5,
    min_reward: Annotated[float, Query(ge=0, le=1, allow_inf_nan=False)] = 0.7,
) -> TopExamples:
    """Decided plans with the highest rewards; pending ones are never among them."""
    found = []
    if agent_name == LEARNER:
        found = await parts.feedback_report.top_examples(limit, min_reward)
    examples = [to_example(example) for example in found]
    return TopExamples(agent_name=agent_name, examples_count=len(examples), examples=examples)


@router.get("/workflow/{workflow_id}")
async def opportunities(workflow_id: Name, parts: Parts) -> Opportunities:
    """A workflow's plans; none for an unknown id."""
    records = await parts.feedback_report.of_workflow(workflow_id)
    found = [to_opportunity(record, LEARNER) for record in records]
    return Opportunities(workflow_id=workflow_id, feedback_opportunities=found, count=len(found))


@router.get("/learning-curve")
async def learning_curve(parts: Parts) -> LearningCurve:
    """Approval and reward over the decided plans."""
    points = await parts.feedback_report.learning_curve()
    return LearningCurve(window=CURVE_WINDOW, points=[to_point(point) for point in points])


def _printable(problems: Any) -> list[Any]:
    """The input that is shown back may hold half a surrogate pair, which no answer can carry."""
    text = json.dumps(jsonable_encoder(problems), ensure_ascii=False)
    printable: list[Any] = json.loads(text.encode("utf-8", "replace"))
    return printable


def _replay(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
