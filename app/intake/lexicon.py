"""What makes a line a problem, as data: read from `lexicon.yaml`, compiled once."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from app.domain.logbatch import LineSeverity
from app.security.linear import LinearPattern

_FILE = Path(__file__).with_name("lexicon.yaml")
_BEFORE_WORD = r"(?:^|[\s:\"'(\[,;>=|*\\])"
_AFTER_WORD = r"(?:$|[\s:,;!?\"')\]}|\\]|\.(?:\s|$))"


class LexiconData(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    level_roots: tuple[str, ...]
    field_claims: tuple[str, ...]
    claims: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    healthy: tuple[str, ...]
    codes: tuple[str, ...]
    phrases: dict[str, tuple[str, ...]]
    event_errors: tuple[str, ...]
    error_words: tuple[str, ...]
    error_forms: tuple[str, ...]
    warning_words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The compiled patterns."""

    hot: LinearPattern
    """Matches every line that can be a problem, and few others."""
    field_claims: LinearPattern
    """A level in a field of JSON or logfmt."""
    claims: LinearPattern
    """A level in a field, a word or a letter."""
    levels: dict[str, LineSeverity]
    healthy: LinearPattern
    codes: LinearPattern
    phrases: tuple[tuple[LineSeverity, LinearPattern], ...]
    event_error: LinearPattern
    words: tuple[tuple[LineSeverity, LinearPattern], ...]


def read_lexicon_data() -> LexiconData:
    """The file's content."""
    return LexiconData.model_validate(yaml.safe_load(_FILE.read_text("utf-8")))


@cache
def lexicon() -> Lexicon:
    """The lexicon of the product."""
    data = read_lexicon_data()
    phrases = {LineSeverity(name.upper()): listed for name, listed in data.phrases.items()}
    errors = (_free(data.error_words), *data.error_forms)
    warnings = (_free(data.warning_words),)
    every_phrase = tuple(phrase for listed in phrases.values() for phrase in listed)
    return Lexicon(
        hot=_any((*data.level_roots, *data.codes, *every_phrase, *errors, *warnings), flags="(?m)"),
        field_claims=_any(data.field_claims),
        claims=_any((*data.field_claims, *data.claims)),
        levels={
            name: LineSeverity(severity.upper())
            for severity, names in data.levels.items()
            for name in names
        },
        healthy=_any(data.healthy),
        codes=_any(data.codes),
        phrases=tuple((severity, _any(listed)) for severity, listed in phrases.items()),
        event_error=LinearPattern(rf"(?:^|\W)(?:{'|'.join(data.event_errors)})(?:\W|$)"),
        words=((LineSeverity.ERROR, _any(errors)), (LineSeverity.WARNING, _any(warnings))),
    )


def _free(words: Iterable[str]) -> str:
    """Words that stand free, not inside a name or a path."""
    return rf"(?i:{_BEFORE_WORD}(?:{'|'.join(words)}){_AFTER_WORD})"


def _any(patterns: Iterable[str], flags: str = "") -> LinearPattern:
    return LinearPattern(flags + "|".join(f"(?:{pattern})" for pattern in patterns))
