"""What people do with a request: approve, reject, take back, look at the cluster again."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from app.api.approval_parts import Parts, read_as
from app.api.approval_schemas import DecisionBody, UndoBody
from app.api.approval_views import approval_view, iso
from app.approvals.desk import AlreadyDecided, DecisionVoid
from app.approvals.undo_look import UndoUnsure
from app.domain.approval import CommandDecision, Decision
from app.domain.ids import ApprovalId
from app.domain.review import DEFAULT_REASON, Approval
from app.domain.review_moves import ApprovalStatus

EXPIRED = "This request expired before anybody decided; have it proposed again."

router = APIRouter()


@router.post("/api/approvals/{approval_id}/approve")
async def approve(approval_id: str, request: Request, parts: Parts) -> JSONResponse:
    """Decide once; what is approved runs afterwards, when there is a cluster."""
    body = await read_as(request, DecisionBody)
    incoming = body.to_decision(Decision.APPROVED)
    approval = await parts.desk.decide(ApprovalId(approval_id), incoming)
    if approval.status is ApprovalStatus.REJECTED:
        return _rejected(approval)
    return JSONResponse(
        {
            "status": "approved",
            "message": await _message(approval, parts),
            "approved_count": approval.approved_count,
            "rejected_count": approval.rejected_count,
        }
    )


@router.post("/api/approvals/{approval_id}/reject")
async def reject(approval_id: str, request: Request, parts: Parts) -> JSONResponse:
    """Reject once; nothing of it runs."""
    body = await read_as(request, DecisionBody)
    incoming = body.to_decision(Decision.REJECTED)
    return _rejected(await parts.desk.decide(ApprovalId(approval_id), incoming))


@router.post("/api/approvals/{approval_id}/undo")
async def undo(approval_id: str, request: Request, parts: Parts) -> JSONResponse:
    """Take back once what has run; what others changed since only when that is confirmed."""
    body = await read_as(request, UndoBody)
    approval = await parts.desk.undo(
        ApprovalId(approval_id), body.reviewer, is_confirmed=body.confirm is True
    )
    return JSONResponse(approval_view(approval), HTTPStatus.ACCEPTED)


@router.post("/api/approvals/{approval_id}/refresh")
async def refresh(approval_id: str, parts: Parts) -> JSONResponse:
    """Look at the cluster again; a decision about what was seen before is void."""
    return JSONResponse(approval_view(await parts.desk.refresh(ApprovalId(approval_id))))


def already_decided(error: AlreadyDecided) -> JSONResponse:
    """The contract's 404, with who was first."""
    approval = error.approval
    is_expired = approval.status is ApprovalStatus.EXPIRED
    return JSONResponse(
        {
            "error": str(error),
            "detail": EXPIRED if is_expired else f"This request was {approval.status} already.",
            "status": approval.status,
            "reviewer": approval.reviewer,
            "decided_at": iso(approval.decided_at),
            "reason": approval.reason,
        },
        HTTPStatus.NOT_FOUND,
    )


def decision_void(error: DecisionVoid) -> JSONResponse:
    """What the request's version is now: to be looked at before the next decision."""
    sentence = str(error)
    return JSONResponse(
        {
            "error": sentence,
            "detail": sentence,
            "status": error.approval.status,
            "version": error.approval.version,
        },
        HTTPStatus.CONFLICT,
    )


def undo_unsure(error: UndoUnsure) -> JSONResponse:
    """Nothing was run; the same again with `confirm` is."""
    sentence = str(error)
    return JSONResponse(
        {"error": sentence, "detail": sentence, "needs_confirmation": True}, HTTPStatus.CONFLICT
    )


def _rejected(approval: Approval) -> JSONResponse:
    return JSONResponse({"status": "rejected", "reason": approval.reason or DEFAULT_REASON})


async def _message(approval: Approval, parts: Parts) -> str:
    what = f"Approved{await parts.desk.what_follows(approval)}"
    left = [
        command for command in approval.commands if command.decision is CommandDecision.UNDECIDED
    ]
    if not left:
        return what
    return f"{what} {len(left)} of {len(approval.commands)} are left out: {left[0].output}"
