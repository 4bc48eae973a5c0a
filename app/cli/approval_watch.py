"""Follows what happens at the approval server, one line for each change."""

import threading
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.cli.approval_client import ApprovalClient
from app.cli.approval_text import risk_of, short
from app.cli.words import plain_line
from app.domain.errors import ApprovalGateFailed

PAUSE_SECONDS = 1.0
View = Mapping[str, Any]


def watch(client: ApprovalClient) -> int:
    """Until Ctrl+C."""
    stopping = threading.Event()
    if client.is_old:
        print(f"The approval server at {client.url} is of an older kind: results are not shown.")
    print("Stop with Ctrl+C.", flush=True)
    try:
        seen: dict[str, tuple[str, ...]] | None = None
        while not stopping.wait(PAUSE_SECONDS if seen is not None else 0):
            seen = _look(client, seen)
    except KeyboardInterrupt:
        return 0
    return 0


def _look(
    client: ApprovalClient, seen: dict[str, tuple[str, ...]] | None
) -> dict[str, tuple[str, ...]]:
    """Print what is new; requests that were over when the watch began are not."""
    try:
        views = client.recent()
    except ApprovalGateFailed as error:
        if seen != {}:
            print(plain_line(error), flush=True)
        return seen or {}
    known = dict(seen or {})
    for view in sorted(views, key=lambda view: str(view["timestamp"])):
        now = tuple(_lines(view))
        before = known.get(view["id"])
        is_over = view.get("status", "pending") != "pending"
        if before is None and is_over and seen is None:
            known[view["id"]] = now
            continue
        for line in now[len(before or ()) :]:
            print(f"{datetime.now().astimezone():%H:%M:%S}  {short(view)}  {line}", flush=True)
        known[view["id"]] = now
    return known


def _lines(view: View) -> Iterator[str]:
    """What has happened so far; it only grows."""
    metadata = view["metadata"] if isinstance(view.get("metadata"), dict) else {}
    service = plain_line(metadata.get("service") or "-")
    yield f"proposed  {risk_of(view)}  {service}  {plain_line(view['action'])}"
    if view.get("status", "pending") == "pending":
        return
    by = f" by {plain_line(view['reviewer'])}" if view.get("reviewer") else ""
    yield f"{plain_line(view['status'])}{by}"
    for number, command in enumerate(view["commands"], start=1):
        if command["status"] in {"waiting", "executing"}:
            return
        yield f"command {number} {plain_line(command['status'])}  {plain_line(command['command'])}"
    if verification := view.get("verification"):
        yield f"{plain_line(verification['recovery'])}  {plain_line(verification['sentence'])}"
