"""Secrets that only the lines around them give away: manifests, block values, name and value."""

from collections.abc import Iterator
from functools import cache

from app.security.linear import Found, LinearPattern, compile_linear
from app.security.pem import Span
from app.security.rules import rule_book

# The longest manifest looked at around its `kind: Secret`, in each direction.
_LONGEST = 256 << 10

_MANIFEST = compile_linear(
    r"(?m)^([ \t]*)(- )?\"?kind\"?[ \t]*:[ \t]*\"?Secret\"?[ \t]*,?[ \t]*\r?$"
)
_DATA = compile_linear(
    r"(?m)^([ \t]*)(- )?\"?(?:data|stringData)\"?[ \t]*:[ \t]*\{?[ \t]*\r?$"
)
_ENTRY = compile_linear(r"[ \t]*[^\s:]+:[ \t]+[\"']?([^\r\n\"']+)")
_ONE_LINE = compile_linear(r"\\?\"kind\\?\"\s*:\s*\\?\"Secret\\?\"")
_ONE_LINE_DATA = compile_linear(r"\"(?:data|stringData)\\?\"\s*:\s*\{([^{}\n]*)\}")
_MEMBER = compile_linear(r":\s*\\?\"([^\"\\\n]+)")


def spans_in_documents(text: bytes) -> Iterator[Span]:
    """Where secrets stand, in no particular order; they may overlap."""
    if b"Secret" in text:
        for manifest in _MANIFEST.finditer(text):
            yield from _manifest_values(text, manifest)
        yield from _one_line_manifests(text)
    for pattern in _named_values():
        for found in pattern.finditer(text):
            yield found.start(1), found.end(1)
    for found in _block_heads().finditer(text):
        indent = found.end(1) - found.start(1)
        yield from _deeper_lines(text, found.end() + 1, indent)


def _manifest_values(text: bytes, manifest: Found) -> Iterator[Span]:
    indent = _indent(manifest)
    start = text.rfind(b"\n---", max(0, manifest.start() - _LONGEST), manifest.start())
    start = max(start, manifest.start() - _LONGEST, 0)
    stop = text.find(b"\n---", manifest.end(), manifest.end() + _LONGEST)
    stop = stop if stop >= 0 else min(len(text), manifest.end() + _LONGEST)
    for data in _DATA.finditer(text[start:stop]):
        if _indent(data) == indent:
            for begin, end in _deeper_lines(text, start + data.end() + 1, indent):
                entry = _ENTRY.match(text[begin:end])
                if entry is None:
                    yield begin, end
                else:
                    yield begin + entry.start(1), begin + entry.end(1)


def _indent(found: Found) -> int:
    return found.end(1) - found.start(1) + (2 if found.start(2) >= 0 else 0)


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
    for found in _ONE_LINE.finditer(text):
        if found.start() < done:
            continue
        start = text.rfind(b"\n", 0, found.start()) + 1
        stop = text.find(b"\n", found.end())
        done = len(text) if stop < 0 else stop
        line = text[start:done]
        for data in _ONE_LINE_DATA.finditer(line):
            offset = start + data.start(1)
            for member in _MEMBER.finditer(line[data.start(1) : data.end(1)]):
                yield offset + member.start(1), offset + member.end(1)


@cache
def _named_values() -> tuple[LinearPattern, ...]:
    name = rule_book().parts["word"] + rule_book().parts["suffix"]
    return (
        compile_linear(
            rf"(?i)\n[ \t]*(?:- )?\"?name\"?[ \t]*:[ \t]*[\"']?[A-Z0-9_.-]*{name}[\"']?[ \t]*,?[ \t]*\r?\n"
            r"[ \t]*\"?value\"?[ \t]*:[ \t]*[\"']?([^\"'\s][^\"'\r\n]*)"
        ),
        compile_linear(
            rf"(?i)\n[ \t]*- [\"']?--?[A-Z0-9-]*{name}[\"']?[ \t]*\r?\n[ \t]*- [\"']?([^\"'\s][^\"'\r\n]*)"
        ),
    )


@cache
def _block_heads() -> LinearPattern:
    name = rule_book().parts["word"] + rule_book().parts["suffix"]
    return compile_linear(
        rf"(?im)^([ \t]*)(?:- )?[\"']?[A-Z0-9_.-]*{name}[\"']?:[ \t]*[|>][0-9+-]*[ \t]*\r?$"
    )
