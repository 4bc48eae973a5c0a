"""The servers that are compared, each in a process of its own, and what they use."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import say
from tests.fakes.nginx import NCHAN, PROGRAM
from tests.fakes.publisher import Plan
from tests.fakes.talk import Child, child

OURS = "tests.fakes.stream_server"
SETTLE_SECONDS = 0.1
"""A stream from now on begins where the log ends a moment after its first byte."""
NOW = "?from=now"
EACH_AT_ONCE = "&flush_ms=0"


@dataclass(frozen=True, slots=True)
class Server:
    """One of them."""

    name: str
    talk: Child

    @property
    def pids(self) -> list[int]:
        """The processes that count."""
        pids: list[int] = self.talk.ready.get("pids", [self.talk.process.pid])
        return pids

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.talk.ready["port"])

    @property
    def path(self) -> str:
        """Where its stream is."""
        return str(self.talk.ready["path"])

    def processor_seconds(self) -> float:
        """User and system time so far."""
        # The kernel makes a process' clock out of its number like this (clock_getcpuclockid).
        return sum(time.clock_gettime((~pid << 3) | 2) for pid in self.pids)

    def resident_bytes(self) -> int:
        """Memory that is in use now."""
        return sum(resident_bytes(pid) for pid in self.pids)

    def publish(self, plan: Plan) -> int:
        """Carry it out; returns how many events it were."""
        return int(self.talk.ask(publish=plan.said())["published"])


def resident_bytes(pid: int) -> int:
    """From the kernel."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def open_files(pid: int) -> int:
    """How many descriptors a process has."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@contextmanager
def server(name: str, *arguments: str) -> Iterator[Server]:
    """The product's own when the name begins so; otherwise one of the others."""
    module = OURS if name.startswith("ours") else f"bench.stream_{name}"
    with child(module, *arguments) as talk:
        yield Server(name, talk)


@contextmanager
def all_servers(folder: Path) -> Iterator[dict[str, Server]]:
    """Every server of the comparison; nchan where it is installed."""
    with ExitStack() as running:
        servers = {
            "naive": running.enter_context(server("naive")),
            "bare": running.enter_context(server("bare")),
            "ours": running.enter_context(server("ours")),
            "ours on SQLite": running.enter_context(server("ours", str(folder / "compared"))),
        }
        if PROGRAM and NCHAN.exists():
            servers["nchan"] = running.enter_context(server("nchan"))
        else:
            say("nchan is not installed; the bars against it are left out")
        yield servers


@dataclass(frozen=True, slots=True)
class Watchers:
    """The process with the clients."""

    talk: Child

    def connect(self, to: Server, count: int, query: str = "", **how: object) -> None:
        """Open so many streams and wait for the first byte of each."""
        self.talk.ask(connect=count, port=to.port, path=to.path + query, **how)
        time.sleep(SETTLE_SECONDS)

    def until(self, events: int) -> int:
        """Wait until each has so many events; returns how many they are together."""
        return int(self.talk.ask(until=events)["events"])

    def drop(self) -> None:
        """Close all."""
        self.talk.ask(drop=True)


@contextmanager
def watchers() -> Iterator[Watchers]:
    """One process of them."""
    with child("bench.stream_watchers") as talk:
        yield Watchers(talk)


def cost(to: Server, crowd: Watchers, plan: Plan, query: str, count: int = 100) -> float:
    """Microseconds of processor time per delivered event."""
    crowd.connect(to, count, query)
    before = to.processor_seconds()
    delivered = crowd.until(to.publish(plan))
    used = to.processor_seconds() - before
    crowd.drop()
    time.sleep(SETTLE_SECONDS)
    return used / delivered * 1e6
