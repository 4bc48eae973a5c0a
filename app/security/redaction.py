"""Takes secrets out of a text before anything keeps, shows or sends it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from app.security.checks import is_settled
from app.security.documents import spans_in_documents
from app.security.ledger import Ledger
from app.security.pem import Span, private_key_lines
from app.security.rules import Rule, rule_book

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without secrets, and how many of each kind were replaced, by kind."""

    text: str
    counts: tuple[tuple[str, int], ...]


def redact(text: str) -> Redacted:
    """Replace each secret by a placeholder, the same one for the same secret.

    Lines stay where they are, and a redacted text stays as it is.
    """
    if not is_suspicious(text):
        return Redacted(text, ())
    raw = text.encode("utf-8", "surrogatepass")
    ledger = Ledger()
    raw = ledger.hide_placeholders(raw)
    raw = _without(raw, private_key_lines(raw), "private-key", ledger)
    raw = _without(raw, spans_in_documents(raw), "password", ledger)
    chunks = [
        ledger.show_placeholders(_redact_chunk(chunk, ledger)).decode("utf-8", "surrogatepass")
        for chunk in _chunks(raw)
    ]
    return Redacted("".join(chunks), ledger.counted())


def is_suspicious(*texts: str | None) -> bool:
    """Whether one of them has to be looked at closely; most have not, which one scan tells."""
    joined = "\n".join(text for text in texts if text)
    return rule_book().suspicious.first(joined.encode("utf-8", "surrogatepass")) is not None


def _without(raw: bytes, spans: Iterable[Span], kind: str, ledger: Ledger) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for start, end in sorted(spans):
        if start >= done and end > start and not is_settled(raw[start:end]):
            pieces += [raw[done:start], ledger.token(kind, raw[start:end])]
            done = end
    return b"".join([*pieces, raw[done:]]) if pieces else raw


def _chunks(raw: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(raw):
        cut = raw.find(b"\n", start + _CHUNK)
        end = len(raw) if cut < 0 else cut + 1
        yield raw[start:end]
        start = end


def _redact_chunk(chunk: bytes, ledger: Ledger) -> bytes:
    """Rules see the suspicious lines alone, all at once: few calls, and the rest costs one scan."""
    lines: list[bytes] = []
    spans: list[Span] = []
    position = 0
    suspicious = rule_book().suspicious
    while (found := suspicious.first(chunk, position)) is not None:
        start = chunk.rfind(b"\n", 0, found[0][0]) + 1
        end = chunk.find(b"\n", found[0][1])
        end = len(chunk) if end < 0 else end
        lines.append(chunk[start:end])
        spans.append((start, end))
        if end >= len(chunk):
            break
        position = end
    if not lines:
        return chunk
    cleaned = _apply_rules(b"\n".join(lines), ledger).split(b"\n")
    return _spliced(chunk, spans, cleaned)


def _apply_rules(block: bytes, ledger: Ledger) -> bytes:
    lowered = block.lower()
    for rule in rule_book().rules:
        if rule.may_match(lowered):
            block = _apply(rule, block, ledger)
    return block


def _apply(rule: Rule, block: bytes, ledger: Ledger) -> bytes:
    pieces: list[bytes] = []
    done = position = 0
    while (found := rule.pattern.first(block, position)) is not None:
        secret = rule.secret(found, block)
        if secret is None:
            position = rule.resume(found)
            continue
        start, end = secret
        pieces += (block[done:start], ledger.token(rule.kind, block[start:end]))
        done = position = end
    return b"".join((*pieces, block[done:]))


def _spliced(chunk: bytes, spans: list[Span], cleaned: list[bytes]) -> bytes:
    pieces: list[bytes] = []
    done = 0
    for (start, end), line in zip(spans, cleaned, strict=True):
        pieces += [chunk[done:start], line]
        done = end
    return b"".join([*pieces, chunk[done:]])
