"""An event as the JSON object that every client gets (contract section 2)."""

from datetime import datetime

import orjson

from app.domain.events import Event
from app.domain.ids import WorkflowId

LINE_ENDS = {sign.encode(): b"\\u%04x" % ord(sign) for sign in "\u0085\u2028\u2029"}
"""Allowed in JSON as they are, but some clients end a line there."""


def to_frame(event: Event, epoch: str, workflow_id: WorkflowId, seq: int, now: datetime) -> bytes:
    """One line of JSON, the same bytes for every reader at any time."""
    frame = orjson.dumps(
        {
            "id": f"{epoch}-{seq}",
            "seq": seq,
            "workflow_id": workflow_id,
            "type": event.type,
            "agent_name": event.agent,
            "status": event.status,
            "input": event.input,
            "output": event.output,
            "data": event.data,
            "agent": event.agent,
            "message": event.data,
            "timestamp": now.isoformat(),
        }
        | ({} if event.outcome is None else {"outcome": event.outcome})
    )
    for sign, escaped in LINE_ENDS.items():
        frame = frame.replace(sign, escaped)
    return frame
