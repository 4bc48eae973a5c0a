"""Which placeholder stands for which secret, within one text."""

from collections import Counter
from dataclasses import dataclass, field

from app.security.checks import TOKEN
from app.security.linear import LinearPattern, Spans

# Beyond this many different secrets of a kind, placeholders carry no number: memory stays bounded.
_NUMBERED = 100_000
_PLACEHOLDER = LinearPattern(r"\[REDACTED:([a-z-]{1,20})(?::([0-9]{1,9}))?\]")


@dataclass(slots=True)
class Ledger:
    """Hands out a token per secret while rules run, and turns tokens into placeholders at the end.

    A token cannot be taken for a part of a secret, as a placeholder's brackets and words could.
    """

    _counts: Counter[str] = field(default_factory=Counter)
    _highest: Counter[str] = field(default_factory=Counter)
    _tokens: dict[tuple[str, bytes], bytes] = field(default_factory=dict)
    _placeholders: list[bytes] = field(default_factory=list)
    _unnumbered: dict[str, bytes] = field(default_factory=dict)

    def counted(self) -> tuple[tuple[str, int], ...]:
        """How often each kind was replaced, by kind."""
        return tuple(sorted(self._counts.items()))

    def token(self, kind: str, secret: bytes) -> bytes:
        """What takes the secret's place; the same for the same secret."""
        self._counts[kind] += 1
        token = self._tokens.get((kind, secret))
        if token is not None:
            return token
        if self._highest[kind] >= _NUMBERED:
            return self._without_number(kind)
        self._highest[kind] += 1
        token = self._new(f"[REDACTED:{kind}:{self._highest[kind]}]".encode())
        self._tokens[kind, secret] = token
        return token

    def hide_placeholders(self, text: bytes) -> bytes:
        """The text with the placeholders that it already holds as tokens."""
        if b"[REDACTED:" not in text:
            return text
        known: dict[bytes, bytes] = {}

        def token(spans: Spans) -> bytes:
            placeholder, kind, number = (text[start:end] for start, end in spans)
            name = kind.decode()
            self._highest[name] = max(self._highest[name], int(number or b"0"))
            if placeholder not in known:
                known[placeholder] = self._new(placeholder)
            return known[placeholder]

        return _PLACEHOLDER.replace(token, text)

    def show_placeholders(self, text: bytes) -> bytes:
        """The text with every token as the placeholder it stands for."""
        if b"\xff" not in text:
            return text

        def placeholder(spans: Spans) -> bytes:
            start, end = spans[0]
            return self._placeholders[int(text[start + 1 : end - 1])]

        return TOKEN.replace(placeholder, text)

    def _without_number(self, kind: str) -> bytes:
        if kind not in self._unnumbered:
            self._unnumbered[kind] = self._new(f"[REDACTED:{kind}]".encode())
        return self._unnumbered[kind]

    def _new(self, placeholder: bytes) -> bytes:
        self._placeholders.append(placeholder)
        return b"\xff%d\xfe" % (len(self._placeholders) - 1)
