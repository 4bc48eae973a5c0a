"""What people write into reasons, comments and names, without the secrets that slip into it."""

from app.security.redaction import redact

NAMES = {"email"}
"""Kinds that are no secret where a person's name is asked for: an address may be the name."""


def without_secrets(text: str | None) -> str | None:
    """The same text where it holds none."""
    return redact(text).text if text else text


def name_without_secrets(name: str | None) -> str | None:
    """A name stays, unless somebody put something else where it belongs."""
    if not name:
        return name
    redacted = redact(name)
    return name if {kind for kind, _ in redacted.counts} <= NAMES else redacted.text
