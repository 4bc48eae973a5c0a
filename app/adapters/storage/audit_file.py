"""AuditCopy: the audit trail as a file, in which every line carries its own hash."""

import os
from collections.abc import Sequence
from pathlib import Path

from app.adapters.storage.jsonl import LineFile
from app.domain.audit import AuditEntry
from app.domain.errors import StorageFailed

AUDIT_FILE = "audit.jsonl"
"""In the data folder."""
FIRST_REACH = 64 * 1024


class AuditFile:
    """Only ever appended to; half a line that a killed server left is sealed and written again."""

    def __init__(self, path: Path) -> None:
        """Nothing is touched yet."""
        self._path = path
        self._lines = LineFile(path)

    def last(self) -> AuditEntry | None:
        """The last whole entry; raises StorageFailed."""
        reach, size = FIRST_REACH, 0
        while True:
            try:
                size, tail = self._tail(reach)
            except OSError as error:
                raise StorageFailed(f"{self._path} cannot be read: {error.strerror}.") from error
            # What follows the last end of a line is not committed.
            for line in reversed(tail.split(b"\n")[:-1]):
                if (entry := AuditEntry.from_line(line)) is not None:
                    return entry
            if reach >= size:
                return None
            reach *= 8

    def append(self, entries: Sequence[AuditEntry]) -> None:
        """Make those durable that it lacks; servers may share it. Raises StorageFailed."""
        with self._lines.locked():
            # A line that lacks nothing but its end is whole once that is sealed.
            self._lines.open()
            last = self.last()
            seq = 0 if last is None else last.seq
            missing = [entry.to_line() for entry in entries if entry.seq > seq]
            if missing:
                self._lines.append(b"".join(missing))

    def _tail(self, reach: int) -> tuple[int, bytes]:
        """How long the file is, and its last part."""
        if not self._path.exists():
            return 0, b""
        with self._path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - reach))
            return size, file.read()
