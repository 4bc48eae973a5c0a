"""Takes secrets out of a text before anything keeps or sends it."""

from collections import Counter
from dataclasses import dataclass

import re2

_RULES = tuple(
    (kind, re2.compile(pattern))
    for kind, pattern in (
        (
            "password",
            r"(?i)((?:password|passwd|pwd|secret|token|api[_-]?key)[\"']?\s*[=:]\s*[\"']?)([^\s\"',;&}]+)",
        ),
        ("password", r"(://[^\s:/@]*:)([^\s/@]+)@"),
        ("token", r"(?i)(bearer\s+)([A-Za-z0-9._~+/=-]{12,})"),
    )
)


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without secrets, and how many of each kind were replaced."""

    text: str
    counts: tuple[tuple[str, int], ...]


def redact(text: str) -> Redacted:
    """Replace each secret by a placeholder; the same secret gets the same one."""
    counts: Counter[str] = Counter()
    known: dict[tuple[str, str], str] = {}
    for kind, rule in _RULES:

        def replace(match: "re2._Match[str]", kind: str = kind) -> str:
            secret = match.group(2)
            if secret.startswith("[REDACTED"):
                return str(match.group(0))
            counts[kind] += 1
            number = sum(key[0] == kind for key in known) + 1
            mark = known.setdefault((kind, secret), f"[REDACTED:{kind}:{number}]")
            return str(match.group(0).replace(secret, mark))

        text = rule.sub(replace, text)
    return Redacted(text, tuple(sorted(counts.items())))
