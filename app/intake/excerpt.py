"""The lines of an input that are shown: all when they are few, else those that matter."""

from collections.abc import Iterable, Iterator, Sequence

from app.domain.logbatch import Line
from app.intake.ansi import clean
from app.intake.cut import cut_line

MOST_LINES = 20_000
MOST_BYTES = 2 << 20
_HEAD, _TAIL = 100, 400
_BEFORE, _AFTER = 3, 8
_STEP = 1 << 16


def whole(text: str) -> tuple[Line, ...]:
    """Every line."""
    return tuple(_lines(text, [(1, MOST_LINES + 1)]))


def selected(
    text: str, total: int, samples: Iterable[int], problems: Iterable[int]
) -> tuple[Line, ...]:
    """Samples with their neighbours, head and tail, and more problems as room is left."""
    chosen: dict[int, Line] = {}
    room = MOST_BYTES
    tiers = (
        _around(samples, total),
        [(1, min(_HEAD, total) + 1), (max(1, total - _TAIL + 1), total + 1)],
        _around(problems, total),
    )
    for ranges in tiers:
        for line in _lines(text, _merged(ranges)):
            if line.number in chosen:
                continue
            room -= len(line.text) + 1
            if room < 0 or len(chosen) >= MOST_LINES:
                break
            chosen[line.number] = line
    return tuple(chosen[number] for number in sorted(chosen))


def _around(numbers: Iterable[int], total: int) -> list[tuple[int, int]]:
    return [(max(1, n - _BEFORE), min(total, n + _AFTER) + 1) for n in numbers]


def _merged(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, stop in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _lines(text: str, ranges: Sequence[tuple[int, int]]) -> Iterator[Line]:
    """The lines whose numbers lie in the ranges, which are in order."""
    number, position = 1, 0
    for start, stop in ranges:
        position = _skip(text, position, start - number)
        number = start
        while number < stop and 0 <= position < len(text):
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            raw = text[position:end].encode("utf-8", "replace")
            yield Line(number, cut_line(clean(raw)))
            number, position = number + 1, end + 1


def _skip(text: str, position: int, lines: int) -> int:
    """Where the line begins that is so many lines further on."""
    while lines and position < len(text):
        count = text.count("\n", position, position + _STEP)
        if count < lines:
            lines -= count
            position += _STEP
            continue
        for _ in range(lines):
            position = text.index("\n", position) + 1
        return position
    return position
