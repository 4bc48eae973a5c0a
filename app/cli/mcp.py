"""`mcp`: the approval server's tools over standard input and output, for agents that start a command."""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
)

from app.domain.errors import ApprovalGateFailed
from app.settings import Settings

CONNECT_SECONDS = 5.0
LONGEST_CALL = timedelta(minutes=31)
"""A proposal waits half an hour for its decision."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """None: it speaks to the approval server that the settings name."""
    parser.description = "Forwards to /mcp of the approval server, which has to be running."


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Until standard input ends."""
    return asyncio.run(_forward(settings.approval_base_url))


async def _forward(url: str) -> int:
    async def list_tools(
        _: ServerRequestContext[Any], __: PaginatedRequestParams | None
    ) -> ListToolsResult:
        async with _connected(url) as client:
            return await client.list_tools()

    async def call_tool(
        context: ServerRequestContext[Any], call: CallToolRequestParams
    ) -> CallToolResult:
        params = context.session.client_params
        try:
            async with _connected(url, params.client_info if params else None) as client:
                return await client.call_tool(call.name, call.arguments or {})
        except ApprovalGateFailed as error:
            text = json.dumps({"error": str(error)})
            return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)

    async with _connected(url) as client:
        await client.list_tools()
    server = Server("approvals", on_list_tools=list_tools, on_call_tool=call_tool)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
    return 0


@asynccontextmanager
async def _connected(url: str, agent: Implementation | None = None) -> AsyncIterator[Client]:
    """For one call: a server that was started anew meanwhile is found again.

    The audit trail there names the agent that asks.
    """
    limit = httpx2.Timeout(CONNECT_SECONDS, read=LONGEST_CALL.total_seconds())
    try:
        async with (
            httpx2.AsyncClient(timeout=limit, trust_env=False) as http,
            Client(
                streamable_http_client(f"{url}/mcp", http_client=http), client_info=agent
            ) as client,
        ):
            yield client
    except* (httpx2.HTTPError, MCPError) as errors:
        raise ApprovalGateFailed(
            f"The approval server at {url} does not answer: start the product, or correct"
            " MCP_SERVER_URL."
        ) from errors
