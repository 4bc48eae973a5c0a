"""Takes names and quotes out of what a log's lines say, and leaves what they are about (pure)."""

import re
from collections.abc import Iterable
from typing import Any

import orjson

from app.learning.details import NOTE_LIMIT, clip
from app.learning.utterances import (
    COMMANDS,
    REVIEWER,
    STRUCTURE,
    WORDS_OF_PEOPLE,
    between_marks,
    document_in,
    is_telling,
    loose,
    mention,
    pieces,
)

MARK = "[forgotten]"
PIECE_WORDS = 6
SHORTEST_PIECE = 12
"""Characters of the rest of a long quote: nobody takes up two words at its end alone."""
Pattern = re.Pattern[str] | None


class Eraser:
    """Erases names in people's words, and quotes wherever somebody may have taken them up."""

    def __init__(
        self, names: Iterable[str], quotes: Iterable[str], mentions: Iterable[str] = ()
    ) -> None:
        """Names in whatever case; quotes however they are broken into lines.

        `mentions` are the words of others in which such a name stands: where those are quoted,
        the name goes as well.
        """
        given = [name for name in names if name.strip()]
        self._whole = {" ".join(name.split()).casefold() for name in given}
        self._names = _any_of(mention(name) for name in _longest_first(given))
        self._quotes = {" ".join(quote.split()) for quote in quotes} - {""}
        self._quoted = _any_of(_quoting(self._quotes))
        self._mentioned = _any_of(_quoting(mentions))
        self.is_idle = self._quoted is None and self._names is None
        """Whether there is nothing to erase."""

    def erase(self, value: Any, key: str = "") -> Any:
        """A JSON value without them; what is structure stays, whatever it is called."""
        if key in STRUCTURE:
            return value
        match value:
            case str():
                return self._erase_text(value, key)
            case list():
                return [
                    one if key == COMMANDS and isinstance(one, str) else self.erase(one, key)
                    for one in value
                ]
            case dict():
                kept = {name: self.erase(one, name) for name, one in value.items()}
                return {name: one for name, one in kept.items() if not _is_gone(name, one)}
            case _:
                return value

    def erase_bytes(self, raw: bytes) -> bytes:
        """The same for a line that is no JSON."""
        text = self._without_words(raw.decode(errors="surrogateescape"))
        return text.encode(errors="surrogateescape")

    def _erase_text(self, text: str, key: str) -> str:
        if key == REVIEWER:
            return MARK if " ".join(text.split()).casefold() in self._whole else text
        if key in WORDS_OF_PEOPLE:
            is_quote = " ".join(text.split()) in self._quotes
            return MARK if is_quote else self._without_words(text)
        if (document := document_in(text, key)) is not None:
            left = self.erase(document)
            return text if left == document else orjson.dumps(left).decode()
        return self._without_quotes(text)

    def _without_words(self, text: str) -> str:
        left = self._quoted.sub(MARK, text) if self._quoted else text
        return self._names.sub(MARK, left) if self._names else left

    def _without_quotes(self, text: str) -> str:
        left = self._quoted.sub(MARK, text) if self._quoted else text
        if self._mentioned is None or self._names is None:
            return left
        names = self._names
        return self._mentioned.sub(lambda found: names.sub(MARK, found.group()), left)


def _quoting(quotes: Iterable[str]) -> list[str]:
    """Patterns, the longest first; also as it stands in JSON that is kept as text."""
    parts: list[str] = []
    for text in _longest_first({piece for quote in quotes for piece in _cut(quote)}):
        form = loose if is_telling(text) else between_marks
        parts += dict.fromkeys((form(text), form(orjson.dumps(text).decode()[1:-1])))
    return parts


def _cut(quote: str) -> Iterable[str]:
    if len(quote) > NOTE_LIMIT:
        yield clip(quote).removesuffix("...")
    for piece in pieces(quote, NOTE_LIMIT, PIECE_WORDS):
        if piece == quote or len(piece) >= SHORTEST_PIECE:
            yield piece


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted(texts, key=lambda text: (-len(text), text))


def _any_of(parts: Iterable[str]) -> Pattern:
    patterns = [*parts]
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _is_gone(key: str, value: Any) -> bool:
    return (key in WORDS_OF_PEOPLE or key == REVIEWER) and value == MARK
