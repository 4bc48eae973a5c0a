"""Untrusted text for a terminal."""

import re
import unicodedata

UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2028\u2029\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
"""Of no control category, and still neither letter nor space on a screen."""
LAYOUT = frozenset("\t\n")


def plain(text: str) -> str:
    """The text with every character by its number that would act on the terminal, hide or turn text."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_numbered(one) if _is_hidden(one) else one for one in text)


def plain_line(value: object) -> str:
    """The same as one line: nothing that others wrote can look like a line of ours."""
    return " ".join(plain(str(value)).split())


def _is_hidden(character: str) -> bool:
    is_control = unicodedata.category(character).startswith("C") and character not in LAYOUT
    return is_control or UNSEEN.match(character) is not None


def _numbered(character: str) -> str:
    return f"<U+{ord(character):04X}>"
