"""Terminal colours and other control sequences, which say nothing about an incident."""

import re

_SEQUENCE = re.compile(
    rb"\x1b(?:\[[0-9;:?]*[ -/]?[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()][A-Z0-9]|[=>78])"
)


def strip(text: bytes) -> bytes:
    """The text without sequences; line ends stay where they are."""
    return _SEQUENCE.sub(b"", text) if b"\x1b" in text else text


def clean(line: bytes) -> bytes:
    """A line as it is judged and shown."""
    return strip(line.removesuffix(b"\r"))
