"""A redacted text into a log batch: problems found, grouped and counted."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.domain.logbatch import LogBatch
from app.intake import ansi, excerpt
from app.intake.entities import find_entities
from app.intake.groups import Group, Groups
from app.intake.lexicon import lexicon
from app.intake.shape import cheap_key
from app.intake.traces import (
    LINE_PREFIX,
    Trace,
    TraceReader,
    announces_trace,
    may_continue,
    opens_trace,
)
from app.intake.verdict import judge
from app.security.linear import LinearPattern

MOST_PATTERNS = 2_000
_CHUNK = 1 << 20
# Lines: a chunk grows by at most so many to hold the whole trace of its last record.
_LONGEST_TRACE = 500
_MOST_KNOWN = 50_000
_LONGEST_KNOWN = 4 << 10
_MOST_PROBLEM_LINES = 4_000
# Digits that change a verdict or a shape: they stay in the key under which a verdict is remembered.
_TELLING_DIGITS = LinearPattern(
    r"(?i:(?:status|code|exit\w*|HTTP/[0-9.]+\"|level|PRIORITY|err\w*|fail\w*|warn\w*|response|signal|\s\|)[\"'\\]*[:=(\s]{1,3}[\"']?|\s)(-?[0-9]{1,3})(?:[^0-9.:]|$)"
)


def read_batch(text: str, redactions: tuple[tuple[str, int], ...] = ()) -> LogBatch:
    """What the reasoners see of an already redacted text; lines end at line feeds alone."""
    total_lines = text.count("\n") + (not text.endswith("\n") and bool(text))
    scan = _Scan()
    total_bytes = sum(scan.read(chunk) for chunk in _chunks(text))
    patterns, left_out = scan.groups.patterns(MOST_PATTERNS)
    is_complete = total_lines <= excerpt.MOST_LINES and total_bytes <= excerpt.MOST_BYTES
    if is_complete:
        lines = excerpt.whole(text)
    else:
        samples = (sample.number for pattern in patterns for sample in pattern.samples)
        lines = excerpt.selected(text, total_lines, samples, scan.problem_lines)
    return LogBatch(
        total_lines=total_lines,
        total_bytes=total_bytes,
        patterns=patterns,
        patterns_left_out=left_out,
        excerpt=lines,
        is_complete=is_complete,
        entities=find_entities(lines),
        redactions=redactions,
    )


def _chunks(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = _record_start(text, start + _CHUNK)
        yield text[start:end]
        start = end


def _record_start(text: str, position: int) -> int:
    """The next place to cut without tearing a trace from its record."""
    end = text.find("\n", position) + 1
    for _ in range(_LONGEST_TRACE):
        stop = text.find("\n", end)
        if not end or stop < 0:
            return len(text)
        if not may_continue(text[end : min(stop, end + 200)].encode("utf-8", "replace")):
            break
        end = stop + 1
    return end


@dataclass(slots=True)
class _Scan:
    """Goes through the text chunk by chunk and looks closely at suspicious lines only."""

    groups: Groups = field(default_factory=Groups)
    problem_lines: list[int] = field(default_factory=list)
    _lines_before: int = 0
    _last_line: bytes = b""
    _last_key: tuple[bytes, ...] | None = None
    _known: dict[tuple[bytes, ...], Group | None] = field(default_factory=dict)

    def read(self, chunk: str) -> int:
        """Take in a chunk of whole lines; its size in bytes."""
        raw = chunk.encode("utf-8", "replace")
        size = len(raw)
        raw = ansi.strip(raw)
        hot = lexicon().hot
        number, counted, position = self._lines_before + 1, 0, 0
        while (found := hot.first(raw, position)) is not None:
            start = _first_visible(raw, *found[0])
            if start < 0:
                position = found[0][1]
                continue
            start = raw.rfind(b"\n", 0, start) + 1
            number += raw.count(b"\n", counted, start)
            counted = start
            position = self._take(raw, start, number)
            if position >= len(raw):
                break
        self._lines_before += raw.count(b"\n")
        return size

    def _take(self, raw: bytes, start: int, number: int) -> int:
        """Judge the line that starts here; where to look for the next one."""
        end = _line_end(raw, start)
        line = raw[start:end].removesuffix(b"\r")
        key = self._last_key if line == self._last_line else _key(line)
        self._last_line, self._last_key = line, key
        if key is not None and key in self._known:
            group = self._known[key]
            next_position, _ = _read_trace(raw, line, end) if group is not None else (end, None)
        else:
            severity = judge(line)
            if severity is None:
                self._remember(key, None)
                return end
            next_position, trace = _read_trace(raw, line, end)
            group = self.groups.group_for(line, severity, trace)
            if trace is None or trace.conclusion is None:
                self._remember(key, group)
        if group is not None:
            group.add(number, line)
            if len(self.problem_lines) < _MOST_PROBLEM_LINES:
                self.problem_lines.append(number)
        return next_position

    def _remember(self, key: tuple[bytes, ...] | None, group: Group | None) -> None:
        if key is None:
            return
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key] = group


def _first_visible(raw: bytes, start: int, end: int) -> int:
    """The first byte of a match that is no white space; -1 without one."""
    matched = raw[start : min(end, start + 256)]
    blanks = len(matched) - len(matched.lstrip())
    return start + blanks if blanks < len(matched) else -1


def _line_end(raw: bytes, start: int) -> int:
    end = raw.find(b"\n", start)
    return len(raw) if end < 0 else end


def _key(line: bytes) -> tuple[bytes, ...] | None:
    if len(line) > _LONGEST_KNOWN or b"Traceback" in line:
        return None
    digits = (line[spans[1][0] : spans[1][1]] for spans in _TELLING_DIGITS.each(line))
    return (cheap_key(line), *digits)


def _read_trace(raw: bytes, head: bytes, end: int) -> tuple[int, Trace | None]:
    """The lines after a record that are its trace, and where they end."""
    position = end + 1
    if not announces_trace(head) and not opens_trace(raw, position, _line_end(raw, position)):
        return end, None
    reader = TraceReader.after(head)
    while position < len(raw):
        stop = _line_end(raw, position)
        line = raw[position:stop].removesuffix(b"\r")
        prefix = LINE_PREFIX.begins(line)
        if not reader.takes(line[prefix[0][1] :] if prefix is not None else line):
            break
        position = stop + 1
    return position - 1 if position <= len(raw) else len(raw), reader.trace()
