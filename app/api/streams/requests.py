"""Reading what the raw doors are asked, and answering what they refuse."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl
from uuid import UUID

from starlette.types import Receive, Scope, Send

from app.api.errors import render_error, status_of
from app.api.streams.fanout import Draining
from app.api.streams.transport import transport_of
from app.domain.errors import AppError, BadInput, StorageFailed, TooBusy
from app.domain.ids import WorkflowId

MEDIA_TYPE = b"text/event-stream"
CURSOR_HEADER = b"last-event-id"


def parse_workflow_id(text: str) -> WorkflowId:
    """A UUID in any of its spellings; raises BadInput."""
    try:
        return WorkflowId(str(UUID(text)))
    except ValueError:
        raise BadInput("Invalid workflow ID format") from None


def read_asked(scope: Scope) -> Mapping[str, str]:
    """The query's fields; the cursor's header wins."""
    asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    if cursor := header(scope, CURSOR_HEADER):
        asked["last_event_id"] = cursor.decode("latin-1")
    return asked


def header(scope: Scope, name: bytes) -> bytes:
    """One header's value; empty when it is not there."""
    return next((value for key, value in scope["headers"] if key == name), b"")


async def refuse(error: AppError, scope: Scope, receive: Receive, send: Send) -> HTTPStatus:
    """Answer with the error; or hang up where an answer would stop a client that comes back.

    Any answer but 200 and 204 ends a browser's EventSource for good. A connection that is closed
    without one makes it try again, which is right for what passes.
    """
    transport = transport_of(scope)
    if transport is None or not _hangs_up(error, scope):
        await render_error(error)(scope, receive, send)
        return status_of(error)
    transport.close()
    while (await receive())["type"] != "http.disconnect":
        pass
    return HTTPStatus.SERVICE_UNAVAILABLE


def _hangs_up(error: AppError, scope: Scope) -> bool:
    if isinstance(error, Draining):
        return True
    comes_back = MEDIA_TYPE in header(scope, b"accept") or bool(header(scope, CURSOR_HEADER))
    return comes_back and isinstance(error, TooBusy | StorageFailed)
