"""How many replicas a workload is meant to have: only as the text tells it, never guessed."""

import re
from collections.abc import Iterator, Sequence

from app.domain.logbatch import Line
from app.intake.entities import find_entities
from app.intake.entity_names import workload_of_pod

MOST_REPLICAS = 500

_COUNTED = re.compile(
    r"\b\d+ ?(?:/|(?:out )?of) ?(\d+) (?:\w+ ){0,2}?(?:replicas?|pods?)\b", re.IGNORECASE
)
_READY = re.compile(r"\b\d+ ?(?:/|of) ?(\d+) (?:are |is )?(?:ready|available)\b", re.IGNORECASE)
_READY_FIRST = re.compile(
    r"\b(?:ready|available)[\"']?\s?[:=]?\s?[\"']?\d+ ?(?:/|of) ?(\d+)\b", re.IGNORECASE
)
_DESIRED = re.compile(
    r"\b(?:replicas|pods):\s+(?:\d+ current / )?(\d+) desired|\bdesired(?: replicas)?[:= ]+(\d+)\b",
    re.IGNORECASE,
)
_SPECIFIED = re.compile(
    r"(?:^|[\s{,\"'(.])(?:spec[._]|desired[ _])?replicas[\"']?\s*[:=]\s*(\d+)\b", re.IGNORECASE
)
_PART = re.compile(
    r"\b(?:ready|available|unavailable|updated|current|old|min\w*|max\w*|status)[ ._]replicas\b",
    re.IGNORECASE,
)
"""Replicas that are there or may be, not those that are wanted."""

_OF_OTHERS = re.compile(r"\b(?:containers?|nodes?)\b", re.IGNORECASE)
_STATUS = re.compile(r"^\s*[\"']?status[\"']?:\s*\{?\s*$")
_OBJECT = re.compile(r"^\s*(?:- )?[\"']?(?:apiVersion|kind|metadata|spec)[\"']?:")
_PAGE = re.compile(r"^Name:\s+(\S+)")
_POD_NAME = re.compile(r"[a-z0-9][-a-z0-9.]*-[a-z0-9]+")


def desired_replicas(workload: str, lines: Sequence[Line]) -> int | None:
    """The last count told of this workload; else the one that all lines without a name agree on."""
    named: list[int] = []
    nameless: set[int] = set()
    name = re.compile(rf"(?<![\w.-]){re.escape(workload)}(?![\w.])")
    row = re.compile(rf"(?:^|[\s/]){re.escape(workload)}\s+\d+/(\d+)(?:\s|$)")
    for line, is_of_page in _with_pages(workload, lines):
        found = row.search(line.text)
        count = int(found[1]) if found else _told(line.text)
        if count is None or not 0 < count <= MOST_REPLICAS:
            continue
        if name.search(line.text) or is_of_page:
            named.append(count)
        elif is_of_page is None and find_entities([line]).workload is None:
            nameless.add(count)
    if named:
        return named[-1]
    return nameless.pop() if len(nameless) == 1 else None


def _with_pages(workload: str, lines: Sequence[Line]) -> Iterator[tuple[Line, bool | None]]:
    """Lines that tell what is wanted, each with whether it stands on the workload's own page.

    None where it stands on no page. What a manifest says under `status` is what is there.
    """
    is_own: bool | None = None
    is_status = False
    for line in lines:
        if page := _PAGE.match(line.text):
            owner = workload_of_pod(page[1])
            is_own = workload in {page[1], owner[1] if owner else page[1]}
        if _OBJECT.match(line.text):
            is_status = False
        elif _STATUS.match(line.text):
            is_status = True
        if not is_status:
            yield line, is_own


def _told(text: str) -> int | None:
    patterns = [_COUNTED, _DESIRED]
    if not _OF_OTHERS.search(text) and not _names_pod(text):
        patterns += [_READY, _READY_FIRST]
    if not _PART.search(text):
        patterns.append(_SPECIFIED)
    for pattern in patterns:
        if found := pattern.search(text):
            return int(next(group for group in found.groups() if group))
    return None


def _names_pod(text: str) -> bool:
    """What is ready of one pod are its containers."""
    return any(workload_of_pod(name) for name in _POD_NAME.findall(text))
