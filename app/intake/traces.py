"""Stack traces: which lines belong to the record before them, and their short form."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.security.linear import LinearPattern

# What `kubectl logs --prefix --timestamps`, stern, compose and container runtimes put before a line.
_PREFIX = (
    r"(?:\[[A-Za-z0-9./_-]+\] |[A-Za-z0-9._/-]+ +\| "
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:[0-9]{2}) (?:std(?:out|err) [FP] )?)+"
)
_OPENING = (
    r"\s*(?:at\s+[\w.$<>/@ \[\]-]+\s*\(|at (?:async )?[\w.$<>/]+[ (:]|at (?:file|node|internal|/)"
    r"|Traceback \(most recent call last\)|goroutine [0-9]+ \[|\[signal SIG|stack backtrace:|Stack trace:"
    r"|Caused by: |Suppressed: |\.\.\. [0-9]+ (?:more|common frames))"
    r"|\s+(?:File \"|from \S+:[0-9]+:in )|[#][0-9]+ (?:/|\{main\}|0x)"
    r"|(?:[a-z_$][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error|Throwable|Failure)\b"
)
LINE_PREFIX = LinearPattern(_PREFIX)
_OPENS = LinearPattern(_OPENING)
_OPENS_AFTER_PREFIX = LinearPattern(rf"(?:{_PREFIX})?(?:{_OPENING})")
_CONTINUES = LinearPattern(
    r"\s+\S|\s*$|[)}\]]+[;,]?\s*$|created by |exit status [0-9]|[\w./*()\[\]-]+\(.*\)\s*$"
    r"|During handling of the above|The above exception was"
)
_PYTHON_END = LinearPattern(
    r"[A-Za-z_][\w.]*(?:Error|Exception|Warning|Interrupt|Exit|Iteration|Timeout\w*|Refused|Denied|Failed|Failure|NotFound|Fault)?(?:: |:?\s*$)"
)
_PYTHON = b"Traceback (most recent call last)"
_FIRST, _LAST = 12, 12


def may_continue(line: bytes) -> bool:
    """Whether the line can belong to a record that began before it."""
    prefix = LINE_PREFIX.begins(line)
    rest = line[prefix[0][1] :] if prefix is not None else line
    return any(pattern.begins(rest) is not None for pattern in (_OPENS, _CONTINUES, _PYTHON_END))


def announces_trace(head: bytes) -> bool:
    """Whether a record that begins so is followed by a trace."""
    return _PYTHON in head or b"panic: " in head or b"fatal error: " in head


def opens_trace(text: bytes, start: int, end: int) -> bool:
    """Whether the line there can be the first line of a trace."""
    return _OPENS_AFTER_PREFIX.begins(text, start, end) is not None


@dataclass(frozen=True, slots=True)
class Trace:
    """The lines of a trace that follow a record's head."""

    lines: tuple[bytes, ...]
    """The first and last of them; at most 24."""
    count: int
    """How many there are in all."""
    conclusion: bytes | None
    """Python's last line, which names the exception; None for other languages."""


@dataclass(slots=True)
class TraceReader:
    """Takes the lines after a record's head, one by one, until one is not of its trace."""

    is_open: bool
    is_python: bool
    first: list[bytes]
    last: list[bytes]
    count: int = 0
    conclusion: bytes | None = None

    @classmethod
    def after(cls, head: bytes) -> "TraceReader":
        """A reader that knows how the record began."""
        return cls(is_open=announces_trace(head), is_python=_PYTHON in head, first=[], last=[])

    def takes(self, line: bytes) -> bool:
        """Whether the line, without its prefix, belongs to the trace; if so it is kept."""
        if not self._belongs(line):
            return False
        self.count += 1
        if len(self.first) < _FIRST:
            self.first.append(line)
        else:
            self.last = [*self.last[1 - _LAST :], line]
        return True

    def trace(self) -> Trace | None:
        """What was read; None when the record has no trace."""
        if not self.count:
            return None
        return Trace((*self.first, *self.last), self.count, self.conclusion)

    def _belongs(self, line: bytes) -> bool:
        if _OPENS.begins(line) is not None:
            self.is_open = True
            if _PYTHON in line:
                self.is_python = True
                self.conclusion = None
            return True
        if not self.is_open:
            return False
        if _CONTINUES.begins(line) is not None:
            return self.conclusion is None or not line.startswith((b" ", b"\t"))
        return self.is_python and self._concludes(line)

    def _concludes(self, line: bytes) -> bool:
        if self.conclusion is not None or _PYTHON_END.begins(line) is None:
            return False
        self.conclusion = line
        return True


def fold(head: str, trace: Trace) -> str:
    """The head and the lines kept, with a note where lines are left out."""
    lines = [line.decode("utf-8", "replace").rstrip() for line in trace.lines]
    left_out = trace.count - len(lines)
    if left_out:
        lines.insert(_FIRST, f"    … {left_out} more lines")
    return "\n".join([head, *_without_blank_end(lines)])


def _without_blank_end(lines: Sequence[str]) -> Sequence[str]:
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end]
