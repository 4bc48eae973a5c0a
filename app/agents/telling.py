"""What an agent's reasoner tells on the way to its answer, as events of the workflow."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from app.domain.answer import AgentName
from app.domain.errors import StorageFailed
from app.domain.events import Event, EventStatus, EventType
from app.domain.questions import Usage

TOKENS_EVERY_SECONDS = 0.2
"""Every event is stored before it is shown, so pieces that come faster go together."""
STORAGE_PAUSE_SECONDS = 5.0
MOST_TOKEN_BYTES = 64 * 1024

Append = Callable[[Sequence[Event]], Awaitable[None]]
"""Stores events, all or none."""


@dataclass(slots=True)
class AgentTeller:
    """Tells a workflow's watchers what one agent is at; tokens stay ahead of what follows them."""

    agent: AgentName
    append: Append
    _tokens: str = field(default="", init=False)
    _room: int = field(default=MOST_TOKEN_BYTES, init=False)
    """Bytes; below zero once the answer was longer."""
    _is_cut: bool = field(default=False, init=False)
    """Whether the watchers still have to be told that it was."""
    _next: float = field(default=0.0, init=False)

    async def progress(self, text: str) -> None:
        """A THINKING line."""
        await self.say(EventStatus.THINKING, text)

    async def token(self, text: str) -> None:
        """Part of a `token` event, now or with what comes next."""
        if self._room < 0:
            return
        self._take(text)
        now = time.monotonic()
        if now < self._next and not self._is_cut:
            return
        self._next = now + TOKENS_EVERY_SECONDS
        try:
            await self._append()
        except StorageFailed:
            # The answer is being paid for, and what it becomes is stored later, or fails then.
            self._next = time.monotonic() + STORAGE_PAUSE_SECONDS

    async def usage(self, usage: Usage) -> None:
        """A `usage` event."""
        await self._append(self._fact(EventType.USAGE, asdict(usage)))

    async def say(self, status: EventStatus, data: str, *, output: str = "") -> None:
        """A status event of the agent."""
        await self._append(Event(self.agent, status, data, output=output))

    def _take(self, text: str) -> None:
        data = text.encode(errors="replace")
        self._tokens += data[: self._room].decode(errors="ignore")
        self._room -= len(data)
        self._is_cut = self._room < 0

    async def _append(self, *events: Event) -> None:
        """Store what waits and these events."""
        tokens, is_cut = self._tokens, self._is_cut
        waiting = [self._fact(EventType.TOKEN, {"text": tokens})] if tokens else []
        waiting += [self._fact(EventType.TOKEN, {"truncated": True})] if is_cut else []
        self._tokens, self._is_cut = "", False
        try:
            await self.append([*waiting, *events])
        except StorageFailed:
            self._tokens, self._is_cut = tokens, is_cut
            raise

    def _fact(self, event_type: EventType, fact: Mapping[str, object]) -> Event:
        data = orjson.dumps({"agent": self.agent, **fact}).decode()
        return Event(self.agent, EventStatus.INFO, data, event_type)
