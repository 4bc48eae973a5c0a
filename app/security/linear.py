"""Regular expressions over bytes whose time is linear in the text, however hostile it is."""

from collections.abc import Callable, Iterator, Sequence

import re2

# The default of 8 MiB is too small for large alternations: the scan would fall back to a slow one.
_MEMORY = 64 << 20
_ANYWHERE = re2._Anchor.UNANCHORED
_AT_START = re2._Anchor.ANCHOR_START
_WHOLE = re2._Anchor.ANCHOR_BOTH

Spans = Sequence[tuple[int, int]]
"""Begin and end of the match, then of each group; a group without a part has a negative begin."""


class LinearPattern:
    """A compiled pattern: classes and `.` see single bytes, `\\w` and `\\b` are ASCII.

    It asks the compiled expression itself: the package's match objects cost five times the match.
    """

    __slots__ = ("_match", "groups")

    def __init__(self, pattern: str) -> None:
        """Compile; the pattern may hold ASCII and escapes only."""
        compiled = re2.compile(pattern.encode("ascii"), _options())
        self._match = compiled._regexp.Match
        self.groups: dict[str, int] = {
            name.decode(): number for name, number in compiled.groupindex.items()
        }

    def first(self, text: bytes, position: int = 0) -> Spans | None:
        """The leftmost match from a position on."""
        spans: Spans = self._match(_ANYWHERE, text, position, len(text))
        return spans if spans[0][0] >= 0 else None

    def begins(self, text: bytes, start: int = 0, end: int | None = None) -> Spans | None:
        """The match at the beginning of the text or of a part of it."""
        spans: Spans = self._match(_AT_START, text, start, len(text) if end is None else end)
        return spans if spans[0][0] >= 0 else None

    def covers(self, text: bytes) -> bool:
        """Whether the whole text is a match."""
        found: bool = self._match(_WHOLE, text, 0, len(text))[0][0] >= 0
        return found

    def each(self, text: bytes) -> Iterator[Spans]:
        """All matches from left to right, empty ones left out."""
        position, end = 0, len(text)
        while position < end:
            spans: Spans = self._match(_ANYWHERE, text, position, end)
            start, stop = spans[0]
            if start < 0:
                return
            if stop > start:
                yield spans
            position = stop if stop > position else position + 1

    def replace(self, replacement: Callable[[Spans], bytes | None], text: bytes) -> bytes:
        """The text with every match replaced; None leaves one as it is."""
        pieces: list[bytes] = []
        done = 0
        for spans in self.each(text):
            new = replacement(spans)
            if new is not None:
                start, stop = spans[0]
                pieces += (text[done:start], new)
                done = stop
        return b"".join((*pieces, text[done:])) if pieces else text


def _options() -> object:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    return options
