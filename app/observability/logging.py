"""The operators' log: JSON lines in a rotated file and readable lines on the console, without secrets."""

import atexit
import json
import logging
import queue
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path

from app.domain.errors import StartupFailed
from app.observability.logfile import SharedLogFile
from app.security.redaction import redact

FILE_BYTES = 10 * 1024 * 1024
FILES_KEPT = 5
LINES_WAITING = 10_000
OUTSIDE = "-"
CHATTY = (
    "alembic",
    "httpx",
    "httpcore",
    "httpx2",
    "elastic_transport",
    "google_genai",
    "asyncio",
    "mcp",
    "alembic",
    "uvicorn.error",
)
"""Libraries that log every request or step, some with whole addresses; only warnings are kept."""

# `color_message` is uvicorn's second copy of the message.
_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {
    "message",
    "asctime",
    "workflow_id",
    "color_message",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_workflow_id: ContextVar[str] = ContextVar("workflow_id", default=OUTSIDE)


@contextmanager
def workflow_context(workflow_id: str) -> Iterator[None]:
    """Everything logged inside carries the workflow's id."""
    token = _workflow_id.set(workflow_id)
    try:
        yield
    finally:
        _workflow_id.reset(token)


class LogSession:
    """A running log; closing it writes what still waits."""

    def __init__(self, doorway: "_Doorway", listener: QueueListener) -> None:
        """Both parts are already running."""
        self._doorway = doorway
        self._listener = listener
        self._is_open = True

    def close(self) -> None:
        """Write what waits and let go of the file; closing twice is closing once."""
        if not self._is_open:
            return
        self._is_open = False
        atexit.unregister(self.close)
        logging.captureWarnings(capture=False)
        logging.getLogger().removeHandler(self._doorway)
        self._listener.stop()
        for handler in self._listener.handlers:
            handler.close()


def configure_logging(
    level: str, logs_dir: Path, *, name: str = "app", secrets: Sequence[str] = ()
) -> LogSession:
    """Log to `<logs_dir>/<name>.log` and the console; raises StartupFailed.

    Several processes may use one name: their lines go to one file.
    """
    formatting = _Redaction(tuple(secret for secret in secrets if secret))
    file = _open_file(logs_dir / f"{name}.log")
    file.setFormatter(_JsonLine(formatting))
    console = logging.StreamHandler(sys.stderr)
    console.setFormatter(_ReadableLine(formatting))
    lines: queue.Queue[logging.LogRecord] = queue.Queue(LINES_WAITING)
    doorway = _Doorway(lines)
    listener = QueueListener(lines, file, console)
    listener.start()
    session = LogSession(doorway, listener)
    _route_everything_through(doorway, level)
    atexit.register(session.close)
    return session


def _open_file(path: Path) -> SharedLogFile:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return SharedLogFile(path, most_bytes=FILE_BYTES, kept=FILES_KEPT)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StartupFailed(
            f"The log file {path} cannot be written ({reason}): set LOGS_DIR to a writable folder."
        ) from error


def _route_everything_through(doorway: "_Doorway", level: str) -> None:
    root = logging.getLogger()
    root.addHandler(doorway)
    root.setLevel(level)
    for logger in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(logger).handlers.clear()
        logging.getLogger(logger).propagate = True
    for logger in CHATTY:
        logging.getLogger(logger).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)


class _Doorway(QueueHandler):
    """Completes a record where it is made and hands it over without waiting."""

    def __init__(self, lines: "queue.Queue[logging.LogRecord]") -> None:
        super().__init__(lines)
        self._lost = 0

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        ready = copy(record)
        ready.message = ready.msg = record.getMessage()
        ready.args = None
        if record.exc_info:
            ready.exc_text = logging.Formatter().formatException(record.exc_info)
            ready.exc_info = None
        ready.workflow_id = getattr(record, "workflow_id", _workflow_id.get())
        return ready

    def enqueue(self, record: logging.LogRecord) -> None:
        if self._lost:
            record.lines_lost_before = self._lost
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            self._lost += 1
        else:
            self._lost = 0


@dataclass(frozen=True, slots=True)
class _Redaction:
    """Takes out known secrets literally and unknown ones by their shape."""

    known: tuple[str, ...]

    def clean(self, text: str) -> str:
        for secret in self.known:
            text = text.replace(secret, "[REDACTED]")
        return redact(text).text

    def clean_field(self, name: str, value: object) -> object:
        """A number stays a number; in a text, the field's name may say that it is a secret."""
        if value is None or isinstance(value, bool | int | float):
            return value
        return self.clean(f"{name}={value}").removeprefix(f"{name}=")


class _JsonLine(logging.Formatter):
    """One JSON object a line."""

    def __init__(self, redaction: _Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        line = _extra_fields(record, self._redaction) | {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "pid": record.process,
            "logger": record.name,
            "message": self._redaction.clean(record.message),
            "workflow_id": getattr(record, "workflow_id", OUTSIDE),
        }
        if record.exc_text:
            line["exception"] = self._redaction.clean(record.exc_text)
        return json.dumps(line, ensure_ascii=False)


class _ReadableLine(logging.Formatter):
    """One line for people; only a stack trace has more."""

    def __init__(self, redaction: _Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        message = _on_one_line(self._redaction.clean(record.message))
        fields = _extra_fields(record, self._redaction)
        workflow_id = getattr(record, "workflow_id", OUTSIDE)
        if workflow_id != OUTSIDE:
            fields["workflow_id"] = workflow_id
        tail = "".join(f" {name}={_on_one_line(str(value))}" for name, value in fields.items())
        trace = f"\n{self._redaction.clean(record.exc_text)}" if record.exc_text else ""
        return f"{moment} {record.levelname:<7} {record.name}: {message}{tail}{trace}"


def _extra_fields(record: logging.LogRecord, redaction: _Redaction) -> dict[str, object]:
    return {
        name: redaction.clean_field(name, value)
        for name, value in record.__dict__.items()
        if name not in _STANDARD and not name.startswith("_")
    }


def _on_one_line(text: str) -> str:
    """Logged text may come from anyone: no line breaks and no terminal control sequences."""
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)
