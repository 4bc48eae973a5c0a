"""Which of our processes live, by how their counts go up."""

from collections.abc import Sequence

import sqlalchemy as sa

from app.adapters.storage.database import Database
from app.adapters.storage.tables import processes, workflows
from app.domain.ids import ProcessId
from app.domain.workflow import WorkflowState

BEAT = sa.text(
    "INSERT INTO processes (process_id, beats, is_buried) VALUES (:me, 1, 0)"
    " ON CONFLICT (process_id) DO UPDATE SET beats = processes.beats + 1, is_buried = 0"
)
EVERYBODY = sa.select(processes.c.process_id, processes.c.beats)
THIS = processes.c.process_id == sa.bindparam("id")
BURY = sa.update(processes).where(THIS).values(is_buried=1)
# One that was taken for dead and beats again stays.
FORGET = sa.delete(processes).where(
    THIS, sa.or_(processes.c.is_buried == 1, processes.c.process_id == sa.bindparam("me"))
)
VOID_CLAIMS = (
    sa.update(workflows)
    .where(workflows.c.owner == sa.bindparam("id"), workflows.c.finished_at.is_(None))
    .values(owner=None, state=WorkflowState.QUEUED.value)
)


def is_living(process: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """Whether a process is on the table and not buried."""
    return sa.exists().where(processes.c.process_id == process, processes.c.is_buried == 0)


class SqlProcessTable:
    """ProcessTable in the database that the processes share."""

    def __init__(self, database: Database, process_id: ProcessId) -> None:
        """Take an open database and this process's own name."""
        self._database = database
        self._me = process_id

    @property
    def me(self) -> ProcessId:
        """This process."""
        return self._me

    async def beat(self) -> Sequence[tuple[ProcessId, int]]:
        """Count up, registering if need be; returns everybody's count, the buried ones' too."""

        def count(connection: sa.Connection) -> Sequence[tuple[ProcessId, int]]:
            connection.execute(BEAT, {"me": self._me})
            return [(ProcessId(name), beats) for name, beats in connection.execute(EVERYBODY)]

        return await self._database.write(count)

    async def bury(self, dead: ProcessId) -> None:
        """Void the claims of a process that no longer beats; safe to repeat."""

        def note(connection: sa.Connection) -> None:
            connection.execute(BURY, {"id": dead})
            connection.execute(VOID_CLAIMS, {"id": dead})

        await self._database.write(note)

    async def forget(self, process: ProcessId) -> None:
        """Take it off the table, and what it still had off its hands."""

        def remove(connection: sa.Connection) -> None:
            if connection.execute(FORGET, {"id": process, "me": self._me}).rowcount:
                connection.execute(VOID_CLAIMS, {"id": process})

        await self._database.write(remove)
