"""Brings a database to the schema of this version, once, whoever comes at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from filelock import FileLock, Timeout

from app.adapters.postgres import Patience
from app.adapters.storage.connections import Access, begin, close, open_engine
from app.adapters.storage.faults import is_damaged, is_lost, reason
from app.adapters.storage.location import DatabaseLocation
from app.domain.errors import StartupFailed

LOCK_SECONDS = 60
MIGRATION_SECONDS = 3600.0
"""For one statement on large tables."""
LOCK_NUMBER = 7_021_930_411
"""Any number of our own: who holds it in a PostgreSQL database changes tables there."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A set of tables with migrations and a version table of its own."""

    migrations: Path
    version_table: str
    head: str
    """The newest revision, so that a database that has it is opened without loading migrations."""


MIGRATIONS = Path(__file__).parent / "migrations"
WORKFLOWS = Schema(MIGRATIONS / "workflows", "workflow_schema", "3")


def prepare(location: DatabaseLocation, schema: Schema) -> None:
    """Migrate if need be; raises StartupFailed with one sentence that says what to do."""
    try:
        with _file_lock(location):
            patience = Patience(MIGRATION_SECONDS)
            connection = open_engine(location, Access.WRITE, patience=patience).connect()
            try:
                if _revision(connection, schema) != schema.head:
                    _lock(connection, location)
                    _migrate(connection, location, schema)
            finally:
                close(connection)
    except OSError as error:
        raise StartupFailed(_unusable(location, error.strerror or str(error))) from error
    except sa.exc.SQLAlchemyError as error:
        if is_damaged(error):
            raise StartupFailed(
                f"{location.name} is damaged ({reason(error)}):"
                " move the data folder away and bring a backup back with `python -m app restore`."
            ) from error
        raise StartupFailed(_unusable(location, reason(error))) from error


def _unusable(location: DatabaseLocation, why: str) -> str:
    if location.path is not None:
        return f"The data folder {location.path.parent} cannot be used: {why}."
    return f"{location.name}, cannot be used ({why}): start it, or correct DATABASE_URL."


def _revision(connection: sa.Connection, schema: Schema) -> str | None:
    """Which revision the tables have; None for an empty database."""
    if sa.inspect(connection).has_table(schema.version_table):
        query = sa.text(f"SELECT version_num FROM {schema.version_table}")  # noqa: S608 - a constant
        return connection.execute(query).scalar()
    return None


@contextmanager
def _file_lock(location: DatabaseLocation) -> Iterator[None]:
    if location.path is None:
        yield
        return
    location.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(f"{location.path}.lock", timeout=LOCK_SECONDS):
            yield
    except Timeout as error:
        raise StartupFailed(_busy(location)) from error


def _lock(connection: sa.Connection, location: DatabaseLocation) -> None:
    """One at a time in PostgreSQL, too; closing the connection gives the lock back."""
    if location.path is not None:
        return
    connection.exec_driver_sql(f"SET statement_timeout = '{LOCK_SECONDS}s'")
    try:
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({LOCK_NUMBER})")
    except sa.exc.OperationalError as error:
        if is_lost(error):
            raise
        raise StartupFailed(_busy(location)) from error
    connection.exec_driver_sql("SET statement_timeout = 0")


def _busy(location: DatabaseLocation) -> str:
    return f"Another process has been changing the tables of {location.name} for too long: stop it."


def _migrate(connection: sa.Connection, location: DatabaseLocation, schema: Schema) -> None:
    # Imports of half a second that most starts do not need.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_locations", str(schema.migrations))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=connection, version_table=schema.version_table)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    begin(connection)
    found = _revision(connection, schema)
    adopted = None if found else _released_version(connection, location)
    if (found or adopted or schema.head) not in known:
        raise StartupFailed(f"{location.name} was written by a newer version; update this program.")
    if adopted:
        command.stamp(config, adopted)
    command.upgrade(config, schema.head)
    connection.exec_driver_sql("COMMIT")


def _released_version(connection: sa.Connection, location: DatabaseLocation) -> str | None:
    """Before there were migrations, a file's version stood in its header."""
    if location.path is None:
        return None
    found = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    return str(found) if found else None
