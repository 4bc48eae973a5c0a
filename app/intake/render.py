"""A log batch as text for a prompt, within a budget."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.domain.logbatch import Line, LogBatch, Pattern
from app.intake.verdict import rank

_CHARACTERS_PER_TOKEN = 4
# Of the room left after the header, patterns take at most this share; lines around them the rest.
_PATTERN_SHARE = 0.7
_WIDEST, _NARROWEST = 1_200, 160
_TRACE_SHARE = 3
_BEFORE, _AFTER = 2, 4


def render_batch(batch: LogBatch, token_budget: int) -> str:
    """The whole input when it fits, else patterns first and lines as far as they fit."""
    room = max(0, token_budget) * _CHARACTERS_PER_TOKEN
    if batch.is_complete:
        rows = _Rows(room)
        if all(rows.add(_numbered(line)) for line in batch.excerpt):
            return rows.text()
    return _reduced(batch, room)


def _reduced(batch: LogBatch, room: int) -> str:
    header = _header(batch)
    patterns = _pattern_rows(batch, int((room - len(header) - 120) * _PATTERN_SHARE))
    used = len(header) + len(patterns.text()) + 120
    lines = _line_rows(batch, room - used)
    parts = [header]
    if patterns.count:
        parts += ["Patterns (worst first, rare before frequent):", patterns.text()]
    if lines.count:
        parts += ["Lines:", lines.text()]
    left_out = batch.patterns_left_out + len(batch.patterns) - patterns.count
    parts.append(f"Left out: {left_out} patterns, {max(0, batch.total_lines - lines.count)} lines.")
    return "\n".join(parts)[:room]


@dataclass(slots=True)
class _Rows:
    """Rows as far as the room goes."""

    room: int
    rows: list[str]

    def __init__(self, room: int) -> None:
        self.room = room
        self.rows = []

    @property
    def count(self) -> int:
        return len(self.rows)

    def add(self, row: str) -> bool:
        if len(row) + 1 > self.room:
            return False
        self.room -= len(row) + 1
        self.rows.append(row)
        return True

    def text(self) -> str:
        return "\n".join(self.rows)


def _header(batch: LogBatch) -> str:
    redacted = ", ".join(f"{count} {kind}" for kind, count in batch.redactions)
    return (
        f"{batch.total_lines} lines, {batch.total_bytes} bytes, "
        f"{len(batch.patterns) + batch.patterns_left_out} patterns of problems"
        + (f"; redacted: {redacted}." if redacted else ".")
    )


def _pattern_rows(batch: LogBatch, room: int) -> _Rows:
    """Each pattern gets an even share, so that the last one is seen too; room unused is passed on."""
    rows = _Rows(room)
    ordered = sorted(
        batch.patterns, key=lambda p: (-rank(p.severity), p.count, p.samples[0].number)
    )
    for index, pattern in enumerate(ordered):
        share = rows.room // (len(ordered) - index)
        width = min(_WIDEST, max(_NARROWEST, share))
        if not rows.add(_pattern_row(pattern, width)):
            break
    return rows


def _pattern_row(pattern: Pattern, width: int) -> str:
    numbers = ", ".join(str(sample.number) for sample in pattern.samples)
    more = ", …" if pattern.count > len(pattern.samples) else ""
    head = f"[{pattern.severity}] x{pattern.count} line {numbers}{more} {pattern.service}: "
    row = head + _shortened(pattern.message, max(40, width - len(head)))
    if pattern.trace and width - len(row) > _NARROWEST:
        frames = pattern.trace.partition("\n")[2]
        row += "\n" + _indented(frames, width * _TRACE_SHARE - len(row))
    return row


def _indented(frames: str, width: int) -> str:
    rows = _Rows(max(0, width))
    for frame in frames.split("\n"):
        if not rows.add("    " + frame.strip()):
            rows.rows.append("    …")
            break
    return rows.text()


def _line_rows(batch: LogBatch, room: int) -> _Rows:
    """Lines in the input's order; those around the worst and rarest patterns are chosen first."""
    numbers = {line.number: index for index, line in enumerate(batch.excerpt)}
    chosen: set[int] = set()
    for index in _indexes_by_interest(batch, numbers):
        line = batch.excerpt[index]
        size = len(_numbered(line)) + 1
        if index in chosen or size > room:
            continue
        room -= size
        chosen.add(index)
        if room < _NARROWEST // 4:
            break
    rows = _Rows(1 << 62)
    for index in sorted(chosen):
        rows.add(_numbered(batch.excerpt[index]))
    return rows


def _indexes_by_interest(batch: LogBatch, numbers: dict[int, int]) -> Iterator[int]:
    last = len(batch.excerpt)
    ordered = sorted(batch.patterns, key=lambda p: (-rank(p.severity), p.count))
    for pattern in ordered:
        yield from _near(numbers.get(pattern.samples[0].number), last)
    yield from range(min(10, last))
    yield from range(max(0, last - 20), last)
    for pattern in ordered:
        for sample in pattern.samples[1:]:
            yield from _near(numbers.get(sample.number), last)
    yield from range(last)


def _near(index: int | None, last: int) -> Sequence[int]:
    if index is None:
        return ()
    return (
        index,
        *range(max(0, index - _BEFORE), index),
        *range(index + 1, min(last, index + _AFTER + 1)),
    )


def _numbered(line: Line) -> str:
    return f"{line.number}: {_shortened(line.text, _WIDEST)}"


def _shortened(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    tail = width // 4
    return f"{text[: width - tail - 3]} … {text[-tail:]}"
