"""What a data folder holds, copied as it is at one moment while servers go on writing to it."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.adapters.storage.audit_file import AUDIT_FILE
from app.adapters.storage.jsonl import LineFile
from app.domain.errors import StorageFailed

LOCK_SECONDS = 10.0
PIECE_BYTES = 1024 * 1024


def stored_files(folder: Path) -> list[Path]:
    """Everything that a backup has to hold, relative to the folder."""
    lines = (*folder.glob("feedback/*.jsonl"), *folder.glob(AUDIT_FILE))
    found = (*folder.glob("*.sqlite"), *lines)
    return sorted(path.relative_to(folder) for path in found)


def copy_in_use(source: Path, target: Path) -> None:
    """Copy a folder that servers use into an empty one; raises StorageFailed.

    All writers wait while the files are opened, some milliseconds. So nothing is told in one file
    and missing in another: the copy is what a power cut would have left.
    """
    with ExitStack() as opened:
        with _no_writers(source):
            originals = [opened.enter_context(_open(source, name)) for name in stored_files(source)]
        for original in originals:
            with _failing_as(source / original.name):
                original.copy_into(target)


def copy_at_rest(source: Path, target: Path) -> None:
    """Copy a folder that nobody uses, and may not be writable, into an empty one; raises StorageFailed."""
    for name in stored_files(source):
        with _open(source, name) as original:
            original.copy_into(target)


@dataclass(frozen=True, slots=True)
class _Database:
    """A reader that sees the database as it was when the reader was opened."""

    name: Path
    connection: sqlite3.Connection

    def copy_into(self, folder: Path) -> None:
        """Make one whole file, without a log beside it, and look whether it is sound."""
        with closing(sqlite3.connect(folder / self.name)) as copy:
            self.connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            (found,) = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StorageFailed(f"The database {self.name} is damaged: {found}.")


@dataclass(frozen=True, slots=True)
class _Lines:
    """A file that only grows, or is replaced as a whole, as long as it was when it was opened."""

    name: Path
    file: BinaryIO
    size: int

    def copy_into(self, folder: Path) -> None:
        """Copy that length."""
        target = folder / self.name
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as copy:
            while piece := self.file.read(min(self.size - copy.tell(), PIECE_BYTES)):
                copy.write(piece)
            copy.flush()
            os.fsync(copy.fileno())


@contextmanager
def _no_writers(folder: Path) -> Iterator[None]:
    with ExitStack() as locks:
        for name in stored_files(folder):
            locks.enter_context(_no_writer(folder / name))
        yield


@contextmanager
def _no_writer(path: Path) -> Iterator[None]:
    if path.suffix != ".sqlite":
        with LineFile(path).locked():
            yield
        return
    with _failing_as(path), _connection(str(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def _open(folder: Path, name: Path) -> Iterator[_Database | _Lines]:
    path = folder / name
    with _failing_as(path):
        if name.suffix != ".sqlite":
            with path.open("rb") as file:
                yield _Lines(name, file, os.fstat(file.fileno()).st_size)
            return
        with _connection(f"{path.absolute().as_uri()}?mode=ro") as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            yield _Database(name, reader)


def _connection(address: str) -> "closing[sqlite3.Connection]":
    return closing(sqlite3.connect(address, LOCK_SECONDS, uri=True, isolation_level=None))


@contextmanager
def _failing_as(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise StorageFailed(f"{path} cannot be copied: {reason or error}.") from error
