"""Label and field selectors, as lists of the fake API server are filtered by them."""

import re
from typing import Any

_SET = re.compile(r"\s*([\w./-]+) (in|notin) \(([^)]*)\)\s*")
_PAIR = re.compile(r"\s*([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)\s*")


def is_selected(found: Any, labels: str, fields: str) -> bool:
    """Whether an object is meant by both selectors."""
    own = found["metadata"].get("labels") or {}
    return all(_holds(part, own) for part in _parts(labels)) and all(
        _field_holds(part, found) for part in _parts(fields)
    )


def _parts(selector: str) -> list[str]:
    return [part for part in re.split(r",(?![^(]*\))", selector) if part]


def _holds(part: str, labels: dict[str, str]) -> bool:
    if found := _SET.fullmatch(part):
        name, operator, listed = found.groups()
        is_in = labels.get(name) in {each.strip() for each in listed.split(",")}
        return is_in == (operator == "in")
    if found := _PAIR.fullmatch(part):
        name, operator, value = found.groups()
        return (labels.get(name) == value) == (operator != "!=")
    return (part.lstrip("!") in labels) != part.startswith("!")


def _field_holds(part: str, found: Any) -> bool:
    match = _PAIR.fullmatch(part)
    assert match, part
    path, operator, value = match.groups()
    for name in path.split("."):
        found = (found or {}).get(name)
    return bool(found == value) == (operator != "!=")
