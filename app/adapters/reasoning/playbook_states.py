"""How the pods of status tables and describe pages stand: the last word on each of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import re2

from app.domain.logbatch import Line

_READY = re2.compile(r"^(\d+)/(\d+)$")
_AGO = re2.compile(r" \([^)]{1,20} ago\)")
_NAME = re2.compile(r"^Name:\s+(\S+)")
_WAITING = re2.compile(
    r"^\s+Reason:\s+(OOMKilled|CrashLoopBackOff|ImagePullBackOff|ErrImagePull|Create\w+Error|RunContainerError)\b"
)
_BACK_OFF = re2.compile(r"Back-off restarting failed container\b(?:.*\bin pod ([-a-z0-9.]+)_)?")
_STOPPING = re2.compile(r"\bKilling\b.*\bpod/([-a-z0-9.]+)\b.*\bStopping container\b")

_WELL = frozenset({"Running", "Completed", "Succeeded"})
_PASSING = frozenset({"ContainerCreating", "PodInitializing", "Terminating"})
_YOUNG = re2.compile(r"^\d{1,2}s$")


@dataclass(frozen=True, slots=True)
class State:
    """What one line says about one pod."""

    pod: str
    number: int
    is_well: bool
    is_steady: bool = False
    """Well, and never restarted."""


@dataclass(frozen=True, slots=True)
class States:
    """The last state of every pod that a table, a page or a back-off event names."""

    last: dict[str, State]
    stopped: frozenset[str] = frozenset()
    """Pods that were told to stop, as every rollout does."""

    @property
    def is_bad(self) -> bool:
        """Whether some pod was left in a bad state."""
        return any(not state.is_well for state in self.last.values())

    def is_well_after(self, pod: str, number: int, *, is_steady: bool = False) -> bool:
        """Whether a pod was seen ready after a line, or was on its way out."""
        state = self.last.get(pod)
        if state is None or not state.is_well or state.number <= number:
            return pod in self.stopped
        return state.is_steady or not is_steady


def read_states(lines: Sequence[Line]) -> States:
    """Every statement in order; a later one about the same pod replaces the earlier one."""
    last: dict[str, State] = {}
    for state in _statements(lines):
        last[state.pod] = state
        if state.is_well:
            last.pop("", None)
    stopped = (_STOPPING.search(line.text) for line in lines if "Stopping" in line.text)
    return States(last, frozenset(str(found.group(1)) for found in stopped if found))


def _statements(lines: Sequence[Line]) -> Iterator[State]:
    page = ""
    for line in lines:
        text = line.text
        if name := _NAME.match(text):
            page = str(name.group(1))
        elif _WAITING.match(text):
            yield State(page, line.number, is_well=False)
        elif back_off := _BACK_OFF.search(text) if "Back-off" in text else None:
            yield State(str(back_off.group(1) or page), line.number, is_well=False)
        elif (state := _row(line)) is not None:
            yield state


def _row(line: Line) -> State | None:
    """A row of `kubectl get pods`, with or without its namespace in front."""
    cells = _AGO.sub("", line.text[:400]).split()
    for place in (1, 2):
        ready = _READY.match(cells[place]) if len(cells) > place + 2 else None
        if ready is None or not cells[place + 2].isdigit():
            continue
        pod, status = cells[place - 1].removeprefix("pod/"), cells[place + 1]
        is_complete = ready.group(1) == ready.group(2) or status in {"Completed", "Succeeded"}
        is_starting = status in _PASSING or (status in _WELL and _is_young(cells))
        is_well = (is_complete and status in _WELL) or is_starting
        return State(pod, line.number, is_well, is_steady=is_well and cells[place + 2] == "0")
    return None


def _is_young(cells: Sequence[str]) -> bool:
    """A pod of some seconds may still become ready."""
    return any(_YOUNG.match(cell) for cell in cells[4:6])
