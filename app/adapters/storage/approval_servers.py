"""Which approval servers share a database, by how their counts go up."""

from collections.abc import Mapping

import sqlalchemy as sa

from app.adapters.storage.approval_tables import servers
from app.adapters.storage.database import Database
from app.domain.ids import ProcessId

BEAT = sa.text(
    "INSERT INTO approval_servers (server_id, beats) VALUES (:me, 1)"
    " ON CONFLICT (server_id) DO UPDATE SET beats = approval_servers.beats + 1"
)
EVERYBODY = sa.select(servers.c.server_id, servers.c.beats)
STRIKE_OFF = sa.delete(servers).where(
    servers.c.server_id == sa.bindparam("id"), servers.c.beats == sa.bindparam("seen")
)
LEAVE = sa.delete(servers).where(servers.c.server_id == sa.bindparam("id"))


class SqlServers:
    """ServerTable in the database that the servers share."""

    def __init__(self, database: Database, me: ProcessId) -> None:
        """Take an open database and this server's own name."""
        self._database = database
        self._me = me

    async def beat(self) -> Mapping[ProcessId, int]:
        """Count up, registering if need be; the others' counts."""

        def count(connection: sa.Connection) -> dict[ProcessId, int]:
            connection.execute(BEAT, {"me": self._me})
            return {ProcessId(name): beats for name, beats in connection.execute(EVERYBODY)}

        counts = await self._database.write(count)
        return {server: beats for server, beats in counts.items() if server != self._me}

    async def strike_off(self, server: ProcessId, seen: int) -> bool:
        """Take a dead server off; False when it has beaten since, or somebody else did this."""
        values = {"id": server, "seen": seen}
        return await self._database.write(
            lambda connection: connection.execute(STRIKE_OFF, values).rowcount > 0
        )

    async def leave(self) -> None:
        """Take this server off: what it has not begun is the others' to do."""
        await self._database.write(lambda connection: connection.execute(LEAVE, {"id": self._me}))
