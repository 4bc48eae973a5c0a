"""What a measurement of the stream must reach, and how it is shown."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from os import cpu_count
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Bar:
    """One measured value with the most it may be; ratios have no unit."""

    name: str
    meaning: str
    value: float
    must: float
    aim: float
    unit: str = ""

    @property
    def verdict(self) -> str:
        """How far it got."""
        if self.value > self.must:
            return "**missed**"
        return "aim" if self.value <= self.aim else "passed"

    def __str__(self) -> str:
        cells = (self.name, self.meaning, *map(self._shown, (self.value, self.must, self.aim)))
        return f"| {' | '.join(cells)} | {self.verdict} |"

    def _shown(self, value: float) -> str:
        digits = 0 if value == int(value) else 2 if value < 10 else 1
        return f"{value:.{digits}f} {self.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Note:
    """A value that explains others; nothing is asked of it."""

    meaning: str
    value: float
    unit: str

    def __str__(self) -> str:
        return f"| | {self.meaning} | {self.value:.2f} {self.unit} | | | |"


Row = Bar | Note


def bar_table(rows: Sequence[Row]) -> str:
    """A Markdown table with date and machine."""
    head = f"Measured on {datetime.now(UTC):%Y-%m-%d}, {_machine()}:"
    titles = "| | Stream | Measured | Must be at most | Aim | |"
    return "\n".join([head, "", titles, "|---|---|---|---|---|---|", *map(str, rows)])


def _machine() -> str:
    cores = f"{cpu_count()} cores"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cores += f" ({line.partition(':')[2].strip()})"
            break
    return f"{cores}, Python {platform.python_version()}, {platform.system()}"
