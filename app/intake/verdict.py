"""Whether a line is a problem, and how bad."""

from app.domain.logbatch import LineSeverity
from app.intake.lexicon import Lexicon, lexicon
from app.security.linear import LinearPattern, Spans

_ORDER = {severity: rank for rank, severity in enumerate(reversed(LineSeverity), 1)}
_STRUCTURED = LinearPattern(r"(?:[^{=\s]{0,80}\s+){0,4}\{\s*\\*\"|\s*[A-Za-z_@.]+=")


def rank(severity: LineSeverity) -> int:
    """Greater is worse."""
    return _ORDER[severity]


def judge(line: bytes) -> LineSeverity | None:
    """The severity of a clean line; None when nothing in it says that something is wrong."""
    words = lexicon()
    if words.healthy.first(line) is not None:
        line = words.healthy.replace(lambda _: b" ; ", line)
    is_claimed, claimed, is_event = _claim(line, words)
    if is_claimed and claimed is not None:
        return _judge_claimed(line, claimed, words, is_event=is_event)
    found = _first(line, words.phrases)
    if found is None and words.codes.first(line) is not None:
        found = LineSeverity.ERROR
    if found is None and not is_claimed:
        found = _first(line, words.words)
    return found


def _judge_claimed(
    line: bytes, claimed: LineSeverity, words: Lexicon, *, is_event: bool
) -> LineSeverity:
    if words.phrases[0][1].first(line) is not None:
        return LineSeverity.CRITICAL
    if is_event and words.event_error.first(line) is not None:
        return LineSeverity.ERROR
    return claimed


def _first(
    line: bytes, patterns: tuple[tuple[LineSeverity, LinearPattern], ...]
) -> LineSeverity | None:
    for severity, pattern in patterns:
        if pattern.first(line) is not None:
            return severity
    return None


def _claim(line: bytes, words: Lexicon) -> tuple[bool, LineSeverity | None, bool]:
    """Whether the line claims a level, which problem that is, and whether it is an event's."""
    patterns = [words.claims]
    if _STRUCTURED.begins(line) is not None:
        patterns.insert(0, words.field_claims)
    for pattern in patterns:
        spans = pattern.first(line)
        if spans is not None:
            return _claimed(line, spans, pattern, words)
    return False, None, False


def _claimed(
    line: bytes, spans: Spans, pattern: LinearPattern, words: Lexicon
) -> tuple[bool, LineSeverity | None, bool]:
    group, (start, end) = next(
        (name, spans[number]) for name, number in pattern.groups.items() if spans[number][0] >= 0
    )
    level = line[start:end].decode("ascii").lower().rpartition(":")[2]
    if level.isdigit():
        return True, _numbered(int(level), group), False
    return True, words.levels.get(level), group.startswith("event")


def _numbered(level: int, group: str) -> LineSeverity | None:
    """Pino counts up from 10 to 60, journald down from 7 to 0."""
    critical, error, warning = (-2, -3, -4) if group == "journal" else (60, 50, 40)
    value = -level if group == "journal" else level
    if value >= critical:
        return LineSeverity.CRITICAL
    if value >= error:
        return LineSeverity.ERROR
    return LineSeverity.WARNING if value >= warning else None
