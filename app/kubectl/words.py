"""Splits a command's text into words as a POSIX shell would, and refuses all that a shell would do."""

import re
import unicodedata
from typing import NamedTuple

from app.domain.errors import BadInput

MAX_CHARACTERS = 16 * 1024

_SIMPLE = re.compile(r"[\w@%+=:,./\-{}\[\]*!?~^ ]*", re.ASCII)
_WORD = re.compile(r"[^ ]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PLAIN = r"[\w@%+=:,./\-{}\[\]*!?~^#]++"
_DOUBLE = r"(?:[^\"\\$`]++|\\.)*+"
_PIECE = re.compile(
    rf"""(?P<plain>{_PLAIN})|'(?P<single>[^']*)'|"(?P<double>{_DOUBLE})"|\\(?P<escaped>.)""",
    re.ASCII,
)
_QUOTED_WORD = re.compile(rf"""((?:{_PLAIN}|'[^']*+'|"{_DOUBLE}"|\\.)++)[ \t]*+""", re.ASCII)
_QUOTE = re.compile(r"['\"\\]")
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
        is_break = control.group() in "\r\n"
        kind = "a line break" if is_break else "a control character"
        named = "" if is_break else f" ({name_of(control.group())})"
        raise UnparseableCommand(f"{kind} in the command{named}", control.start())
    if text.isascii():
        return
    for position, character in enumerate(text):
        if not character.isascii() and is_misleading(character):
            named = name_of(character)
            raise UnparseableCommand(f"{named} looks like another character", position)


def name_of(character: str) -> str:
    """Its code point and its name: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def is_misleading(character: str) -> bool:
    """Whether a person would not see it, or take it for another; for what is not ASCII."""
    category = unicodedata.category(character)
    return (
        category[0] in "CZ"
        or category in _LOOKALIKE_CATEGORIES
        or character in _LOOKALIKES
        or _INVISIBLE.match(character) is not None
        or unicodedata.normalize("NFKC", character).isascii()
    )


def _refuse_expansion(unquoted: str, begin: int = 0) -> None:
    if "{" in unquoted and (found := _EXPANSION.search(unquoted)):
        raise UnparseableCommand(
            f"'{found.group()}' outside of quotes is for a shell", begin + found.start()
        )


def _split_quoted(text: str) -> list[Word]:
    text = text.rstrip("\r\n")
    words: list[Word] = []
    end = len(text) - len(text.lstrip(" \t"))
    for match in _QUOTED_WORD.finditer(text, end):
        if match.start() != end:
            break
        words.append(Word(_unquoted(match[1], end), end))
        end = match.end()
    if end != len(text):
        raise _unusable(text, end)
    return words


def _unquoted(word: str, begin: int) -> str:
    if word.startswith("#"):
        raise UnparseableCommand("a comment in the command", begin)
    if not _QUOTE.search(word):
        _refuse_expansion(word, begin)
        return word
    if word[0] == word[-1] == "'" and word.count("'") == 2:
        return word[1:-1]
    pieces = list(_PIECE.finditer(word))
    if "{" in word:
        _refuse_expansion("".join(map(_shape, pieces)), begin)
    return "".join([_text(piece, begin) for piece in pieces])


def _shape(piece: re.Match[str]) -> str:
    """What a shell would still expand, the quoted characters blotted out."""
    return piece.group() if piece.lastgroup == "plain" else "_" * len(piece.group())


def _text(piece: re.Match[str], begin: int) -> str:
    text = piece[piece.lastgroup or 0]
    if piece.lastgroup == "double":
        return _ESCAPED_IN_DOUBLE.sub(r"\1", text)
    if piece.lastgroup == "escaped" and not text.isascii():
        reason = f"{text!r} outside of quotes ({name_of(text)})"
        raise UnparseableCommand(reason, begin + piece.start())
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
    reason = f"{character!r} outside of quotes ({name_of(character)})"
    return UnparseableCommand(reason, position)
