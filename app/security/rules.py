"""The redaction rules: read from `redaction.yaml`, compiled once."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from app.security.checks import CHECKS, Suspect, is_settled
from app.security.linear import LinearPattern, Spans

_FILE = Path(__file__).with_name("redaction.yaml")
_VALUES = ("secret", "hook", "double", "nested", "single", "tick", "bare")
_NEXT_FIELD = LinearPattern(r"[,&;|]\s*[A-Za-z_][A-Za-z0-9_.-]*[=:]|\s[A-Za-z_][A-Za-z0-9_.-]*=")
# A hostile line may be all secrets: a check never looks further than this around one.
_AROUND = 40
_LONGEST_SECOND_LOOK = 512


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret: where it may stand and when it is none."""

    kind: str
    hints: tuple[bytes, ...]
    pattern: LinearPattern
    values: tuple[tuple[int, bool], ...]
    """Groups that may hold the secret, and whether what trails it must be cut off."""
    key: int | None
    keep: str | None

    def may_match(self, lowered: bytes) -> bool:
        """Whether a hint occurs, which costs far less than the pattern."""
        return any(hint in lowered for hint in self.hints)

    def secret(self, found: Spans, text: bytes) -> tuple[int, int] | None:
        """Where the secret stands; None when the match is none."""
        group, is_open = next((pair for pair in self.values if found[pair[0]][0] >= 0), (0, False))
        start, end = found[group]
        if is_open:
            end = _trimmed_end(text, start, end)
        suspect = self._suspect(found, text, start, end)
        if is_settled(suspect.value, suspect.after) or (
            self.keep is not None and CHECKS[self.keep](suspect)
        ):
            return None
        return start, end

    def resume(self, found: Spans) -> int:
        """Where to go on after a match that is no secret: what it took for a value may hold one."""
        begin, end = found[0]
        start = next((found[group][0] for group, _ in self.values if found[group][0] >= 0), begin)
        return start if start > begin and end - start <= _LONGEST_SECOND_LOOK else end

    def _suspect(self, found: Spans, text: bytes, start: int, end: int) -> Suspect:
        key_start, key_end = found[self.key] if self.key is not None else (found[0][0],) * 2
        return Suspect(
            value=text[start:end],
            key=text[key_start:key_end],
            gap=text[key_end:start],
            before=text[max(0, key_start - _AROUND) : key_start],
            after=text[end : end + _AROUND],
        )


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules in order, and the words of which a line with a secret holds at least one."""

    rules: tuple[Rule, ...]
    suspicious: LinearPattern
    parts: dict[str, str]


class _RuleData(BaseModel):
    """A rule as the file has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    hints: tuple[str, ...]
    pattern: str
    keep: str | None = None


class _BookData(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parts: dict[str, str]
    suspicious: str
    rules: tuple[_RuleData, ...]


@cache
def rule_book() -> RuleBook:
    """The rules of the product."""
    data = _BookData.model_validate(yaml.safe_load(_FILE.read_text("utf-8")))
    parts = dict(data.parts)
    for name in parts:
        parts[name] = _expand(parts[name], parts)
    return RuleBook(
        rules=tuple(_compiled(rule, parts) for rule in data.rules),
        suspicious=LinearPattern(data.suspicious),
        parts=parts,
    )


def _compiled(data: _RuleData, parts: dict[str, str]) -> Rule:
    pattern = LinearPattern(_expand(data.pattern, parts))
    groups = pattern.groups
    return Rule(
        kind=data.kind,
        hints=tuple(hint.encode() for hint in data.hints),
        pattern=pattern,
        values=tuple(
            (groups[name], "key" in groups and name in {"bare", "secret"})
            for name in _VALUES
            if name in groups
        ),
        key=groups.get("key"),
        keep=data.keep,
    )


def _expand(pattern: str, parts: dict[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace("{" + name + "}", part)
    return pattern


def _trimmed_end(text: bytes, start: int, end: int) -> int:
    """Where the value ends without the next field and closing brackets.

    A long rest is taken with it: looking at it again and again would cost quadratic time.
    """
    value = text[start:end]
    following = _NEXT_FIELD.first(value)
    if following is not None and following[0][0]:
        value = value[: following[0][0]]
    value = value.rstrip(b"),;]}>\r\t ") or value
    trimmed = start + len(value)
    return trimmed if end - trimmed <= _LONGEST_SECOND_LOOK else end
