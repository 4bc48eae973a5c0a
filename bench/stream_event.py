"""Events with the keys and the size that the product's have, for the servers it is compared with."""

from datetime import UTC, datetime
from itertools import count
from uuid import uuid4

WORKFLOW_ID = str(uuid4())
_numbers = count(1)


def event_of(agent: str, text: str) -> dict[str, object]:
    """The next one."""
    seq = next(_numbers)
    return {
        "id": f"other-{seq}",
        "seq": seq,
        "workflow_id": WORKFLOW_ID,
        "type": "status",
        "agent_name": agent,
        "status": "THINKING",
        "input": "",
        "output": "",
        "data": text,
        "agent": agent,
        "message": text,
        "timestamp": datetime.now(UTC).isoformat(),
    }
