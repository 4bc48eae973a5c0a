"""Whether what failed works again: a recovery counts for the same target, after its last failure."""

from collections.abc import Iterator, Sequence

import re2

from app.adapters.reasoning.playbook_scan import Scan, Sighting

_TARGETS = frozenset({"host", "dependency", "target", "api", "registry"})
"""Captures that name the other side of a failure."""

_NAMED = re2.compile(
    r"(?i)\b(?:to|with) [\"'`]?([a-z][\w-]*(?:[.:][\w-]+)+|\d+\.\d+\.\d+\.\d+)"
    r"|\b(redis|kafka|rabbitmq|amqp|mysql|mariadb|postgres\w*|mongo\w*|elasticsearch|zookeeper"
    r"|cassandra|memcached|nats|vault|consul)\b"
)
"""The other side that a line of recovery names."""


def has_recovered(mode: str, sightings: Sequence[Sighting], scan: Scan) -> bool:
    """Whether every target that failed in this mode is said to work after its last failure."""
    numbers = [number for named, number in scan.recoveries if named == mode]
    if not numbers:
        return False
    wanted = set(numbers)
    texts = {line.number: line.text.lower() for line in scan.lines if line.number in wanted}
    return all(
        any(number > last and _is_about(texts[number], target) for number in numbers)
        for target, last in _last_failures(sightings).items()
    )


def _last_failures(sightings: Sequence[Sighting]) -> dict[str, int]:
    last: dict[str, int] = {}
    for sighting in sightings:
        for target in _targets(sighting):
            last[target] = max(last.get(target, 0), sighting.line.number)
    if len(last) > 1:
        nameless = last.pop("", 0)
        newest = max(last, key=lambda target: last[target])
        last[newest] = max(last[newest], nameless)
    return last


def _targets(sighting: Sighting) -> Iterator[str]:
    named = [value for name, value in sighting.captures if name in _TARGETS]
    yield from (value.lower().split(".")[0].split(":")[0] for value in named) if named else ("",)


def _is_about(text: str, target: str) -> bool:
    if not target or target in text:
        return True
    return _NAMED.search(text) is None
