"""Who calls a tool, as far as an MCP request says it."""

from typing import Any

from mcp.server import ServerRequestContext
from mcp.server.streamable_http import MCP_SESSION_ID_HEADER
from starlette.requests import Request

from app.approvals.asking import Asker

LONGEST = 200


def asker_of(context: ServerRequestContext[Any]) -> Asker:
    """Clients of older protocols name themselves only when a session begins, and there is none."""
    params = context.session.client_params
    client = params.client_info if params else None
    request = context.request if isinstance(context.request, Request) else None
    headers = request.headers if request else {}
    return Asker(
        name=_short(client.name if client else headers.get("user-agent")),
        version=_short(client.version if client else None),
        user_agent=_short(headers.get("user-agent")),
        address=request.client.host if request and request.client else None,
        session=_short(headers.get(MCP_SESSION_ID_HEADER)),
    )


def _short(text: str | None) -> str | None:
    return text[:LONGEST] if text else None
