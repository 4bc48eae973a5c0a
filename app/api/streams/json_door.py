"""The event log as JSON pages, for programs that would rather ask than listen."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.api.streams.entries import Entry
from app.api.streams.fanout import Fanout
from app.api.streams.pieces import cut_piece
from app.api.streams.requests import parse_workflow_id
from app.api.streams.stream import Beginning, Stream
from app.api.streams.terms import Terms, parse_wish
from app.api.streams.wires import reset_frame

router = APIRouter(prefix="/workflows", tags=["workflows"])

MOST_BYTES = 4 * 1024 * 1024


class EventQuery(BaseModel, extra="forbid"):
    """Which page; what this door does not know is refused, for a typing error would go unseen."""

    after: str = Field(
        default="", max_length=64, description="An event's id, or its number; left out: the start."
    )
    last_event_id: str = Field(default="", max_length=64, description="The same as `after`.")
    begin: str = Field(
        default="start", alias="from", description="`start` or `now`: where to begin without one."
    )
    limit: int = Field(default=200, ge=1, le=1000)
    wait: float = Field(default=0, ge=0, le=30, description="Seconds to wait for something.")
    types: str | None = Field(default=None, description="Names with commas between them.")
    until: str | None = Field(default=None, description="`outcome`: go on after the agents.")

    def fields(self, epoch: str) -> Mapping[str, str]:
        """As the other doors have them."""
        after = self.after or self.last_event_id
        cursor = f"{epoch}-{after}" if after.isascii() and after.isdecimal() else after
        fields = {
            "last_event_id": cursor,
            "from": self.begin,
            "types": self.types,
            "until": self.until,
        }
        return {name: value for name, value in fields.items() if value is not None}


class Reset(BaseModel):
    """What follows does not continue what the client has."""

    type: str
    reason: str
    first_seq: int = Field(description="Where the log begins.")


class EventPage(BaseModel):
    """Events in order, each the same bytes as in the stream."""

    events: list[dict[str, object]]
    next: str = Field(description="The `after` of the next page.")
    is_over: bool = Field(description="Whether nothing can follow, but an undo.")
    reset: Reset | None = None


@router.get("/{workflow_id}/events", response_class=Response, responses={200: {"model": EventPage}})
async def events(
    request: Request, workflow_id: str, asked: Annotated[EventQuery, Query()]
) -> Response:
    """The workflow's events as a page; the pages together are what the stream sends."""
    fanout: Fanout = request.app.state.fanout
    epoch = fanout.events.epoch
    wish = parse_wish(asked.fields(epoch), epoch)
    with fanout.follow(parse_workflow_id(workflow_id)) as stream:
        beginning = await stream.begin(wish)
        page = Page(beginning, wish.terms, asked.limit)
        await page.fill(stream, asked.wait)
    return Response(page.render(epoch), media_type="application/json")


class Page:
    """Collects events up to its limits."""

    def __init__(self, beginning: Beginning, terms: Terms, limit: int) -> None:
        """Empty, at the client's position."""
        self._beginning = beginning
        self._terms = terms
        self._limit = limit
        self._entries: list[Entry] = []
        self._size = 0
        self._position = beginning.position
        self._is_over = beginning.is_over

    async def fill(self, stream: Stream, wait: float) -> None:
        """Take what there is; if there is nothing, wait for it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        await self._take(stream)
        while not self._is_done and await stream.has_changed(deadline - loop.time()):
            await self._take(stream)

    def render(self, epoch: str) -> bytes:
        """The frames as they are stored; the cursor never passes what the client was not sent."""
        last = self._entries[-1].seq if self._entries else self._beginning.position
        reset = self._beginning.reset
        return b'{"events":[%b],"next":"%b-%d","is_over":%b%b}' % (
            b",".join([entry.frame for entry in self._entries]),
            epoch.encode(),
            last,
            b"true" if self._is_over else b"false",
            b""
            if reset is None
            else b',"reset":%b' % reset_frame(reset, self._beginning.position + 1),
        )

    @property
    def _is_done(self) -> bool:
        return bool(self._entries) or self._is_over or self._beginning.reset is not None

    async def _take(self, stream: Stream) -> None:
        while not self._is_over and self._room and self._size < MOST_BYTES:
            entries = await stream.backlog.after(self._position)
            if not entries:
                return
            piece = cut_piece(entries, self._terms, stream.backlog.final)
            taken = piece.entries[: self._room]
            self._is_over = piece.is_end and len(taken) == len(piece.entries)
            self._entries += taken
            self._size += piece.size
            self._position = piece.reached

    @property
    def _room(self) -> int:
        return self._limit - len(self._entries)
