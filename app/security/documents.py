"""Secrets that only the lines around them give away: manifests, block values, name and value."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from app.security.linear import LinearPattern
from app.security.pem import Span
from app.security.rules import rule_book

# The longest block of values read.
_LONGEST = 256 << 10

# Every object begins with its apiVersion, whether its keys are sorted or not.
_MARK = LinearPattern(
    r"(?m)^(?:(---)|([ \t]*)(- )?\"?(?:(apiVersion)|(kind)|(data|stringData))\"?[ \t]*:[ \t]*"
    r"\"?(\{?|[A-Za-z0-9/.-]*)\"?[ \t]*,?[ \t]*\r?$)"
)
_ENTRY = LinearPattern(r"[ \t]*[^\s:]+:[ \t]+[\"']?([^\r\n\"']+)")
_ONE_LINE = LinearPattern(r"\\?\"kind\\?\"\s*:\s*\\?\"Secret\\?\"")
_ONE_LINE_DATA = LinearPattern(r"\"(?:data|stringData)\\?\"\s*:\s*\{([^{}\n]*)\}")
_MEMBER = LinearPattern(r":\s*\\?\"([^\"\\\n]+)")


def spans_in_documents(text: bytes) -> Iterator[Span]:
    """Where secrets stand, in no particular order; they may overlap."""
    if b"Secret" in text:
        for head, indent in _secret_data(text):
            yield from _entry_values(text, head, indent)
        yield from _one_line_manifests(text)
    for pattern in _named_values():
        for found in pattern.each(text):
            yield found[1]
    for found in _block_heads().each(text):
        indent = found[1][1] - found[1][0]
        yield from _deeper_lines(text, found[0][1] + 1, indent)


@dataclass(slots=True)
class _Object:
    """A manifest as far as it was read: is it a Secret, and where do its data begin?"""

    is_secret: bool = False
    data: list[int] = field(default_factory=list)


def _secret_data(text: bytes) -> Iterator[tuple[int, int]]:
    """Where the data of Secret manifests begin, and how far their keys are indented."""
    objects: dict[int, _Object] = {}
    for mark in _MARK.each(text):
        if mark[1][0] >= 0:
            yield from _data_of(objects)
            objects = {}
            continue
        indent = mark[2][1] - mark[2][0] + (2 if mark[3][0] >= 0 else 0)
        if mark[4][0] >= 0:
            yield from _data_of({indent: objects.pop(indent, _Object())})
        known = objects.setdefault(indent, _Object())
        if mark[5][0] >= 0 and text[mark[7][0] : mark[7][1]] == b"Secret":
            known.is_secret = True
        if mark[6][0] >= 0:
            known.data.append(mark[0][1])
    yield from _data_of(objects)


def _data_of(objects: dict[int, _Object]) -> Iterator[tuple[int, int]]:
    for indent, known in objects.items():
        if known.is_secret:
            yield from ((head, indent) for head in known.data)


def _entry_values(text: bytes, head: int, indent: int) -> Iterator[Span]:
    for begin, end in _deeper_lines(text, head + 1, indent):
        entry = _ENTRY.begins(text, begin, end)
        yield entry[1] if entry is not None else (begin, end)


def _deeper_lines(text: bytes, position: int, indent: int) -> Iterator[Span]:
    limit = min(len(text), position + _LONGEST)
    while position < limit:
        stop = text.find(b"\n", position, limit)
        stop = limit if stop < 0 else stop
        line = text[position:stop]
        content = line.strip()
        depth = len(line) - len(line.lstrip())
        if content and (depth <= indent or content in {b"}", b"},"}):
            return
        if content:
            yield position + depth, position + depth + len(content)
        position = stop + 1


def _one_line_manifests(text: bytes) -> Iterator[Span]:
    done = 0
    for found in _ONE_LINE.each(text):
        if found[0][0] < done:
            continue
        start = text.rfind(b"\n", 0, found[0][0]) + 1
        stop = text.find(b"\n", found[0][1])
        done = len(text) if stop < 0 else stop
        line = text[start:done]
        for data in _ONE_LINE_DATA.each(line):
            offset = start + data[1][0]
            for member in _MEMBER.each(line[data[1][0] : data[1][1]]):
                yield offset + member[1][0], offset + member[1][1]


@cache
def _named_values() -> tuple[LinearPattern, ...]:
    name = rule_book().parts["word"] + rule_book().parts["suffix"]
    return (
        LinearPattern(
            rf"(?i)\n[ \t]*(?:- )?\"?name\"?[ \t]*:[ \t]*[\"']?[A-Z0-9_.-]*{name}[\"']?[ \t]*,?[ \t]*\r?\n"
            r"[ \t]*\"?value\"?[ \t]*:[ \t]*[\"']?([^\"'\s][^\"'\r\n]*)"
        ),
        LinearPattern(
            rf"(?i)\n[A-Z0-9_.-]*{name}:[ \t]*\r?\n-{{4}}[ \t]*\r?\n[ \t]*([^\s][^\r\n]*)"
        ),
        LinearPattern(
            rf"(?i)\n[ \t]*- [\"']?--?[A-Z0-9-]*{name}[\"']?[ \t]*\r?\n[ \t]*- [\"']?([^\"'\s][^\"'\r\n]*)"
        ),
    )


@cache
def _block_heads() -> LinearPattern:
    name = rule_book().parts["word"] + rule_book().parts["suffix"]
    return LinearPattern(
        rf"(?im)^([ \t]*)(?:- )?[\"']?[A-Z0-9_.-]*{name}[\"']?:[ \t]*[|>][0-9+-]*[ \t]*\r?$"
    )
