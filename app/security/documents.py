"""Secrets that only the lines around them give away: manifests, block values, name and value."""

from collections.abc import Iterator
from functools import cache

from app.security.linear import LinearPattern, Spans
from app.security.pem import Span
from app.security.rules import rule_book

# The longest manifest looked at around its `kind: Secret`, in each direction.
_LONGEST = 256 << 10

_MANIFEST = LinearPattern(
    r"(?m)^([ \t]*)(- )?\"?kind\"?[ \t]*:[ \t]*\"?Secret\"?[ \t]*,?[ \t]*\r?$"
)
_DATA = LinearPattern(r"(?m)^([ \t]*)(- )?\"?(?:data|stringData)\"?[ \t]*:[ \t]*\{?[ \t]*\r?$")
_ENTRY = LinearPattern(r"[ \t]*[^\s:]+:[ \t]+[\"']?([^\r\n\"']+)")
_ONE_LINE = LinearPattern(r"\\?\"kind\\?\"\s*:\s*\\?\"Secret\\?\"")
_ONE_LINE_DATA = LinearPattern(r"\"(?:data|stringData)\\?\"\s*:\s*\{([^{}\n]*)\}")
_MEMBER = LinearPattern(r":\s*\\?\"([^\"\\\n]+)")


def spans_in_documents(text: bytes) -> Iterator[Span]:
    """Where secrets stand, in no particular order; they may overlap."""
    if b"Secret" in text:
        for manifest in _MANIFEST.each(text):
            yield from _manifest_values(text, manifest)
        yield from _one_line_manifests(text)
    for pattern in _named_values():
        for found in pattern.each(text):
            yield found[1]
    for found in _block_heads().each(text):
        indent = found[1][1] - found[1][0]
        yield from _deeper_lines(text, found[0][1] + 1, indent)


def _manifest_values(text: bytes, manifest: Spans) -> Iterator[Span]:
    indent = _indent(manifest)
    start = text.rfind(b"\n---", max(0, manifest[0][0] - _LONGEST), manifest[0][0])
    start = max(start, manifest[0][0] - _LONGEST, 0)
    stop = text.find(b"\n---", manifest[0][1], manifest[0][1] + _LONGEST)
    stop = stop if stop >= 0 else min(len(text), manifest[0][1] + _LONGEST)
    for data in _DATA.each(text[start:stop]):
        if _indent(data) == indent:
            for begin, end in _deeper_lines(text, start + data[0][1] + 1, indent):
                entry = _ENTRY.begins(text[begin:end])
                if entry is None:
                    yield begin, end
                else:
                    yield begin + entry[1][0], begin + entry[1][1]


def _indent(found: Spans) -> int:
    return found[1][1] - found[1][0] + (2 if found[2][0] >= 0 else 0)


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
            rf"(?i)\n[ \t]*- [\"']?--?[A-Z0-9-]*{name}[\"']?[ \t]*\r?\n[ \t]*- [\"']?([^\"'\s][^\"'\r\n]*)"
        ),
    )


@cache
def _block_heads() -> LinearPattern:
    name = rule_book().parts["word"] + rule_book().parts["suffix"]
    return LinearPattern(
        rf"(?im)^([ \t]*)(?:- )?[\"']?[A-Z0-9_.-]*{name}[\"']?:[ \t]*[|>][0-9+-]*[ \t]*\r?$"
    )
