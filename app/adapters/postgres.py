"""Connections to PostgreSQL on which every wait has an end, also for a server that hangs."""

import math
import time
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from psycopg.abc import PQGen

T = TypeVar("T")

NETWORK: dict[str, Any] = {
    "connect_timeout": 5,
    # A peer that is gone without a word is noticed: about 10 s, written to or not.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
SILENCE_SECONDS = 12.0
"""Longer than the server lets a statement take: one that ends none is not there, or hangs."""
LOOK_SECONDS = 0.1


class Unanswered(psycopg.OperationalError):
    """What was asked may have been done; nobody waits to hear of it."""


class Patience:
    """How long an answer is waited for; whoever stops has less of it."""

    def __init__(self, seconds: float) -> None:
        """So long, until `end`; longer than the server lets a statement take."""
        self._seconds = seconds
        self._ends_at = math.inf

    def end(self, within_seconds: float) -> None:
        """After so many seconds no answer is waited for any more."""
        self._ends_at = time.monotonic() + within_seconds

    def check(self, asked_at: float = math.inf) -> None:
        """Raises Unanswered when an answer to what was asked then is overdue."""
        if time.monotonic() >= min(asked_at + self._seconds, self._ends_at):
            raise Unanswered("it does not answer")

    def limited(self, steps: PQGen[T]) -> PQGen[T]:
        """The same steps of a conversation with the server, as long as it answers in time."""
        asked_at = time.monotonic()
        try:
            wanted = next(steps)
            while True:
                ready = yield wanted
                if not ready:
                    self.check(asked_at)
                wanted = steps.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result


class PatientConnection(psycopg.Connection[Any]):
    """Closed by the first answer that does not come."""

    patience = Patience(SILENCE_SECONDS)

    def wait(
        self, gen: PQGen[T], interval: float = LOOK_SECONDS, timeout: float | None = None
    ) -> T:
        """What every statement waits in."""
        try:
            return super().wait(self.patience.limited(gen), interval, timeout)
        except Unanswered:
            self.pgconn.finish()
            raise


class AsyncPatientConnection(psycopg.AsyncConnection[Any]):
    """The same for the event loop."""

    patience = Patience(SILENCE_SECONDS)

    async def wait(
        self,
        gen: PQGen[T],
        interval: float = LOOK_SECONDS,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own word
    ) -> T:
        """What every statement waits in."""
        if timeout is not None:
            # Who waits for a notice waits in silence, and not for an answer.
            return await super().wait(gen, interval, timeout)
        try:
            return await super().wait(self.patience.limited(gen), interval)
        except Unanswered:
            self.pgconn.finish()
            raise


def be_patient(engine: sa.Engine, patience: Patience) -> None:
    """Let the engine make connections with this patience, and none once it has ended."""

    def connect(_: object, __: object, arguments: Any, options: Any) -> PatientConnection:
        patience.check()
        connection = PatientConnection.connect(*arguments, **options)
        connection.patience = patience
        return connection

    sa.event.listen(engine, "do_connect", connect)
