"""When changes are allowed: days and hours in a time zone; the time is always the caller's."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_TIME = re.compile(r"(\d{1,2}):([0-5]\d)", re.ASCII)
_DAY_MINUTES = 24 * 60
_WEEK_DAYS = 7


class Day(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


def _minutes(value: Any) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else _DAY_MINUTES + 1
    if minutes > _DAY_MINUTES:
        raise ValueError(f"{value!r} is no time of day such as 09:00")
    return minutes


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (OSError, ValueError, TypeError, LookupError):
        raise ValueError(f"{value!r} is no time zone such as Europe/Berlin") from None


TimeOfDay = Annotated[int, BeforeValidator(_minutes)]


class ChangeWindow(BaseModel):
    """Hours of some days; `to` at or before `from` is on the next day."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    days: tuple[Day, ...] = Field(default=tuple(Day), min_length=1)
    begin: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")

    def on(self, day: date, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
        """From when to when it is open if it opens on that day, in UTC."""
        if list(Day)[day.weekday()] not in self.days:
            return None
        days_later = 1 if self.end <= self.begin else 0
        return _moment(day, self.begin, zone), _moment(
            day, self.end + days_later * _DAY_MINUTES, zone
        )


class ChangeWindows(BaseModel):
    """All windows, in one time zone."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    time_zone: Annotated[ZoneInfo, BeforeValidator(_zone)]
    open: tuple[ChangeWindow, ...] = Field(min_length=1)

    def is_open(self, at: datetime) -> bool:
        """Whether changes are allowed at this moment."""
        return any(begin <= at < end for begin, end in self._around(at))

    def next_opening(self, at: datetime) -> datetime:
        """When the next window opens, in the windows' time zone."""
        later = min(begin for begin, _ in self._around(at) if begin > at)
        return later.astimezone(self.time_zone)

    def _around(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The windows that open from the day before to a week after, one day more for its end."""
        today = at.astimezone(self.time_zone).date()
        for days in range(-1, _WEEK_DAYS + 2):
            for window in self.open:
                if found := window.on(today + timedelta(days=days), self.time_zone):
                    yield found


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """What the clocks of the zone show, as a moment."""
    days, minutes = divmod(minutes, _DAY_MINUTES)
    clock = time(minutes // 60, minutes % 60)
    return datetime.combine(day + timedelta(days=days), clock, zone).astimezone(UTC)
