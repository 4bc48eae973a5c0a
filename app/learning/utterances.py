"""People's own words and names in feedback: where they stand, and how they are erased (pure)."""

import re
from collections.abc import Collection, Iterable
from typing import Any

import orjson

from app.domain.course import Decided, Executed
from app.domain.feedback import FeedbackEvent, Imported, Rated
from app.learning.details import NOTE_LIMIT, clip

MARK = "[forgotten]"
PIECE_WORDS = 6
SHORTEST_QUOTE = 12
"""Shorter words stand in other texts by chance; they go where they are the whole text."""
WORDS_OF_PEOPLE = frozenset(
    {"rejection_reason", "reason", "reviewer", "feedback_comments", "improvements_suggested"}
)
STRUCTURE = frozenset(
    {"id", "ts", "type", "decision", "status", "approval_status", "outcome", "recovery", "role"}
    | {"environment", "feedback_id", "approval_id", "workflow_id", "message_id", "lesson_id"}
)
"""Nobody's words; without them a line is none of ours any more."""


class Eraser:
    """Erases names as words of their own, and quotes."""

    def __init__(self, names: Iterable[str], quotes: Iterable[str]) -> None:
        """Names in whatever case; quotes however they are broken into lines."""
        self._quotes = {" ".join(quote.split()) for quote in quotes} - {""}
        quoted = {piece for quote in self._quotes for piece in _pieces(quote)}
        parts: list[str] = []
        # The longest first, and a name last: where it is part of a quote, the quote goes.
        for text in sorted(quoted, key=len, reverse=True):
            # Also as it stands in JSON that is kept as text.
            parts += [_loose(text), _loose(orjson.dumps(text).decode()[1:-1])]
        parts += [_mention(name) for name in sorted(names, key=len, reverse=True) if name.strip()]
        self._pattern = re.compile("|".join(parts), re.IGNORECASE) if parts else None
        self.is_idle = not self._quotes and self._pattern is None
        """Whether there is nothing to erase."""

    def erase(self, value: Any) -> Any:
        """A JSON value without them."""
        match value:
            case str():
                return self._erase_text(value)
            case list():
                return [self.erase(one) for one in value]
            case dict():
                kept = {
                    key: one if key in STRUCTURE else self.erase(one) for key, one in value.items()
                }
                return {
                    key: one
                    for key, one in kept.items()
                    if not (key in WORDS_OF_PEOPLE and one == MARK)
                }
            case _:
                return value

    def erase_bytes(self, raw: bytes) -> bytes:
        """The same for a line that is no JSON."""
        text = self._erase_text(raw.decode(errors="surrogateescape"))
        return text.encode(errors="surrogateescape")

    def _erase_text(self, text: str) -> str:
        if " ".join(text.split()) in self._quotes:
            return MARK
        return self._pattern.sub(MARK, text) if self._pattern else text


def ids_of(event: FeedbackEvent) -> list[str]:
    """Of the workflow, plan and approval that an event is about."""
    names = ("workflow_id", "feedback_id", "approval_id")
    return [str(found) for name in names if (found := getattr(event, name, None))]


def words_of(event: FeedbackEvent | None) -> list[str]:
    """What people said in it."""
    said: list[str | None] = []
    if isinstance(event, Decided | Imported):
        said.append(event.rejection_reason)
    if isinstance(event, Decided | Executed):
        said += [verdict.reason for verdict in event.commands]
    if isinstance(event, Rated | Imported):
        said += [event.feedback_comments, event.improvements_suggested]
    return [text for text in said if text and text.strip()]


def holds(line: bytes, texts: Collection[str], names: Collection[str]) -> bool:
    """Whether a line still has one of these texts or names, searched as plainly as it can be."""
    try:
        found = " ".join(_strings(orjson.loads(line)))
    except orjson.JSONDecodeError:
        found = line.decode(errors="replace")
    plain = " ".join(found.split())
    if any(" ".join(text.split()) in plain for text in texts if len(text) >= SHORTEST_QUOTE):
        return True
    return any(re.search(_mention(name), plain, re.IGNORECASE) for name in names)


def _pieces(quote: str) -> Iterable[str]:
    """The quote; of a long one also its parts, because who quotes may cut it off."""
    if len(quote) >= SHORTEST_QUOTE:
        yield quote
    if len(quote) > NOTE_LIMIT:
        yield clip(quote).removesuffix("...")
    words = quote.split() if len(quote) > NOTE_LIMIT / 2 else []
    for start in range(0, len(words), PIECE_WORDS):
        piece = " ".join(words[start : start + PIECE_WORDS])
        if len(piece) >= SHORTEST_QUOTE:
            yield piece


def _strings(value: Any) -> Iterable[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _strings(one)
        case dict():
            for one in value.values():
                yield from _strings(one)
        case _:
            return


def _mention(name: str) -> str:
    return rf"(?<!\w){_loose(name)}(?!\w)"


def _loose(text: str) -> str:
    """With any space where it has some."""
    return r"\s+".join(map(re.escape, text.split()))
