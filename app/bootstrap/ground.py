"""What both servers stand on: a data folder of their own and the machine's clock."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from app.domain.errors import StartupFailed


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Now, in UTC."""
        return datetime.now(UTC)


@contextmanager
def own_folder(folder: Path, name: str) -> Iterator[None]:
    """One server of each name per data folder; raises StartupFailed."""
    try:
        lock = _acquired(folder, name)
    except Timeout as error:
        raise StartupFailed(
            f"Another server uses the data folder {folder.resolve()}: "
            "stop it, or set DATA_DIR to another folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_owned(folder: Path, name: str, patience_seconds: float = 0) -> bool:
    """Whether a server of that name uses the folder, and goes on doing so; raises StartupFailed."""
    try:
        _acquired(folder, name, patience_seconds).release()
    except Timeout:
        return True
    return False


def _acquired(folder: Path, name: str, patience_seconds: float = 0) -> FileLock:
    lock = FileLock(folder / f"{name}.lock", timeout=patience_seconds)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise
    except OSError as error:
        raise StartupFailed(
            f"The data folder {folder.resolve()} cannot be used ({error.strerror or error}): "
            "make it writable, or set DATA_DIR to another folder."
        ) from error
    return lock
