"""An SSE client that reads the wire as WHATWG HTML 9.2.6 says."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import orjson


@dataclass(frozen=True)
class Message:
    """One dispatched event."""

    event: str
    id: str
    data: dict[str, Any]


def parse_stream(lines: Iterable[str]) -> Iterator[Message]:
    """Events of a stream; comments and retry are passed over."""
    event, last_id, data = "message", "", ""
    for line in lines:
        if not line:
            if data:
                yield Message(event, last_id, orjson.loads(data))
            event, data = "message", ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "event":
                event = value
            case "id":
                last_id = value
            case "data":
                data += value
            case _:
                pass


def follow_stream(url: str, workflow_id: str, **parameters: str) -> Iterator[Message]:
    """Events as they come; the caller may leave at any time."""
    address = f"{url}/api/v1/workflows/{workflow_id}/stream"
    with httpx.stream("GET", address, params=parameters, timeout=30) as response:
        assert response.status_code == httpx.codes.OK, (response.status_code, response.read())
        yield from parse_stream(response.iter_lines())


def read_stream(url: str, workflow_id: str, last_event_id: str = "") -> list[Message]:
    """Everything until the server ends the response."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    address = f"{url}/api/v1/workflows/{workflow_id}/stream"
    with httpx.stream("GET", address, headers=headers, timeout=30) as response:
        assert response.status_code == httpx.codes.OK, (response.status_code, response.read())
        return list(parse_stream(response.iter_lines()))


def start_workflow(url: str, body: bytes) -> str:
    """Start one and give its id."""
    answer = httpx.post(f"{url}/api/v1/workflows/start", content=body, timeout=30)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    workflow_id: str = answer.json()["workflow_id"]
    return workflow_id


def statuses(messages: Iterable[Message]) -> list[tuple[str, str]]:
    """Agent and status of the contract's events, in order."""
    return [
        (message.data["agent_name"], message.data["status"])
        for message in messages
        if message.event == "message"
    ]
