"""The approval server's MCP surface: an agent proposes, a person decides, the agent gets the result."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from mcp.server import Server, ServerRequestContext
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
)
from pydantic import JsonValue, ValidationError
from starlette.routing import Route

from app.api.approval_parts import BODY_LIMIT_BYTES
from app.api.approval_schemas import (
    CommandBody,
    KubectlArguments,
    ProposalBody,
    problem_sentence,
    validation_details,
)
from app.api.approval_views import iso
from app.api.mcp_asker import asker_of
from app.approvals.asking import Asker
from app.approvals.services import ApprovalServices
from app.domain.errors import AppError, BadInput
from app.domain.ids import ApprovalId
from app.domain.review import Approval
from app.domain.review_moves import ApprovalStatus, CommandStatus

DECISION_WAIT = timedelta(minutes=30)
MCP_PATHS = ("/mcp", "/mcp/")
TOOLS_FILE = Path(__file__).with_name("mcp_tools.json")

EXPIRED = "Nobody decided in time."

Current = Callable[[], ApprovalServices]
ToolCall = Callable[[ApprovalServices, Mapping[str, Any], Asker], Awaitable[JsonValue]]

log = logging.getLogger(__name__)


def create_mcp_routes(
    current: Current,
) -> tuple[list[Route], Callable[[], AbstractAsyncContextManager[None]]]:
    """Its routes, and the context that must be open while they serve."""
    tools = [Tool.model_validate(tool) for tool in json.loads(TOOLS_FILE.read_bytes())]

    async def list_tools(
        _: ServerRequestContext[Any], __: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=tools)

    async def call_tool(
        context: ServerRequestContext[Any], call: CallToolRequestParams
    ) -> CallToolResult:
        return await _answer(current(), call, asker_of(context))

    server = Server("approvals", on_list_tools=list_tools, on_call_tool=call_tool)
    # The guard around the whole application has checked Host and Origin already.
    security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    server.streamable_http_app(
        stateless_http=True,
        max_request_body_size=BODY_LIMIT_BYTES,
        transport_security=security,
    )

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with server.session_manager.run():
            yield

    # Clients do not follow a redirect with what they post.
    endpoint = StreamableHTTPASGIApp(server.session_manager)
    return [Route(path, endpoint) for path in MCP_PATHS], running


async def _answer(
    services: ApprovalServices, call: CallToolRequestParams, asker: Asker
) -> CallToolResult:
    tool = CALLS.get(call.name)
    try:
        if tool is None:
            raise BadInput(f"There is no tool {call.name!r}.")
        answer = await tool(services, call.arguments or {}, asker)
    except ValidationError as error:
        problem = validation_details(error)[0]
        return _result({"error": problem_sentence(problem)}, is_error=True)
    except AppError as error:
        return _result({"error": str(error)}, is_error=True)
    return _result(answer, is_error=False)


def _result(answer: JsonValue, *, is_error: bool) -> CallToolResult:
    text = json.dumps(answer, ensure_ascii=False, indent=2)
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=is_error)


async def _propose_remediation(
    services: ApprovalServices, arguments: Mapping[str, Any], asker: Asker
) -> JsonValue:
    return await _decided(services, ProposalBody.model_validate(arguments), asker)


async def _execute_kubectl(
    services: ApprovalServices, arguments: Mapping[str, Any], asker: Asker
) -> JsonValue:
    """Reads that the policy calls safe run at once; everything else asks a person."""
    wanted = KubectlArguments.model_validate(arguments)
    read = await services.reads.run(wanted.command, wanted.namespace, asker)
    if read is not None:
        return {"approved": True, "result": [_result_of(wanted.command, *read)]}
    command = CommandBody(command=wanted.command, explanation="Asked for by an MCP client.")
    metadata: dict[str, JsonValue] = {"namespace": wanted.namespace}
    body = ProposalBody(action="Run one command", commands=[command], metadata=metadata)
    return await _decided(services, body, asker)


async def _get_pending_approvals(
    services: ApprovalServices, _: Mapping[str, Any], __: Asker
) -> JsonValue:
    approvals = await services.desk.pending()
    return {
        "pending": len(approvals),
        "approvals": [
            {
                "id": approval.approval_id,
                "action": approval.action,
                "timestamp": iso(approval.proposed_at),
                "commands": len(approval.commands),
            }
            for approval in approvals
        ],
    }


async def _decided(services: ApprovalServices, body: ProposalBody, asker: Asker) -> JsonValue:
    proposal = body.to_proposal()
    await services.forbidden.refuse(proposal, asker)
    approval_id = await services.desk.propose(proposal, None)
    deadline = services.clock.now() + DECISION_WAIT
    approval = await services.desk.wait_until_settled(approval_id, deadline)
    return _outcome(approval_id, approval)


def _outcome(approval_id: ApprovalId, approval: Approval) -> JsonValue:
    if approval.status is ApprovalStatus.REJECTED:
        return {"approved": False, "reason": approval.reason, "approval_id": approval_id}
    if approval.status is ApprovalStatus.EXPIRED:
        return {"approved": False, "reason": EXPIRED, "approval_id": approval_id}
    if not approval.is_settled:
        raise BadInput(
            f"Request {approval_id} is {approval.status} and goes on without this call;"
            " ask get_pending_approvals later."
        )
    return {
        "approved": True,
        "result": [
            _result_of(command.effective_text, command.status, command.output)
            for command in approval.commands
        ],
        "approval_id": approval_id,
    }


def _result_of(command: str, status: CommandStatus, output: str) -> JsonValue:
    if status is CommandStatus.SUCCEEDED:
        return {"command": command, "status": "success", "output": output}
    return {"command": command, "status": "error", "error": f"{status}: {output}"}


CALLS: dict[str, ToolCall] = {
    "propose_remediation": _propose_remediation,
    "execute_kubectl": _execute_kubectl,
    "get_pending_approvals": _get_pending_approvals,
}
