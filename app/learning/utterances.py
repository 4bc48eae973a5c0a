"""People's own words and names in feedback: where they stand, and where others quote them (pure)."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import orjson

from app.domain.course import Decided, Executed
from app.domain.feedback import FeedbackEvent, Imported, Rated

SHORTEST_QUOTE = 8
"""Bytes: a word of eight letters, three of Chinese. Shorter ones stand in other texts by chance;
they go where they are all that somebody said, or stand between quotation marks."""
SHORTEST_NAME = 3
"""Bytes. A shorter name is looked for as it is written: `a` is nobody's mention of A."""
REASON = "reason"
WORDS_OF_PEOPLE = frozenset(
    {"rejection_reason", REASON, "feedback_comments", "improvements_suggested"}
)
REVIEWER = "reviewer"
DOCUMENTS = frozenset({"input_data", "output_data"})
"""Texts that are JSON themselves, mostly."""
COMMANDS = "commands"
"""Objects with fields of their own, or texts of commands."""
STRUCTURE = frozenset(
    {"id", "v", "ts", "timestamp", "type", "at", "role", "phase", "order", "number", "service"}
    | {"feedback_id", "approval_id", "approval_ids", "workflow_id", "message_id", "lesson_id"}
    | {"feedback_ids", "issue_id", "decision", "status", "approval_status", "undo_status"}
    | {"outcome", "recovery", "environment", "signature", "tokens", "failure_mode", "kind"}
    | {"command", "action", "edited_to", "verb", "namespace", "entities", "reference", "shown"}
    | {"severity", "priority", "safety_level", "error_type", "warning_type", "pattern_type"}
)
"""Nobody's words; without them a line is none of ours any more, or teaches something else."""
_MARKS = ("“„«「『", "”“»」』")
_UNSPACED = 0x0E00
"""From Thai on, scripts that put no blanks between words are many."""


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
        found = [*_strings(orjson.loads(line))]
    except ValueError:
        found = [(REASON, line.decode(errors="replace"))]
    plain = "\0".join(_plain(text) for _, text in found)
    said = "\0".join(text for key, text in found if key in WORDS_OF_PEOPLE)
    if any(_is_quoted(_plain(text), plain) for text in texts):
        return True
    reviewers = {_plain(text) for key, text in found if key == REVIEWER}
    return any(
        _plain(name) in reviewers or re.search(mention(name), said, re.IGNORECASE) for name in names
    )


def is_telling(text: str) -> bool:
    """Whether it is long enough not to stand somewhere else by chance."""
    return len(text.strip().encode(errors="replace")) >= SHORTEST_QUOTE


def mention(name: str) -> str:
    """A pattern, to be used whatever the case: the name as a word of its own."""
    text = loose(name)
    if len(name.strip().encode(errors="replace")) < SHORTEST_NAME:
        text = f"(?-i:{text})"
    first, last = name.strip()[:1], name.strip()[-1:]
    before = r"(?<!\w)" if _is_spaced(first) else ""
    return before + text + (r"(?!\w)" if _is_spaced(last) else "")


def between_marks(text: str) -> str:
    """A pattern: the text as somebody quotes it."""
    begin, end = _MARKS
    return rf"(?<=[{begin}]){loose(text)}(?=[{end}])"


def loose(text: str) -> str:
    """A pattern: the text with any space where it has some."""
    return r"\s+".join(map(re.escape, text.split()))


def reviewers_in(raw: bytes) -> list[str]:
    """Whom a line names that is none of ours: one of a later version, or a damaged one."""
    found = re.findall(rb'"reviewer"\s*:\s*"((?:[^"\\]|\\.)*)"', raw)
    return [name for one in found if (name := _unescaped(one))]


def document_in(text: str, key: str) -> Any:
    """The JSON that a text is; None where it is a text."""
    if key not in DOCUMENTS or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        return None


def pieces(quote: str, longest: int, words_in_a_piece: int) -> Iterable[str]:
    """The quote; of a long one also its parts, because who quotes may cut it off."""
    yield quote
    words = quote.split() if len(quote) > longest / 2 else []
    for start in range(0, len(words), words_in_a_piece):
        yield " ".join(words[start : start + words_in_a_piece])


def _is_quoted(text: str, plain: str) -> bool:
    if is_telling(text):
        return text in plain
    return any(f"{begin}{text}{end}" in plain for begin in _MARKS[0] for end in _MARKS[1])


def _strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text that is no structure, with the key it stands under."""
    match value:
        case str():
            document = document_in(value, key)
            yield from [(key, value)] if document is None else _strings(document)
        case list():
            is_of_commands = key == COMMANDS
            for one in value:
                if not (is_of_commands and isinstance(one, str)):
                    yield from _strings(one, key)
        case dict():
            for name, one in value.items():
                if name not in STRUCTURE:
                    yield from _strings(one, name)
        case _:
            return


def _unescaped(raw: bytes) -> str:
    try:
        return str(orjson.loads(b'"%b"' % raw))
    except ValueError:
        return raw.decode(errors="replace")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _is_spaced(letter: str) -> bool:
    return letter < chr(_UNSPACED)
