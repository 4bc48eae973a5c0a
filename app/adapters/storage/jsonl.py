"""A file of lines that several processes append to and that survives a kill at any moment."""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from app.domain.errors import StorageFailed, StorageFull

LOCK_TIMEOUT_SECONDS = 10.0
PIECE_BYTES = 512 * 1024
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} if sys.platform != "win32" else {errno.ENOSPC}

GENERATION_SHIFT = 44
"""A position is an offset below 16 TiB, and above it the generation of the file."""
HEAD_BYTES = 256

FULL_SENTENCE = "The disk is full: nothing was recorded. Make room, and try again."

# Not everywhere; fsync does the same and the timestamps too.
_make_durable = os.fsync if sys.platform in {"win32", "darwin"} else os.fdatasync


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of a file, without their ends."""

    lines: tuple[bytes, ...]
    start: int
    """Where the first line begins: not where it was asked for when the file was written anew."""
    position: int
    """Just behind the last line."""
    is_end: bool
    """Whether no committed line followed."""


class LineFile:
    """Lines with their newline are committed; what follows the last newline is not.

    Everything here blocks: call it in a thread.
    """

    def __init__(self, path: Path, generation_of: Callable[[bytes], int] | None = None) -> None:
        """Nothing is touched yet; `generation_of` reads the beginning of a file written anew."""
        self._path = path
        self._generation_of = generation_of or _first_generation
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
        with self.locked(), self.fresh() as file:
            file.write(data)
            self.swap(file)

    @contextmanager
    def fresh(self) -> Iterator[BinaryIO]:
        """A file beside this one, to be swapped in; gone after the block when it was not."""
        path = self._fresh_path
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("wb") as file:
                yield file
        finally:
            path.unlink(missing_ok=True)

    def swap(self, file: BinaryIO) -> None:
        """Put what was written into `fresh` in this file's place; call it while `locked`."""
        file.flush()
        if self._path.exists():
            _copy_access(self._path, file)
        os.fsync(file.fileno())
        self._fresh_path.replace(self._path)
        _make_folder_durable(self._path.parent)

    @property
    def _fresh_path(self) -> Path:
        return self._path.with_name(f"{self._path.name}.new")

    def _generation(self, file: BinaryIO) -> int:
        file.seek(0)
        return self._generation_of(file.read(HEAD_BYTES))

    def read(self, position: int) -> Piece:
        """About PIECE_BYTES of committed lines; a file that got shorter is read from its start."""
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                generation = self._generation(file)
                is_same = position >> GENERATION_SHIFT == generation
                start = offset_of(position) if is_same and offset_of(position) <= size else 0
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
        begin = generation << GENERATION_SHIFT | start if start or generation else 0
        return Piece(lines, begin, begin + len(committed), is_end)

    def lines_at(self, positions: Sequence[int]) -> list[bytes]:
        """The lines that begin at positions; what is found there when the file was changed."""
        try:
            with self._path.open("rb") as file:
                generation = self._generation(file)
                return [
                    _line_at(file, offset_of(position))
                    if position >> GENERATION_SHIFT == generation
                    else b""
                    for position in positions
                ]
        except OSError as error:
            raise StorageFailed(f"{self._path.name} cannot be read: {error.strerror}") from error

    def before(self, position: int, most: int) -> bytes:
        """So many bytes before a position, and the file's beginning; nothing when it is not reached."""
        try:
            with self._path.open("rb") as file:
                size, generation = os.fstat(file.fileno()).st_size, self._generation(file)
                end = offset_of(position)
                if position >> GENERATION_SHIFT != generation or end > size:
                    return b""
                file.seek(0)
                head = file.read(min(most, end))
                file.seek(max(end - most, 0))
                return head + file.read(min(most, end))
        except FileNotFoundError:
            return b""
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


def offset_of(position: int) -> int:
    """Where in the file a position is."""
    return position & (1 << GENERATION_SHIFT) - 1


def _first_generation(_head: bytes) -> int:
    return 0


def _copy_access(path: Path, file: BinaryIO) -> None:
    """Whoever may read and write the old file may do so with the new one."""
    if sys.platform == "win32":
        return
    old = path.stat()
    os.fchmod(file.fileno(), old.st_mode & 0o777)
    with suppress(PermissionError):
        os.fchown(file.fileno(), old.st_uid, old.st_gid)


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
