"""Untrusted text for a terminal."""

import re

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def plain(text: str) -> str:
    """The text without control characters: no log line may move the cursor or set a colour."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
