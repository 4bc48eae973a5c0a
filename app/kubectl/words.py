"""Splits a command's text into words as a POSIX shell would, and refuses all that a shell would do."""

import re
import unicodedata
from typing import NamedTuple

from app.domain.errors import BadInput

MAX_CHARACTERS = 16 * 1024

_SIMPLE = re.compile(r"[\w@%+=:,./\-{}\[\]*!?~^ ]*", re.ASCII)
_WORD = re.compile(r"[^ ]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PIECE = re.compile(
    r"""(?P<space>[ \t]+)
    |(?P<plain>[\w@%+=:,./\-{}\[\]*!?~^\#]+)
    |'(?P<single>[^']*)'
    |"(?P<double>(?:[^"\\$`]|\\.)*)"
    |\\(?P<escaped>.)""",
    re.ASCII | re.VERBOSE,
)
_ESCAPED_IN_DOUBLE = re.compile(r'\\(["\\$`])')
_LOOKALIKE_CATEGORIES = frozenset({"Pd", "Pi", "Pf"})
_LOOKALIKES = frozenset("\u2032\u2033\u2035\u2212\u02bc\u02b9\u00b4\u02cb")
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
# A shell would make several words of these: {a,b} and {1..3}.
_EXPANSION = re.compile(r"\{[^{}\s]*,[^{}\s]*\}|\{\w+\.\.\w+(?:\.\.\w+)?\}")


class UnparseableCommand(BadInput):
    """The text is not one plain kubectl command."""

    def __init__(self, reason: str, position: int) -> None:
        """Say what is wrong, and at which character of the text."""
        super().__init__(f"{reason} (character {position + 1})")
        self.reason = reason
        self.position = position


class Word(NamedTuple):
    """One word with its quotes taken off, and where it begins."""

    text: str
    position: int


def split_words(text: str) -> list[Word]:
    """The words, or UnparseableCommand."""
    if len(text) > MAX_CHARACTERS:
        raise UnparseableCommand(
            f"the command is longer than {MAX_CHARACTERS} characters", MAX_CHARACTERS
        )
    if _SIMPLE.fullmatch(text):
        _refuse_expansion(text)
        return [Word(match.group(), match.start()) for match in _WORD.finditer(text)]
    _refuse_hidden_characters(text)
    return _split_quoted(text)


def _refuse_hidden_characters(text: str) -> None:
    if control := _CONTROL.search(text.rstrip("\r\n")):
        kind = "a line break" if control.group() in "\r\n" else "a control character"
        raise UnparseableCommand(f"{kind} in the command", control.start())
    if text.isascii():
        return
    for position, character in enumerate(text):
        if not character.isascii() and _is_misleading(character):
            name = unicodedata.name(character, f"U+{ord(character):04X}")
            raise UnparseableCommand(f"{name} looks like another character", position)


def _is_misleading(character: str) -> bool:
    category = unicodedata.category(character)
    return (
        category[0] in "CZ"
        or category in _LOOKALIKE_CATEGORIES
        or character in _LOOKALIKES
        or _INVISIBLE.match(character) is not None
        or unicodedata.normalize("NFKC", character).isascii()
    )


def _refuse_expansion(unquoted: str) -> None:
    if "{" in unquoted and (found := _EXPANSION.search(unquoted)):
        raise UnparseableCommand(
            f"'{found.group()}' outside of quotes is for a shell", found.start()
        )


def _without_quoted(match: re.Match[str]) -> str:
    is_quoted = match.lastgroup not in {"space", "plain"}
    return "_" * len(match.group()) if is_quoted else match.group()


def _split_quoted(text: str) -> list[Word]:
    text = text.rstrip("\r\n")
    if "{" in text:
        _refuse_expansion(_PIECE.sub(_without_quoted, text))
    words: list[Word] = []
    pieces: list[str] = []
    begin = end = 0
    for match in _PIECE.finditer(text):
        if match.start() != end:
            break
        end = match.end()
        if match.lastgroup != "space":
            begin = begin if pieces else match.start()
            pieces.append(_unquoted(match, is_first=not pieces))
        elif pieces:
            words.append(Word("".join(pieces), begin))
            pieces = []
    if end != len(text):
        raise _unusable(text, end)
    if pieces:
        words.append(Word("".join(pieces), begin))
    return words


def _unquoted(match: re.Match[str], *, is_first: bool) -> str:
    text = match[match.lastgroup or 0]
    if match.lastgroup == "plain" and is_first and text.startswith("#"):
        raise UnparseableCommand("a comment in the command", match.start())
    if match.lastgroup == "double":
        return _ESCAPED_IN_DOUBLE.sub(r"\1", text)
    if match.lastgroup == "escaped" and not text.isascii():
        raise UnparseableCommand(f"{text!r} outside of quotes", match.start())
    return text


def _unusable(text: str, position: int) -> UnparseableCommand:
    character = text[position]
    if character == '"' and re.search(r"(?<!\\)[$`]", text[position:]):
        return UnparseableCommand("'$' or '`' inside of double quotes is for a shell", position)
    if character in "'\"":
        return UnparseableCommand(f"the quote {character} is not closed", position)
    if character == "\\":
        return UnparseableCommand("a backslash at the end", position)
    if character.isascii():
        return UnparseableCommand(f"{character!r} outside of quotes is for a shell", position)
    return UnparseableCommand(f"{character!r} outside of quotes", position)
