"""Regular expressions over bytes whose time is linear in the text, however hostile it is."""

from collections.abc import Callable, Iterator
from typing import Protocol

import re2  # type: ignore[import-untyped]

# The default of 8 MiB is too small for large alternations: the scan would fall back to a slow one.
_MEMORY = 64 << 20


class Found(Protocol):
    """One match."""

    def start(self, group: int = 0) -> int:
        """Where the group begins; -1 when it took no part."""
        ...

    def end(self, group: int = 0) -> int:
        """Where the group ends."""
        ...

    def group(self, group: int = 0) -> bytes | None:
        """The group's bytes; None when it took no part."""
        ...


class LinearPattern(Protocol):
    """A compiled pattern."""

    @property
    def groupindex(self) -> dict[str | bytes, int]:
        """The named groups and their numbers."""
        ...

    def search(self, text: bytes, pos: int | None = None) -> Found | None:
        """The leftmost match."""
        ...

    def match(self, text: bytes) -> Found | None:
        """A match at the beginning."""
        ...

    def fullmatch(self, text: bytes) -> Found | None:
        """A match of everything."""
        ...

    def finditer(self, text: bytes) -> Iterator[Found]:
        """All matches from left to right."""
        ...

    def sub(self, repl: Callable[[Found], bytes] | bytes, text: bytes) -> bytes:
        """The text with every match replaced."""
        ...


def group_numbers(pattern: LinearPattern) -> dict[str, int]:
    """The named groups of a pattern."""
    return {
        name.decode() if isinstance(name, bytes) else name: number
        for name, number in pattern.groupindex.items()
    }


def compile_linear(pattern: str) -> LinearPattern:
    """A pattern over UTF-8 bytes: classes and `.` see single bytes, `\\w` and `\\b` are ASCII."""
    compiled: LinearPattern = re2.compile(pattern.encode("latin-1"), _options())
    return compiled


def _options() -> object:
    options = re2.Options()
    options.max_mem = _MEMORY
    options.encoding = re2.Options.Encoding.LATIN1
    return options
