"""Recognises a name that nobody may read any more (pure)."""

import hashlib
import hmac
import secrets

from app.domain.housekeeping import Fingerprint

COST = 2**14
"""Slow on purpose: names are few and easily guessed."""


def fingerprint_of(name: str) -> Fingerprint:
    """A new one, with a salt of its own."""
    salt = secrets.token_hex(16)
    return Fingerprint(salt=salt, digest=_digest(name, salt))


def is_of(name: str, known: Fingerprint) -> bool:
    """Whether it was made of this name, in whatever case."""
    return hmac.compare_digest(_digest(name, known.salt), known.digest)


def _digest(name: str, salt: str) -> str:
    text = " ".join(name.casefold().split()).encode(errors="replace")
    return hashlib.scrypt(text, salt=bytes.fromhex(salt), n=COST, r=8, p=1, dklen=32).hex()
