"""Private keys in PEM form that reach over several lines, whole or cut off at either end."""

from collections.abc import Iterator

from app.security.linear import LinearPattern

Span = tuple[int, int]
"""Where a secret stands."""

_BEGIN = LinearPattern(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_END = LinearPattern(r"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_BODY = LinearPattern(r"(?:\+ )?[\"']?[A-Za-z0-9+/=]+(?:\\n)?[\"']?[,+\\]?")
# Real keys are far smaller; a cut-off one ends at the third line that is none of its own.
_LONGEST = 64 << 10
_FOREIGN_LINES = 3


def private_key_lines(text: bytes) -> Iterator[Span]:
    """The body lines of every key, each without what a log puts before it."""
    if b"PRIVATE KEY" not in text:
        return
    for begin in _BEGIN.each(text):
        yield from _after(text, *begin[0])
    for end in _END.each(text):
        start = end[0][0]
        if text.rfind(b"-----", max(0, start - _LONGEST), start) < 0:
            yield from _before(text, start)


def _after(text: bytes, begin: int, body: int) -> Iterator[Span]:
    line_start = text.rfind(b"\n", 0, begin) + 1
    words_before = len(text[line_start:begin].split())
    limit = min(len(text), body + _LONGEST)
    # Looking for the next dashes only, an END or another BEGIN, keeps many BEGINs linear.
    dashes = text.find(b"-----", body, limit)
    is_whole = dashes >= 0 and text.startswith(b"-----END ", dashes)
    limit = dashes if dashes >= 0 else limit
    foreign = 0
    position = text.find(b"\n", body, limit) + 1
    while 0 < position < limit and (is_whole or foreign < _FOREIGN_LINES):
        stop = text.find(b"\n", position, limit)
        stop = limit if stop < 0 else stop
        span = _body(text, position, stop, words_before)
        if span is not None:
            yield span
        elif not _is_header(text[position:stop]):
            foreign += 1
        position = stop + 1


def _before(text: bytes, end: int) -> Iterator[Span]:
    stop = text.rfind(b"\n", 0, end)
    lowest = max(0, end - _LONGEST)
    while stop > lowest:
        start = text.rfind(b"\n", 0, stop) + 1
        span = _body(text, start, stop, 0)
        if span is None:
            return
        yield span
        stop = start - 1


def _is_header(line: bytes) -> bool:
    """Whether the line may stand between a key's head and body."""
    return not line.strip() or b"Proc-Type:" in line or b"DEK-Info:" in line


def _body(text: bytes, start: int, stop: int, words_before: int) -> Span | None:
    words = text[start:stop].split(None, words_before)
    if not words:
        return None
    last = words[-1].strip()
    if len(words) not in {1, words_before + 1} or not _BODY.covers(last):
        return None
    begins = text.rindex(last, start, stop)
    return begins, begins + len(last)
