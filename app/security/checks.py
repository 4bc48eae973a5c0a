"""Tells a secret from a word that only stands where secrets stand."""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass

from app.security.linear import LinearPattern

_PROSE = frozenset(
    b"""must is was are has have had been be being not no yes none null nil undefined true false on off
    invalid incorrect wrong bad required missing expired expires empty unknown unset absent failed failure
    fail error errors cannot could can't can should would will may might the a an for from in of to and or
    with without by at as it its this that your authentication authorization unauthorized forbidden denied
    permission rejected refused revoked mismatch mismatched mismatches unexpected expected received got
    found validation verification verified valid ok set changed updated rotated created deleted refreshed
    renewed generated used unable does did do request response timeout context rpc open stat read dial eof
    unauthenticated bearer basic optional hidden masked redacted provided specified supplied disabled
    enabled length too access default unsupported parse parsing malformed signature secret token password
    user username account login connection retry retrying fetching loading using ignored skipped
    server message repository get list watch post put patch update create delete head""".split()
)
_NOTHING = frozenset(b"yes no none null nil undefined true false unset empty".split())
# Tokens stand for placeholders while the rules run; their bytes occur in no UTF-8 text.
TOKEN = LinearPattern(r"\xff[0-9]+\xfe")
_NOTHING_LEFT = LinearPattern(r"(?s)[*.\-_=)\]},;:\"'\\<>?|{\[(\s]*")
_REFERENCE = LinearPattern(
    r"(?is)\$|<(?:set to the key |none|nil|null|unset|redacted|hidden|unknown|empty|no value)|\{\{|%[({]"
    r"|x{3,}[^a-z0-9]*$|[0-9]+ bytes\b|(?:file|vault|secretref|awssm|gcpsm)://?"
    r"|/(?:etc|var|run|tmp|home|root|usr|opt|mnt|secrets?|data|vault|app|srv|proc|dev|certs?)/"
)
_API_TYPE = LinearPattern(r"(?:[a-z.]+/)?v[0-9][a-z0-9]*\.Secret$")
_OBJECT = LinearPattern(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.-]*")
_ABSENT = LinearPattern(
    r"[\"'\\\s,]{1,4}(?:not found|is forbidden|does not exist|not registered|already exists)"
)
_MACHINE_TOP = frozenset(
    b"service socket local internal svc mount target timer slice scope device path swap lan".split()
)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A possible secret and what stands around it on its line."""

    value: bytes
    key: bytes
    gap: bytes
    """What stands between key and value: the separator, blanks and quotes."""
    before: bytes
    after: bytes


def is_settled(value: bytes, after: bytes = b"") -> bool:
    """Whether nothing is left to hide: tokens, references, or nothing at all."""
    rest = TOKEN.replace(lambda _: b"", value) if b"\xff" in value else value
    return _NOTHING_LEFT.covers(rest) or _REFERENCE.begins(value[:80] + after) is not None


def is_prose(suspect: Suspect) -> bool:
    """Whether the value is a word of a sentence, an object's name or a path's error."""
    words = _PROSE if _reads_as_sentence(suspect) else _NOTHING
    first = suspect.value.split(None, 1)[0] if suspect.value.strip() else b""
    if first.lower().strip(b"\"'`.,;:!?()[]{}") in words:
        return True
    if suspect.before.lower().endswith((b"unexpected ", b"illegal ")):
        return True
    return _is_object(suspect) or _is_about_a_path(suspect) or _is_number_of_tokens(suspect)


def _reads_as_sentence(suspect: Suspect) -> bool:
    return not suspect.key or (b":" in suspect.gap and suspect.gap[-1:].isspace())


def _is_object(suspect: Suspect) -> bool:
    if suspect.key.lower() in {b"pwd", b"oldpwd"} and suspect.value.startswith(b"/"):
        return True
    if not suspect.key.lower().endswith(b"secret"):
        return False
    if _API_TYPE.begins(suspect.key) is not None:
        return True
    return _OBJECT.covers(suspect.value) or _ABSENT.begins(suspect.after) is not None


def _is_about_a_path(suspect: Suspect) -> bool:
    return b"/" in suspect.key and suspect.gap.strip() == b":"


def _is_number_of_tokens(suspect: Suspect) -> bool:
    return suspect.key.lower().endswith(b"token") and (
        suspect.value.isdigit() and len(suspect.value) <= 6
    )


def is_word(suspect: Suspect) -> bool:
    """Whether the value reads like a word: prose, or short and only letters of one case."""
    value = suspect.value
    return is_prose(suspect) or (value.isalpha() and value.islower() and len(value) < 20)


def is_flag_value_harmless(suspect: Suspect) -> bool:
    """Whether what follows a flag is prose, or the flag is part of a dashed word."""
    return is_prose(suspect) or suspect.before[-1:].isalnum()


def is_short(suspect: Suspect) -> bool:
    """Whether nothing of a key follows its header on the line."""
    return not suspect.value.strip(b" -\\nr")


def is_encoded_certificate(suspect: Suspect) -> bool:
    """Whether the encoded block begins with `-----BEGIN CERTIFICATE`, which is public."""
    return suspect.value.startswith(b"LS0tLS1CRUdJTiBDRVJU")


def is_no_basic_pair(suspect: Suspect) -> bool:
    """Whether the value does not decode to `user:password`."""
    value = suspect.value.rstrip(b"=")[:400]
    try:
        return b":" not in base64.b64decode(value + b"=" * (-len(value) % 4))
    except binascii.Error:
        return True


def is_port(suspect: Suspect) -> bool:
    """Whether `host:80/path@x` was read as `user:password@host`."""
    digits, slash, _ = suspect.value.partition(b"/")
    return bool(slash) and digits.isdigit() and len(digits) <= 5


def is_option_number(suspect: Suspect) -> bool:
    """Whether the value is a port or a reference."""
    return suspect.value.isdigit() and b"sshpass" not in suspect.before


def is_not_random(suspect: Suspect) -> bool:
    """Whether the value does not mix upper case, lower case and digits as keys do."""
    value = suspect.value
    return not (
        any(65 <= byte <= 90 for byte in value)
        and any(97 <= byte <= 122 for byte in value)
        and any(48 <= byte <= 57 for byte in value)
    )


def is_address_of_a_machine(suspect: Suspect) -> bool:
    """Whether `user@host` names a login, a unit, a package or a cloud identity, not a person.

    The subject of a refusal (`User "…" cannot list …`) stays: the role binding needs its name.
    """
    user, _, domain = suspect.value.rpartition(b"@")
    labels = domain.lower().split(b".")
    return (
        labels[-1] in _MACHINE_TOP
        or labels[0].isdigit()
        or b"cluster" in labels
        or user in {b"git", b"root"}
        or labels[-2] == b"gserviceaccount"
        or suspect.before.endswith((b"/", b"ssh ", b"\\", b'User "', b'User \\"'))
        or suspect.after.startswith((b"/", b":/"))
    )


def is_no_card(suspect: Suspect) -> bool:
    """Whether the digits are no card number: wrong prefix, length or check digit."""
    digits = [byte - 48 for byte in suspect.value if 48 <= byte <= 57]
    number = bytes(byte for byte in suspect.value if 48 <= byte <= 57)
    if not _has_card_prefix(number):
        return True
    doubled = [d * 2 - 9 if d > 4 else d * 2 for d in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 != 0


def _has_card_prefix(number: bytes) -> bool:
    two, four = int(number[:2]), int(number[:4])
    match len(number):
        case 14:
            return two in {36, 38} or 300 <= int(number[:3]) <= 305
        case 15:
            return two in {34, 37}
        case 16:
            return (
                number[:1] == b"4"
                or 51 <= two <= 55
                or 2221 <= four <= 2720
                or four == 6011
                or two in {65, 35}
            )
        case _:
            return False


CHECKS: dict[str, Callable[[Suspect], bool]] = {
    "prose": is_prose,
    "word": is_word,
    "flag_value": is_flag_value_harmless,
    "short": is_short,
    "encoded_certificate": is_encoded_certificate,
    "no_basic_pair": is_no_basic_pair,
    "port": is_port,
    "option_number": is_option_number,
    "not_random": is_not_random,
    "address_of_a_machine": is_address_of_a_machine,
    "no_card": is_no_card,
}
