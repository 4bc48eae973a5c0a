"""Whose lines these are: the command, banner or page heading that a line stands under."""

from bisect import bisect_right
from collections.abc import Sequence

import re2

from app.domain.answer import Entities
from app.domain.logbatch import Line
from app.intake.entities import find_entities

PAGE_LINES = 60
"""Lines of a page that say what it is about."""

_PROMPT = re2.compile(r"^\s*(?:\S*[@:~]\S*\s?)?[$#]\s+\w|^kubectl \w")
_BANNER = re2.compile(r"(?i)^\s*(?:[-=#*>]{2,}|#) ?[^-=#*>].{0,200}\blogs?\b")
_LOGS = re2.compile(r"(?i)\blogs?\b\W{0,4}(?:of |from |for )?(?P<rest>.*)")
_PAGE = re2.compile(r"^Name:\s+\S+\s*$")


class Sections:
    """The headings of a text, in order, and the objects that they name."""

    def __init__(self, lines: Sequence[Line]) -> None:
        """Find the headings; what they name is read when it is asked for."""
        self._lines = lines
        self._starts = [index for index, line in enumerate(lines) if _is_heading(line.text)]
        self._numbers = [lines[index].number for index in self._starts]
        self._read: dict[int, Entities] = {}

    def owner(self, number: int) -> Entities:
        """The objects that the nearest heading above a line is about; none without one."""
        place = bisect_right(self._numbers, number) - 1
        if place < 0:
            return Entities()
        if place not in self._read:
            self._read[place] = self._entities(place)
        return self._read[place]

    def page_of(self, pod: str) -> Entities:
        """What the describe page of a pod says about it; nothing without a page."""
        for place, start in enumerate(self._starts):
            if self._lines[start].text.split()[-1] == pod and _PAGE.match(self._lines[start].text):
                return self.owner(self._numbers[place])
        return Entities()

    def _entities(self, place: int) -> Entities:
        start = self._starts[place]
        text = self._lines[start].text
        if not _PAGE.match(text):
            return find_entities([Line(1, _as_command(text))])
        ends = self._starts[place + 1] if place + 1 < len(self._starts) else len(self._lines)
        found = find_entities(self._lines[start : min(ends, start + PAGE_LINES)])
        return found if text.split()[-1] in {found.pod, found.workload} else Entities()


def _is_heading(text: str) -> bool:
    if len(text) > 400:
        return False
    return any(pattern.match(text) for pattern in (_PAGE, _PROMPT, _BANNER))


def _as_command(text: str) -> str:
    """A banner such as `--- logs web-0 ---` in the words of the command that gives such lines."""
    if "kubectl" in text or not (found := _LOGS.search(text)):
        return text
    return f"kubectl logs {found.group('rest').strip(' -=#*')}"
