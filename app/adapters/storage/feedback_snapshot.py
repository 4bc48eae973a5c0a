"""A snapshot of what is known of the feedback, in one file of columns: read in a second, trusted never blindly."""

import asyncio
import logging
import sys
import zlib
from array import array
from collections.abc import Awaitable, Callable
from io import BufferedReader
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from app.domain.errors import StorageFailed
from app.domain.snapshots import FeedbackSnapshot, Part

log = logging.getLogger(__name__)

MAGIC = b"incident-agents feedback snapshot 1\n"
HEAD_LIMIT = 1 << 20
BYTES = "bytes"
"""The type of a part that is no array."""


class _Column(BaseModel):
    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    """An array's type code, or BYTES."""
    size: int
    """In bytes."""
    checksum: int


class _Head(BaseModel):
    model_config = ConfigDict(frozen=True)

    version: str
    byte_order: str
    position: int
    mark: str
    columns: tuple[_Column, ...]


class FeedbackSnapshotFile:
    """Implements the FeedbackSnapshots port.

    It counts only as long as the log before its position is the one that it was made of, which
    `mark` tells, and for the same `version` of the program. What is damaged counts for nothing.
    """

    def __init__(self, path: Path, version: str, mark: Callable[[int], Awaitable[str]]) -> None:
        """Nothing is touched yet."""
        self._path = path
        self._version = version
        self._mark = mark
        self._lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=0)

    async def load(self) -> FeedbackSnapshot | None:
        """The snapshot, if it is whole and fits."""
        head = await asyncio.to_thread(self._read_head)
        if head is None or head.mark != await self._mark(head.position):
            return None
        return await asyncio.to_thread(self._read, head)

    async def save(self, snapshot: FeedbackSnapshot) -> None:
        """Write it beside the last one and swap them; another process may be doing so."""
        mark = await self._mark(snapshot.position)
        await asyncio.to_thread(self._save, snapshot, mark)

    def _read_head(self) -> _Head | None:
        try:
            with self._path.open("rb") as file:
                head = _head_of(file)
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.warning("the feedback snapshot cannot be read", extra={"reason": str(error)})
            return None
        is_ours = head.version == self._version and head.byte_order == sys.byteorder
        return head if is_ours else None

    def _read(self, head: _Head) -> FeedbackSnapshot | None:
        try:
            with self._path.open("rb") as file:
                if _head_of(file) != head:
                    return None
                parts = {column.name: _read_part(file, column) for column in head.columns}
        except (OSError, ValidationError, ValueError) as error:
            log.warning("the feedback snapshot cannot be read", extra={"reason": str(error)})
            return None
        return FeedbackSnapshot(head.position, parts)

    def _save(self, snapshot: FeedbackSnapshot, mark: str) -> None:
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            with self._lock:
                fresh.touch(mode=0o600)
                with fresh.open("wb") as file:
                    file.write(self._head(snapshot, mark))
                    for part in snapshot.parts.values():
                        file.write(part)
                fresh.replace(self._path)
        except Timeout:
            log.info("another process writes the feedback snapshot")
        except (OSError, StorageFailed) as error:
            log.warning("the feedback snapshot was not written", extra={"reason": str(error)})

    def _head(self, snapshot: FeedbackSnapshot, mark: str) -> bytes:
        head = _Head(
            version=self._version,
            byte_order=sys.byteorder,
            position=snapshot.position,
            mark=mark,
            columns=tuple(_column(name, part) for name, part in snapshot.parts.items()),
        )
        return MAGIC + head.model_dump_json().encode() + b"\n"


def _column(name: str, part: Part) -> _Column:
    kind = part.typecode if isinstance(part, array) else BYTES
    return _Column(name=name, type=kind, size=memoryview(part).nbytes, checksum=zlib.crc32(part))


def _head_of(file: BufferedReader) -> _Head:
    """Raises ValidationError when it is none."""
    magic = file.readline(len(MAGIC))
    return _Head.model_validate_json(file.readline(HEAD_LIMIT) if magic == MAGIC else b"")


def _read_part(file: BufferedReader, column: _Column) -> Part:
    """Raises ValueError when it is damaged."""
    part = _room(column)
    if file.readinto(part) != column.size or zlib.crc32(part) != column.checksum:
        raise ValueError(f"its part {column.name} is damaged")
    return part


def _room(column: _Column) -> Part:
    if column.type == BYTES:
        return bytearray(column.size)
    one = array(column.type, [0])
    return one * (column.size // one.itemsize)
