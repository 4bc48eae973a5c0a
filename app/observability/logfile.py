"""A log file that several processes write to: every line is one write, and one of them rotates."""

import logging
import os
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from filelock import FileLock, Timeout


class SharedLogFile(logging.Handler):
    """Older lines stand beside it as `<name>.1`, `<name>.2` and so on, the newest first."""

    def __init__(self, path: Path, *, most_bytes: int, kept: int) -> None:
        """Open it for appending; raises OSError."""
        super().__init__()
        self._path = path
        self._most_bytes = most_bytes
        self._kept = kept
        self._turn = FileLock(
            path.with_name(f".{path.name}.lock"), timeout=0, preserve_lock_file=True
        )
        self._open()

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; a disk that takes none is reported on the console as logging does it."""
        try:
            line = f"{self.format(record)}\n".encode("utf-8", "backslashreplace")
            self._follow()
            if self._is_full(len(line)):
                self._rotate(len(line))
            self._file.write(line)
        except Exception:  # noqa: BLE001 - what cannot be logged must not stop the product
            self.handleError(record)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
        super().close()

    def _open(self) -> None:
        # Without a buffer a line is one write, and an appending write lands in one piece.
        self._file = self._path.open("ab", buffering=0)

    def _follow(self) -> None:
        """Go on in the new file when another process has rotated, or somebody took the file away."""
        with suppress(FileNotFoundError):
            if os.path.samestat(self._path.stat(), os.fstat(self._file.fileno())):
                self._file.seek(0, os.SEEK_END)
                return
        self._file.close()
        self._open()

    def _is_full(self, more: int) -> bool:
        size = self._file.tell()
        return bool(size) and size + more > self._most_bytes

    def _rotate(self, more: int) -> None:
        # While another process is at it, this line goes where the last one went.
        with suppress(Timeout), self._turn:
            self._follow()
            if self._is_full(more):
                self._file.close()
                try:
                    self._shift()
                finally:
                    self._open()

    def _shift(self) -> None:
        numbered = (Path(f"{self._path}.{number}") for number in range(1, self._kept + 1))
        names = [self._path, *numbered]
        # Windows renames nothing that another process has open: the file grows until it may.
        with suppress(PermissionError):
            for newer, older in reversed(list(pairwise(names))):
                if newer.exists():
                    newer.replace(older)
