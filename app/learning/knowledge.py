"""Everything that follows from a feedback log up to a position: columns, places, switches."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import BaseModel, TypeAdapter

from app.domain.housekeeping import LessonSwitched
from app.domain.snapshots import Part, Parts
from app.learning.catalogue import Catalogue
from app.learning.directory import Hashes
from app.learning.entries import Entries
from app.learning.parts import from_json, named, of, to_json

LONG_AGO = datetime.min.replace(tzinfo=UTC)


class _Facts(BaseModel):
    """What is no column."""

    latest: datetime
    unreadable: int
    newer: int
    switches: dict[str, LessonSwitched]


_FACTS = TypeAdapter(_Facts)


class Knowledge:
    """What the ledger keeps in memory."""

    def __init__(self, key: bytes | None = None) -> None:
        """Nothing is read yet."""
        self._hashes = Hashes(key)
        self.entries = Entries(self._hashes)
        self.catalogue = Catalogue(self._hashes)
        self.switches: dict[str, LessonSwitched] = {}
        """By its id, the last word on whether a lesson is shown."""
        self.latest = LONG_AGO
        self.unreadable = 0
        """Lines that do not parse; they stay in the store."""
        self.newer = 0
        """Lines of a later version; they stay, too."""
        self.position = 0
        """Where to go on reading."""

    def parts(self) -> Parts:
        """All of it but the position."""
        facts = _Facts(
            latest=self.latest,
            unreadable=self.unreadable,
            newer=self.newer,
            switches=self.switches,
        )
        return (
            {"key": bytearray(self._hashes.key), "facts": to_json(_FACTS, facts)}
            | named("entries", self.entries.parts())
            | named("catalogue", self.catalogue.parts())
        )

    @classmethod
    def restored(cls, position: int, parts: Mapping[str, Part]) -> "Knowledge":
        """What another one knew at this position."""
        known = cls(bytes(parts["key"]))
        facts = from_json(_FACTS, parts["facts"])
        known.latest, known.switches = facts.latest, facts.switches
        known.unreadable, known.newer = facts.unreadable, facts.newer
        known.entries.restore(of("entries", parts))
        known.catalogue.restore(of("catalogue", parts))
        known.position = position
        return known
