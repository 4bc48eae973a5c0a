"""For operators: who answers, whether it lives, whether it is ready, and its metrics."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app import __version__
from app.api.deps import Parts
from app.api.schemas import Backend, Readiness
from app.domain.errors import StorageFailed
from app.services import Services

FEATURES = [
    "log intake with redaction",
    "four agents with a live event stream",
    "kubectl commands judged by a policy",
    "human approval (REST and MCP)",
    "learning from decisions and ratings",
]

STORAGE_SECONDS = 3.0

router = APIRouter(tags=["operations"])


@router.get("/", response_model=Backend)
def root(request: Request, parts: Parts) -> Backend | Response:
    """Who answers here; a browser is sent to the page."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/ui/")
    return Backend(
        status="Backend is running",
        features=FEATURES,
        version=__version__,
        engine=parts.reasoner.name,
        approval_url=parts.approvals.page_url,
        max_body_mib=request.app.state.settings.max_body_mib,
        log_source=parts.log_source is not None,
    )


@router.get("/health")
def health() -> dict[str, str]:
    """Whether the process lives."""
    return {"status": "ok"}


@router.get("/ready", responses={503: {"model": Readiness}})
async def ready(parts: Parts, response: Response) -> Readiness:
    """Whether each dependency works, with the reason where one does not; 503 then."""
    checks = await _checks(parts)
    is_ready = all(state == "ok" for state in checks.values())
    if not is_ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    status = "ready" if is_ready else "degraded"
    return Readiness(status=status, checks=checks, notes=_notes(parts))


@router.get("/metrics", response_class=Response)
def metrics(parts: Parts) -> Response:
    """Metrics in Prometheus' text format."""
    return Response(parts.metrics.render(), media_type=parts.metrics.content_type)


async def _checks(parts: Services) -> dict[str, str]:
    checks = {
        "storage": await _storage(parts),
        "reasoner": await parts.reasoner.trouble(),
        "approval server": await parts.approvals.trouble(),
    }
    if parts.log_source is not None:
        checks["elasticsearch"] = await parts.log_source.trouble()
    return {name: trouble or "ok" for name, trouble in checks.items()}


def _notes(parts: Services) -> dict[str, str]:
    notes = {}
    if parts.approvals.lacks:
        missing = ", ".join(parts.approvals.lacks)
        notes["approval server"] = f"It is of the older kind and lacks: {missing}."
    if not parts.webhook_door.is_locked:
        notes["webhooks"] = "Unsigned: anybody who reaches this server can report decisions."
    return notes


async def _storage(parts: Services) -> str | None:
    try:
        async with asyncio.timeout(STORAGE_SECONDS):
            await parts.workflows.page(None, 1)
    except TimeoutError:
        return f"The database does not answer within {STORAGE_SECONDS:g} s."
    except StorageFailed as error:
        return str(error)
    return parts.process.trouble
