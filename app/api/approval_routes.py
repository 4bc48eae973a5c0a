"""The approval server's REST surface: propose, and look at what was proposed."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from app.api.approval_parts import Parts, read_as
from app.api.approval_schemas import ProposalBody
from app.api.approval_views import approval_view
from app.domain.errors import InvalidField
from app.domain.ids import ApprovalId
from app.domain.review_moves import ApprovalStatus

KEY_LIMIT = 255


class StatusFilter(StrEnum):
    """Which approvals a history shows."""

    ALL = "all"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    DECIDED = "decided"


FILTERS = {
    StatusFilter.ALL: frozenset(ApprovalStatus),
    StatusFilter.PENDING: frozenset({ApprovalStatus.PENDING}),
    StatusFilter.APPROVED: frozenset({ApprovalStatus.APPROVED}),
    StatusFilter.REJECTED: frozenset({ApprovalStatus.REJECTED}),
    StatusFilter.EXPIRED: frozenset({ApprovalStatus.EXPIRED}),
    StatusFilter.DECIDED: frozenset(ApprovalStatus) - {ApprovalStatus.PENDING},
}

Limit = Annotated[int, Query(ge=1, le=100)]

router = APIRouter()


@router.get("/api/approvals/pending")
async def pending(
    parts: Parts, limit: Annotated[int | None, Query(ge=1, le=100)] = None, after: str | None = None
) -> JSONResponse:
    """All that wait for a decision, oldest first; with `limit` a page, its `next` cursor and the `total`."""
    if limit is None:
        approvals = await parts.desk.pending()
        return JSONResponse({"approvals": [approval_view(approval) for approval in approvals]})
    approvals, following = await parts.desk.pending_page(after, limit)
    return JSONResponse(
        {
            "approvals": [approval_view(approval) for approval in approvals],
            "next": following,
            "total": await parts.desk.pending_count(),
        }
    )


@router.post("/api/approvals/propose")
async def propose(request: Request, parts: Parts) -> JSONResponse:
    """Queue a proposal; the same Idempotency-Key never queues a second one."""
    key = request.headers.get("idempotency-key") or None
    if key is not None and len(key) > KEY_LIMIT:
        field, sentence = (
            "header.idempotency-key",
            f"Idempotency-Key is over {KEY_LIMIT} characters.",
        )
        raise InvalidField(field, sentence)
    body = await read_as(request, ProposalBody)
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
    limit: Limit = 20,
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
