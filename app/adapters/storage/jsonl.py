"""A file of lines that several processes append to and that survives a kill at any moment."""

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from app.domain.errors import StorageFailed, StorageFull

LOCK_TIMEOUT_SECONDS = 10.0
PIECE_BYTES = 512 * 1024
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} if sys.platform != "win32" else {errno.ENOSPC}

FULL_SENTENCE = "The disk is full: nothing was recorded. Make room, and try again."

# Not everywhere; fsync does the same and the timestamps too.
_make_durable = os.fsync if sys.platform in {"win32", "darwin"} else os.fdatasync


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file, without their ends."""

    lines: tuple[bytes, ...]
    start: int
    """Where the first line begins."""
    position: int
    """Just behind the last line."""
    is_end: bool
    """Whether no committed line followed."""


class LineFile:
    """Lines with their newline are committed; what follows the last newline is not.

    Everything here blocks: call it in a thread.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is touched yet."""
        self._path = path
        self._lock = FileLock(
            path.with_name(f"{path.name}.lock"),
            timeout=LOCK_TIMEOUT_SECONDS,
            poll_interval=0.005,
            preserve_lock_file=True,
            fallback_to_soft=False,
        )

    def open(self) -> None:
        """Make folder and file, and seal a torn tail."""
        with self.locked():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self._path.exists()
            self._write(b"")
            if is_new:
                _make_folder_durable(self._path.parent)

    def append(self, data: bytes) -> None:
        """Durable when it returns; raises StorageFailed."""
        with self.locked():
            self._write(data)

    def replace(self, data: bytes) -> None:
        """Swap the whole content: readers see the old or the new file, never half of it."""
        with self.locked():
            fresh = self._path.with_name(f"{self._path.name}.new")
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            _make_folder_durable(self._path.parent)

    def read(self, position: int) -> Piece:
        """About PIECE_BYTES of committed lines; a file that got shorter is read from its start."""
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                start = position if position <= size else 0
                file.seek(start)
                data = file.read(PIECE_BYTES)
                while b"\n" not in data and start + len(data) < size:
                    data += file.read(len(data))
        except FileNotFoundError:
            return Piece((), 0, 0, is_end=True)
        except OSError as error:
            raise StorageFailed(f"{self._path.name} cannot be read: {error.strerror}") from error
        committed = data[: data.rfind(b"\n") + 1]
        is_end = start + len(data) >= size or not committed
        lines = tuple(committed.split(b"\n")[:-1])
        return Piece(lines, start, start + len(committed), is_end)

    def lines_at(self, positions: Sequence[int]) -> list[bytes]:
        """The lines that begin at positions; what is found there when the file was changed."""
        try:
            with self._path.open("rb") as file:
                return [_line_at(file, position) for position in positions]
        except OSError as error:
            raise StorageFailed(f"{self._path.name} cannot be read: {error.strerror}") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer out; may be entered again by whoever is inside."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._lock:
                yield
        except Timeout as error:
            raise StorageFailed(f"Another process keeps {self._path.name} locked") from error
        except OSError as error:
            if error.errno in FULL:
                raise StorageFull(FULL_SENTENCE) from error
            raise StorageFailed(f"{self._path.name} cannot be written: {error.strerror}") from error

    def _write(self, data: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            rest = memoryview(_seal(descriptor) + data)
            if not rest:
                return
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            _make_durable(descriptor)
        finally:
            os.close(descriptor)


def _line_at(file: BinaryIO, position: int) -> bytes:
    file.seek(position)
    return file.readline().removesuffix(b"\n")


def _seal(descriptor: int) -> bytes:
    """The newline that a killed writer left out; half an event never parses, a whole one may stay."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return b""
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return b"" if os.read(descriptor, 1) == b"\n" else b"\n"


def _make_folder_durable(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
