"""The approval server's REST surface: propose, look, decide."""

from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from app.api.approval_schemas import Body, DecisionBody, ProposalBody, approval_view, iso
from app.api.bodies import read_body
from app.approvals.desk import AlreadyDecided
from app.approvals.services import ApprovalServices
from app.domain.approval import Decision
from app.domain.errors import InputTooLarge, InvalidField, StorageFailed
from app.domain.ids import ApprovalId
from app.domain.review import DEFAULT_REASON, ApprovalStatus

BODY_LIMIT_BYTES = 1024 * 1024
KEY_LIMIT = 255


class StatusFilter(StrEnum):
    """Which approvals a history shows."""

    ALL = "all"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    DECIDED = "decided"


FILTERS = {
    StatusFilter.ALL: frozenset(ApprovalStatus),
    StatusFilter.PENDING: frozenset({ApprovalStatus.PENDING}),
    StatusFilter.APPROVED: frozenset({ApprovalStatus.APPROVED}),
    StatusFilter.REJECTED: frozenset({ApprovalStatus.REJECTED}),
    StatusFilter.DECIDED: frozenset({ApprovalStatus.APPROVED, ApprovalStatus.REJECTED}),
}

router = APIRouter()
B = TypeVar("B", bound=Body)


def opened_services(request: Request) -> ApprovalServices:
    """The parts list, opened by the application's lifespan."""
    services: ApprovalServices = request.app.state.services
    return services


Parts = Annotated[ApprovalServices, Depends(opened_services)]


@router.get("/api/approvals/pending")
async def pending(parts: Parts) -> JSONResponse:
    """All that wait for a decision, oldest first."""
    approvals = await parts.desk.pending()
    return JSONResponse({"approvals": [approval_view(approval) for approval in approvals]})


@router.post("/api/approvals/propose")
async def propose(request: Request, parts: Parts) -> JSONResponse:
    """Queue a proposal; the same Idempotency-Key never queues a second one."""
    key = request.headers.get("idempotency-key") or None
    if key is not None and len(key) > KEY_LIMIT:
        raise InvalidField("idempotency-key", f"Idempotency-Key is over {KEY_LIMIT} characters.")
    body = await _read(request, ProposalBody)
    approval_id = await parts.desk.propose(body.to_proposal(), key)
    return JSONResponse(
        {
            "status": "pending",
            "approval_id": approval_id,
            "message": "Remediation queued for approval",
            "approval_url": f"{request.app.state.page_url}/#{approval_id}",
        }
    )


@router.get("/api/approvals")
async def history(
    parts: Parts,
    status: StatusFilter = StatusFilter.ALL,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    before: str | None = None,
) -> JSONResponse:
    """Newest first; `next` is the `before` of the following page."""
    approvals, following = await parts.desk.page(FILTERS[status], before, limit)
    return JSONResponse(
        {"approvals": [approval_view(approval) for approval in approvals], "next": following}
    )


@router.get("/api/approvals/{approval_id}")
async def one(approval_id: str, parts: Parts) -> JSONResponse:
    """One approval with the state of each command."""
    return JSONResponse(approval_view(await parts.desk.get(ApprovalId(approval_id))))


@router.post("/api/approvals/{approval_id}/approve")
async def approve(approval_id: str, request: Request, parts: Parts) -> JSONResponse:
    """Approve once; what is approved runs afterwards, when there is a cluster."""
    body = await _read(request, DecisionBody)
    approval = await parts.desk.decide(
        ApprovalId(approval_id), Decision.APPROVED, reviewer=body.reviewer
    )
    what = (
        "Approved; the commands run now."
        if parts.desk.has_cluster
        else "Approved and recorded; no cluster is configured, so nothing runs."
    )
    return JSONResponse(
        {
            "status": "approved",
            "message": what,
            "approved_count": approval.approved_count,
            "rejected_count": approval.rejected_count,
        }
    )


@router.post("/api/approvals/{approval_id}/reject")
async def reject(approval_id: str, request: Request, parts: Parts) -> JSONResponse:
    """Reject once; nothing of it runs."""
    body = await _read(request, DecisionBody)
    reason = (body.reason or "").strip() or DEFAULT_REASON
    await parts.desk.decide(
        ApprovalId(approval_id), Decision.REJECTED, reviewer=body.reviewer, reason=reason
    )
    return JSONResponse({"status": "rejected", "reason": reason})


@router.get("/api/config")
def config(request: Request, parts: Parts) -> JSONResponse:
    """What the page must know about this server."""
    return JSONResponse(
        {"has_cluster": parts.desk.has_cluster, "backend_url": request.app.state.backend_url}
    )


@router.get("/health")
def health() -> JSONResponse:
    """Whether the process lives."""
    return JSONResponse({"status": "ok"})


@router.get("/ready")
async def ready(parts: Parts, response: Response) -> JSONResponse:
    """Each dependency, with the reason where one does not work.

    A backlog of reports makes it degraded but not unready: it still takes decisions.
    """
    checks = {
        "storage": await _storage_trouble(parts),
        "cluster": await parts.reads.trouble(),
        "reports": await _reports_trouble(parts),
    }
    is_ready = checks["storage"] is None and checks["cluster"] is None
    is_well = is_ready and checks["reports"] is None
    states = {name: trouble or "ok" for name, trouble in checks.items()}
    if not parts.desk.has_cluster:
        states["cluster"] = "none configured: approving records the decision and runs nothing"
    return JSONResponse(
        {"status": "ready" if is_well else "degraded", "checks": states},
        HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


def already_decided(error: AlreadyDecided) -> JSONResponse:
    """The contract's 404, with who was first."""
    approval = error.approval
    return JSONResponse(
        {
            "error": str(error),
            "detail": f"This request was {approval.status} already.",
            "status": approval.status,
            "reviewer": approval.reviewer,
            "decided_at": iso(approval.decided_at),
            "reason": approval.reason,
        },
        HTTPStatus.NOT_FOUND,
    )


async def _read(request: Request, kind: type[B]) -> B:
    try:
        raw = (await read_body(request, BODY_LIMIT_BYTES)).strip()
    except InputTooLarge:
        raise InputTooLarge("The body cannot be over 1 MiB.") from None
    if raw in {b"", b"null"} and kind is DecisionBody:
        raw = b"{}"
    return kind.model_validate_json(raw)


async def _storage_trouble(parts: ApprovalServices) -> str | None:
    try:
        await parts.desk.page((), None, 1)
    except StorageFailed as error:
        return str(error)
    return None


async def _reports_trouble(parts: ApprovalServices) -> str | None:
    try:
        backlog = await parts.reports.backlog()
    except StorageFailed as error:
        return str(error)
    if not backlog.waiting and not backlog.abandoned:
        return None
    return (
        f"{backlog.waiting} decisions wait to be reported, {backlog.abandoned} were given up;"
        f" last error: {backlog.last_error}"
    )
