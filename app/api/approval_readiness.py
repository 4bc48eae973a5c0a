"""What the approval server says of itself: its features, and whether its parts work."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.api.approval_parts import Parts
from app.approvals.services import ApprovalServices
from app.domain.errors import StorageFailed

FEATURES = (
    "idempotency-key",
    "per-command",
    "edit",
    "expiry",
    "undo",
    "audit",
    "webhook-types",
)
"""How a client tells this server from one of the old kind."""

router = APIRouter()


@router.get("/api/config")
async def config(request: Request, parts: Parts) -> JSONResponse:
    """What a page or a backend must know about this server."""
    return JSONResponse(
        {
            "has_cluster": parts.desk.has_cluster,
            "mode": parts.mode,
            "backend_url": request.app.state.backend_url,
            "kubectl": await parts.reads.trouble(),
            "expiry_minutes": parts.desk.expiry.total_seconds() / 60,
            "features": FEATURES,
        }
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
        "audit": parts.audit.trouble,
    }
    is_ready = checks["storage"] is None and checks["cluster"] is None
    is_well = is_ready and checks["reports"] is None and checks["audit"] is None
    states = {name: trouble or "ok" for name, trouble in checks.items()}
    if not parts.desk.has_cluster:
        states["cluster"] = "none configured: approving records the decision and runs nothing"
    return JSONResponse(
        {"status": "ready" if is_well else "degraded", "checks": states},
        HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


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
        f"{backlog.waiting} reports wait for the backend, {backlog.abandoned} were given up;"
        f" last error: {backlog.last_error}"
    )
