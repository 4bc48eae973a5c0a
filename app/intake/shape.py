"""The shape of a message: what varies from record to record is masked."""

import re

MASK = "<*>"
# Deleting digits and hexadecimal letters makes a key that is equal for most records of one shape.
_VARYING_BYTES = b"0123456789abcdef"
_LONGEST_TEMPLATE = 400

_VARYING = re.compile(
    r"(?P<keep>(?:HTTP/[\d.]+\"?|\b(?:status|code|exit(?:ed)?|exitCode|signal|errno|reason)(?:[_ ]?code)?)[\"' :=(]{1,4}-?\d{1,4}\b)"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"
    r"|(?:\b|(?<=_))0x[0-9a-fA-F]+\b"
    r"|(?P<pod>-[bcdf-hj-np-tv-xz2456789]{8,10}-[bcdf-hj-np-tv-xz2456789]{5})\b"
    r"|\b(?=[a-f]*[0-9])[0-9a-f]{6,64}\b"
    r"|(?:(?<![A-Za-z])|(?<=_))[-+]?\d+(?:[.,:]\d+)*(?=(?:[a-zA-Zµ%]{0,3}\b|_))"
)


def cheap_key(line: bytes) -> bytes:
    """Equal for records of one shape that differ in numbers and identifiers; far cheaper than a mask."""
    return line.translate(None, _VARYING_BYTES)


def template_of(message: str) -> str:
    """The message with what varies masked; status and exit codes stay."""
    return _VARYING.sub(_masked, message[: _LONGEST_TEMPLATE * 2])[:_LONGEST_TEMPLATE]


def _masked(found: re.Match[str]) -> str:
    if found["keep"]:
        return found["keep"]
    return f"-{MASK}" if found["pod"] else MASK
