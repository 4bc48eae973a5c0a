"""What went wrong in a database, in our words and without a statement, a value or a URL."""

import sqlite3
import tempfile
from pathlib import Path

import sqlalchemy as sa

from app.adapters.storage.location import DatabaseLocation
from app.domain.errors import StorageFailed, StorageFull

DISK_FULL = "53100"
ABORTED = frozenset({"40001", "40P01"})
"""SQLSTATEs of a serialization failure and of a deadlock: nothing happened, once more may work."""
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
ROOM = 64 * 1024


def translated(error: sa.exc.SQLAlchemyError, location: DatabaseLocation) -> StorageFailed:
    """The error that callers get."""
    if _is_full(error, location):
        return StorageFull(
            "The disk is full: nothing was changed. Make room, and what waits goes on by itself."
        )
    return StorageFailed(f"The database cannot be used ({reason(error)}); nothing was changed.")


def reason(error: sa.exc.SQLAlchemyError) -> str:
    """The database's own words, one line."""
    if not isinstance(error, sa.exc.DBAPIError) or error.orig is None:
        return type(error).__name__
    diagnostics = getattr(error.orig, "diag", None)
    words = getattr(diagnostics, "message_primary", None) or str(error.orig)
    first = next(iter(str(words).splitlines()), "") or type(error.orig).__name__
    # A failed connection names host and port first, and its reason at the end.
    return first.rpartition(" failed: ")[2].strip().rstrip(".")


def is_damaged(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether an SQLite file holds something else than a database, or half of one."""
    orig = error.orig if isinstance(error, sa.exc.DBAPIError) else None
    return getattr(orig, "sqlite_errorcode", 0) & 0xFF in DAMAGED


def is_lost(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether the connection is gone, and another one may work."""
    return isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated


def is_aborted(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether the transaction got in the way of another one."""
    return isinstance(error, sa.exc.DBAPIError) and _sqlstate(error) in ABORTED


def _sqlstate(error: sa.exc.DBAPIError) -> str | None:
    found: str | None = getattr(error.orig, "sqlstate", None)
    return found


def _is_full(error: sa.exc.SQLAlchemyError, location: DatabaseLocation) -> bool:
    if not isinstance(error, sa.exc.DBAPIError):
        return False
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is None or location.path is None:
        return _sqlstate(error) == DISK_FULL
    # SQLite knows ENOSPC; a quota or a limit on a file's size is just an I/O error to it.
    is_io_error = code & 0xFF == sqlite3.SQLITE_IOERR
    return code == sqlite3.SQLITE_FULL or (is_io_error and not _has_room(location.path))


def _has_room(path: Path) -> bool:
    """Whether a file beside the database could grow past the write-ahead log's size."""
    try:
        log = path.with_name(f"{path.name}-wal")
        size = log.stat().st_size if log.exists() else 0
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            probe.seek(size)
            probe.write(bytes(ROOM))
            probe.flush()
    except OSError:
        return False
    return True
