"""Whether Python and the packages are there; imports nothing that may be missing."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

OLDEST_PYTHON = (3, 11)
REPOSITORY = Path(__file__).resolve().parents[2]
REQUIREMENTS = REPOSITORY / "requirements.txt"
INSTALL = "run ./run.sh (on Windows: run.bat), which installs what is missing"

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?P<marker>\s*;)?")


class Outcome(StrEnum):
    """A warning is worth reading but stops nothing."""

    OK = "ok"
    WARNING = "warn"
    FAILED = "FAIL"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report: what was seen, and what to do about it."""

    outcome: Outcome
    seen: str
    fix: str = ""

    def __str__(self) -> str:
        """The line as it is printed."""
        fix = f" -> {self.fix}" if self.fix else ""
        return f"{self.outcome:<4}  {self.seen}{fix}"


def check_python() -> Check:
    """Whether this Python is new enough."""
    seen = f"Python {sys.version.split()[0]}"
    if sys.version_info[:2] >= OLDEST_PYTHON:
        return Check(Outcome.OK, seen)
    return Check(Outcome.FAILED, f"{seen} is too old", "install Python 3.11 or newer")


def check_packages(requirements: Path = REQUIREMENTS) -> Check:
    """Whether every pinned package is installed in its pinned version."""
    pins = [match for match in map(_PIN.match, requirements.read_text().splitlines()) if match]
    wrong = list(_wrong_packages(pins))
    if not wrong:
        return Check(Outcome.OK, f"{len(pins)} packages, all as in {requirements.name}")
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    return Check(Outcome.FAILED, f"packages: {', '.join(wrong[:3])}{more}", INSTALL)


def _wrong_packages(pins: list[re.Match[str]]) -> Iterator[str]:
    for pin in pins:
        try:
            installed = metadata.version(pin["name"])
        except metadata.PackageNotFoundError:
            # A package with a condition may be for other systems only.
            if not pin["marker"]:
                yield f"{pin['name']} is missing"
            continue
        if installed != pin["version"]:
            yield f"{pin['name']} is {installed} instead of {pin['version']}"
