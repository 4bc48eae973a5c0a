"""Lengths of time as kubectl reads them (Go's `time.ParseDuration`), without a sign (pure)."""

import re
from collections.abc import Sequence

_DURATION = re.compile(r"\d{1,9}|(?:\d{1,9}(?:\.\d{1,9})?(?:ms|h|m|s))+", re.ASCII)
_DURATION_PART = re.compile(r"([\d.]+)([a-z]*)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001, "": 1.0}
_WAIT = "--timeout="


def seconds_of(text: str) -> float | None:
    """A bare number is seconds; None for what is no length of time."""
    if not _DURATION.fullmatch(text):
        return None
    parts = _DURATION_PART.findall(text)
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def stated_wait(argv: Sequence[str]) -> float:
    """How long a command says that it waits, in seconds; 0 where it does not say."""
    words = argv[: argv.index("--")] if "--" in argv else argv
    waits = [seconds_of(word.removeprefix(_WAIT)) for word in words if word.startswith(_WAIT)]
    return max((seconds for seconds in waits if seconds is not None), default=0.0)
