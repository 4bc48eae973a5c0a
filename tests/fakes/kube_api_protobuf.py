"""Reads the few bodies that kubectl sends as protocol buffers even when it reads JSON."""

from collections.abc import Iterator
from typing import Any

PREFIX = b"k8s\0"
# By field number: the JSON name, and the fields of what is inside, or the type of a plain value.
_METADATA = {1: ("name", str), 3: ("namespace", str)}
_TARGET = {1: ("kind", str), 2: ("name", str), 3: ("apiVersion", str)}
_METRIC = {
    1: ("type", str),
    3: (
        "resource",
        {
            1: ("name", str),
            2: ("target", {1: ("type", str), 4: ("averageUtilization", int)}),
        },
    ),
}
_SPEC = {
    1: ("scaleTargetRef", _TARGET),
    2: ("minReplicas", int),
    3: ("maxReplicas", int),
    4: ("metrics", [_METRIC]),
}
_AUTOSCALER: dict[int, Any] = {1: ("metadata", _METADATA), 2: ("spec", _SPEC)}
_EVICTION: dict[int, Any] = {
    1: ("metadata", _METADATA),
    2: ("deleteOptions", {5: ("dryRun", [str])}),
}
_ENTRY = {1: ("key", str), 2: ("value", str)}
_CONFIG_MAP: dict[int, Any] = {1: ("metadata", _METADATA), 2: ("data", [_ENTRY])}
_KINDS = {
    "ConfigMap": _CONFIG_MAP,
    "Eviction": _EVICTION,
    "HorizontalPodAutoscaler": _AUTOSCALER,
    "ServiceAccount": {1: ("metadata", _METADATA)},
}


def decoded(body: bytes) -> Any:
    """The object in such a body, as JSON has it."""
    envelope = _message(body.removeprefix(PREFIX), {1: ("type", _TYPE), 2: ("raw", bytes)})
    kind = envelope["type"]["kind"]
    found = _message(envelope["raw"], _KINDS[kind]) | {"kind": kind}
    if isinstance(found.get("data"), list):
        found["data"] = {entry["key"]: entry["value"] for entry in found["data"]}
    return found


_TYPE = {1: ("apiVersion", str), 2: ("kind", str)}


def _message(raw: bytes, fields: dict[int, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _wire(raw):
        if number not in fields:
            continue
        name, kind = fields[number]
        if isinstance(kind, list):
            found.setdefault(name, []).append(_value(value, kind[0]))
        else:
            found[name] = _value(value, kind)
    return found


def _value(value: Any, kind: Any) -> Any:
    if isinstance(kind, dict):
        return _message(value, kind)
    return value.decode() if kind is str else value


def _wire(raw: bytes) -> Iterator[tuple[int, Any]]:
    position = 0
    while position < len(raw):
        tag, position = _varint(raw, position)
        value, position = _varint(raw, position)
        if tag & 7 == 2:
            yield tag >> 3, raw[position : position + value]
            position += value
        else:
            assert tag & 7 == 0, "only numbers and bytes are sent here"
            yield tag >> 3, value


def _varint(raw: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
