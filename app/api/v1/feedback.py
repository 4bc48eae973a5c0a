"""What people made of plans: ratings and decisions come in, figures and lessons go out."""

import json
from base64 import b64encode
from collections.abc import Callable, Coroutine, Sequence
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.types import Message

from app.api.bodies import MIB, read_body
from app.api.deps import Parts
from app.api.json_bodies import refuse_unusable_json
from app.api.v1.curve_picture import NARROWEST, STYLE, USUAL_WIDTH, WIDEST, draw_curve
from app.api.v1.feedback_schemas import (
    IDENTIFIER_LIMIT,
    AllStatistics,
    FeedbackTaken,
    Improvements,
    LearningCurve,
    NoLearning,
    Opportunities,
    ReportedApproval,
    ReportTaken,
    StatisticsOfAgent,
    SubmittedFeedback,
    TopExamples,
    to_example,
    to_opportunity,
    to_point,
    to_statistics,
)
from app.domain.answer import AgentName
from app.domain.approval import Delivery
from app.domain.course import Decided, Executed, Expired, Report, Undone, Verified
from app.domain.errors import Unauthorized
from app.domain.feedback import PlanStatus
from app.domain.ids import ApprovalId, FeedbackId
from app.learning.curve import CURVE_WINDOW
from app.learning.evaluator import Evaluated
from app.learning.report import Statistics
from app.observability.metrics import Metrics
from app.services import Services

BODY_LIMIT = 256 * 1024
REPORT_LIMIT = 4 * MIB
"""A report brings along what up to a hundred commands printed."""
REPORT_PATH = "/mcp-approval"
LEARNER = AgentName.REMEDIATION
STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
PICTURE_HEADERS = {
    # Opened by itself it is a document, in which nothing may run and nothing load but its own style.
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

Name = Annotated[str, Path(max_length=IDENTIFIER_LIMIT)]


class SmallBodyRoute(APIRoute):
    """Reads the body up to its limit before anything parses it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The usual handler, on a request whose body is in memory already."""
        answer = super().get_route_handler()
        limit = REPORT_LIMIT if self.path.endswith(REPORT_PATH) else BODY_LIMIT

        async def limited(request: Request) -> Response:
            body = await read_body(request, limit)
            refuse_unusable_json(body)
            # FastAPI turns every error while it reads a body into a 400; ours must stay a 413.
            try:
                return await answer(Request(request.scope, _replay(body)))
            except RequestValidationError as error:
                raise RequestValidationError(_printable(error.errors())) from error

        return limited


router = APIRouter(prefix="/feedback", tags=["feedback"], route_class=SmallBodyRoute)


async def admitted(request: Request, parts: Parts) -> Delivery | None:
    """The webhook's delivery; raises Unauthorized where a signature is demanded and wrong."""
    body = await request.body()
    try:
        return parts.webhook_door.admit(request.headers, body, _sender(request))
    except Unauthorized:
        parts.metrics.webhook_refused()
        raise


@router.post("/submit")
async def submit(feedback: SubmittedFeedback, parts: Parts) -> FeedbackTaken:
    """Rate a plan; what is absent or null leaves an earlier value alone."""
    await parts.feedback.rate(FeedbackId(feedback.feedback_id), feedback.to_rating())
    return FeedbackTaken(
        message="Feedback submitted successfully", feedback_id=feedback.feedback_id
    )


@router.post(REPORT_PATH)
async def take_report(
    reported: ReportedApproval,
    request: Request,
    parts: Parts,
    delivery: Annotated[Delivery | None, Depends(admitted)],
) -> ReportTaken:
    """Take what an approval server tells of one approval; the same again changes nothing."""
    try:
        news = await parts.feedback.hear(reported.to_report(delivery))
    except Unauthorized as error:
        parts.webhook_door.note_refusal(_sender(request), str(error))
        parts.metrics.webhook_refused()
        raise
    count(parts.metrics, news)
    await parts.reactions.reported(ApprovalId(reported.approval_id))
    return ReportTaken(
        message=f"Approval status '{reported.status}' recorded successfully",
        approval_id=reported.approval_id,
    )


@router.get("/statistics")
async def statistics(parts: Parts) -> AllStatistics:
    """Every agent that learns."""
    found, evaluated = await _figures(parts)
    return AllStatistics(
        agent_statistics={LEARNER: to_statistics(found, evaluated)},
        total_feedbacks=found.total_outputs,
        average_reward=found.average_reward,
    )


@router.get("/statistics/{agent_name}")
async def statistics_of(agent_name: Name, parts: Parts) -> StatisticsOfAgent:
    """One agent."""
    if agent_name != LEARNER:
        return StatisticsOfAgent(agent_name=agent_name, statistics=NoLearning())
    found = to_statistics(*await _figures(parts))
    return StatisticsOfAgent(agent_name=agent_name, statistics=found)


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


@router.get(
    "/learning-curve.svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}, "description": "The picture."}},
)
async def learning_curve_picture(
    parts: Parts, width: Annotated[int, Query(ge=NARROWEST, le=WIDEST)] = USUAL_WIDTH
) -> Response:
    """The same as a picture, this many pixels wide; it follows the reader's light or dark."""
    picture = draw_curve(await parts.feedback_report.learning_curve(), width)
    return Response(picture, media_type="image/svg+xml", headers=PICTURE_HEADERS)


def count(metrics: Metrics, news: Sequence[Report]) -> None:
    """Count what is new: decisions and outcomes, but not one that an undo has changed."""
    is_undone = any(isinstance(report, Undone) for report in news)
    for report in news:
        match report:
            case Decided():
                metrics.decision_recorded(report.decision)
            case Expired():
                metrics.decision_recorded(PlanStatus.EXPIRED)
            case Verified() if not is_undone:
                metrics.outcome_measured(report.outcome)
            case Executed() | Verified() | Undone():
                pass


async def _figures(parts: Services) -> tuple[Statistics, Evaluated]:
    report = parts.feedback_report
    return await report.statistics(), await report.evaluated()


def _sender(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _printable(problems: Any) -> list[Any]:
    """The input that is shown back may hold half a surrogate pair, which no answer can carry."""
    text = json.dumps(jsonable_encoder(problems), ensure_ascii=False)
    printable: list[Any] = json.loads(text.encode("utf-8", "replace"))
    return printable


def _replay(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
