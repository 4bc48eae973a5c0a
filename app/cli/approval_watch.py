"""Follows what happens at the approval server, one line for each change."""

import signal
import time
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
    if client.is_old:
        print(f"The approval server at {client.url} is of an older kind: results are not shown.")
    print("Stop with Ctrl+C.", flush=True)
    interrupt, following = Interrupt(), Following(client)
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        while not interrupt.has_come:
            following.look()
            time.sleep(PAUSE_SECONDS)  # noqa: TID251 - nobody tells of news here
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, before)
    return 0


class Interrupt:
    """Ctrl+C is not lost where a library swallows the KeyboardInterrupt, as finalizers do."""

    has_come = False

    def __call__(self, *_: object) -> None:
        """Note it, and end what is waited for."""
        self.has_come = True
        raise KeyboardInterrupt


class Following:
    """Prints what is new; requests that were over when it began are not."""

    def __init__(self, client: ApprovalClient) -> None:
        """Nothing was seen yet."""
        self._client = client
        self._seen: dict[str, tuple[str, ...]] | None = None
        self._trouble = ""

    def look(self) -> None:
        """Once; a trouble is told when it begins."""
        try:
            views = self._client.recent()
        except ApprovalGateFailed as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                print(plain_line(error), flush=True)
            return
        self._trouble = ""
        known = dict(self._seen or {})
        for view in sorted(views, key=lambda view: str(view["timestamp"])):
            now = tuple(_lines(view))
            before = known.get(view["id"])
            known[view["id"]] = now
            is_over = view.get("status", "pending") != "pending"
            if before is None and is_over and self._seen is None:
                continue
            for line in now[len(before or ()) :]:
                print(f"{datetime.now().astimezone():%H:%M:%S}  {short(view)}  {line}", flush=True)
        self._seen = known


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
