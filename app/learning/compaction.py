"""What of a feedback log can go without changing what is learned, and what was to be forgotten."""

from array import array
from collections.abc import Sequence

from app.domain.feedback import FeedbackEvent, Proposed, Rated
from app.domain.housekeeping import Compacted, LessonSwitched
from app.domain.rewriting import StoredLine
from app.learning.directory import Directory
from app.learning.entries import microseconds
from app.learning.oblivion import Oblivion
from app.learning.record import RatingField

ID_BYTES = 16
"""So much of an id decides; events whose ids begin alike at the same moment are all kept."""


Place = tuple[int, int, int]
"""What decides which of two events is the later word."""


class Compaction:
    """Leaves out repeats, what a later word replaced, and what was to be forgotten.

    Reports of approval servers stay, each of them: one that comes again must be recognised.
    """

    def __init__(self) -> None:
        """Nothing was looked at yet."""
        self.oblivion = Oblivion()
        self.left_out = 0
        self.kept = 0
        self._topics = Directory()
        self._times = array("q")
        """By number of a topic when its last word was said, and the two halves of its id; a log may
        hold millions, so topics are hashes alone."""
        self._ids = array("Q"), array("Q")
        self._seen = Directory()

    def look(self, line: StoredLine) -> None:
        """Note the last word on everything."""
        self.oblivion.look(line)
        if line.event is not None:
            place = _place(line.event)
            for topic in _topics(line.event):
                number = self._topics.number(topic)
                if number == len(self._times):
                    self._grow(place)
                elif self._latest(number) < place:
                    self._put(number, place)

    def news(self) -> Sequence[FeedbackEvent]:
        """Nothing: what stays is all there."""
        return ()

    def keep(self, line: StoredLine) -> bytes | None:
        """The line, perhaps without a name; None where nobody needs it."""
        kept = None if self._is_needless(line.event) else self.oblivion.without(line)
        if kept is None:
            self.left_out += 1
        else:
            self.kept += 1
        return kept

    def _is_needless(self, event: FeedbackEvent | None) -> bool:
        if event is None:
            return False
        seen = len(self._seen)
        if isinstance(event, Compacted) or self._seen.number(event.id) < seen:
            return True
        topics = [self._topics.number(topic) for topic in _topics(event)]
        place = _place(event)
        return bool(topics) and all(self._latest(topic) > place for topic in topics)

    def _latest(self, topic: int) -> Place:
        first, second = self._ids
        return self._times[topic], first[topic], second[topic]

    def _grow(self, place: Place) -> None:
        for column, value in zip((self._times, *self._ids), place, strict=True):
            column.append(value)

    def _put(self, topic: int, place: Place) -> None:
        for column, value in zip((self._times, *self._ids), place, strict=True):
            column[topic] = value


def _place(event: FeedbackEvent) -> Place:
    name = event.id.encode("utf-8", "surrogatepass")[:ID_BYTES].ljust(ID_BYTES, b"\0")
    half = ID_BYTES // 2
    return microseconds(event.ts), int.from_bytes(name[:half]), int.from_bytes(name[half:])


def _topics(event: FeedbackEvent) -> list[str]:
    """What only the last word on counts; an event that others need as well has none."""
    match event:
        case Proposed():
            return [f"proposed {event.feedback_id}"]
        case Rated():
            said = (name for name in RatingField if getattr(event, name) is not None)
            return [f"{name} {event.feedback_id}" for name in said]
        case LessonSwitched():
            return [f"lesson {event.lesson_id}"]
        case _:
            return []
