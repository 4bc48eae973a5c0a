"""What the approval server's routes share: the parts list, and how bodies are read."""

from typing import Annotated, TypeVar

from fastapi import Depends, Request

from app.api.approval_schemas import Body, TolerantBody
from app.api.bodies import read_body
from app.approvals.services import ApprovalServices
from app.domain.errors import InputTooLarge

BODY_LIMIT_MIB = 4
BODY_LIMIT_BYTES = BODY_LIMIT_MIB * 1024 * 1024

B = TypeVar("B", bound=Body)


def opened_services(request: Request) -> ApprovalServices:
    """The parts list, opened by the application's lifespan."""
    services: ApprovalServices = request.app.state.services
    return services


Parts = Annotated[ApprovalServices, Depends(opened_services)]


async def read_as(request: Request, kind: type[B]) -> B:
    """The body; a decision may come without one. Raises InputTooLarge, ValidationError."""
    try:
        raw = (await read_body(request, BODY_LIMIT_BYTES)).strip()
    except InputTooLarge:
        raise InputTooLarge(f"The body cannot be over {BODY_LIMIT_MIB} MiB.") from None
    if raw in {b"", b"null"} and issubclass(kind, TolerantBody):
        raw = b"{}"
    return kind.model_validate_json(raw)
