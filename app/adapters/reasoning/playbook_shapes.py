"""What a parameter's value has to look like: a word in its place is no name, path or port."""

import re
from collections.abc import Callable

from app.intake.entity_names import NOT_NAMES, is_object_name

MOST_PORT = 65535

_PATH = re.compile(r"(?:/[\w.+@%~-]+)+/?|[A-Za-z]:\\\S+|[\w.-]+(?:/[\w.+-]+)+")
_FILE = re.compile(r"[\w./+@%~-]*\w\.\w{1,12}|/[\w./+@%~-]+")
_HOST = re.compile(
    r"[\w-]*[A-Za-z][\w-]*(?:\.[\w-]+)*\.?|\d{1,3}(?:\.\d{1,3}){3}|\[?[\da-fA-F:]{3,}\]?"
)
_IMAGE = re.compile(r"[\w.-]+(?::\d+)?(?:/[\w.-]+)*(?::[\w.-]+)?(?:@sha256:[0-9a-f]+)?")
_VERSION = re.compile(r"v?\d+(?:\.\d+)*(?:[.+-]\w+)*|sha256:.*|[0-9a-f]{12,}")
_VARIABLE = re.compile(r"[A-Za-z_][\w.:-]*")

_WORDS = """
server host service database port address node broker upstream client url http https tcp
unknown null none the is was error failed connection
"""
NO_VALUES = frozenset(_WORDS.split())
"""Words that stand where a value could."""


def is_plausible(name: str, value: str) -> bool:
    """Whether a value can be what its name claims; names without a rule take anything."""
    rule = _RULES.get(name)
    return rule is None or rule(value)


def _is_object(value: str) -> bool:
    return len(value) > 1 and is_object_name(value) and value not in NOT_NAMES


def _is_path(value: str) -> bool:
    return len(value) > 1 and _PATH.fullmatch(value) is not None


def _is_port(value: str) -> bool:
    return value.isdigit() and 0 < int(value) <= MOST_PORT


def _is_image(value: str) -> bool:
    return _IMAGE.fullmatch(value) is not None and not _VERSION.fullmatch(value)


def _is_command(value: str) -> bool:
    return value.lower() not in NO_VALUES and not _VERSION.fullmatch(value)


def _is_variable(value: str) -> bool:
    is_setting = value.upper() == value or "." in value or ":" in value
    return is_setting and value.lower() not in NO_VALUES and bool(_VARIABLE.fullmatch(value))


def _is_file(value: str) -> bool:
    return _FILE.fullmatch(value) is not None


def _is_host(value: str) -> bool:
    name, _, port = value.partition(":") if value.count(":") == 1 else (value, "", "")
    if port and not port.isdigit():
        return False
    return _HOST.fullmatch(name) is not None and name.lower() not in NO_VALUES


_OBJECTS = "pvc secret object_name object_ns sa sa_namespace job storageclass init hpa"
_RULES: dict[str, Callable[[str], bool]] = {
    **dict.fromkeys(_OBJECTS.split(), _is_object),
    "path": _is_path,
    "file": _is_file,
    "host": _is_host,
    "registry": _is_host,
    "port": _is_port,
    "image": _is_image,
    "command": _is_command,
    "variable": _is_variable,
}
