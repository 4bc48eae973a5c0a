"""Latency, memory, slow readers and latecomers: T9, T11, T13, T15."""

import time
from pathlib import Path
from statistics import median

from bench.figures import say
from bench.stream_bars import Bar, Note, Row
from bench.stream_servers import EACH_AT_ONCE, NOW, Server, Watchers, cost, server, watchers
from tests.fakes.publisher import Plan

MEBIBYTE = 1024 * 1024
IDLE = 1000
LATE = 1000
MISSED = 1000


def measure(folder: Path, rounds: int, seconds: float) -> list[Row]:
    """One after the other; each has the machine for itself."""
    return [
        *latency(rounds, seconds),
        *idle_memory(),
        *stalled_reader(folder, rounds, seconds),
        *latecomers(folder),
    ]


def latency(rounds: int, seconds: float) -> list[Row]:
    """Single events with pauses, ten watchers: coalescing must not make them wait."""
    plan = Plan(seconds, 0.05, is_irregular=True)
    with server("ours") as ours, watchers() as crowd:

        def typical(query: str) -> float:
            crowd.connect(ours, 10, NOW + query, latencies=True)
            crowd.until(ours.publish(plan))
            taken = crowd.talk.ask(take_latencies=True)["median"] / 1e6
            crowd.drop()
            return float(taken)

        typical("")
        pairs = [(typical(""), typical(EACH_AT_ONCE)) for _ in range(rounds)]
    coalesced, at_once = (median(values) for values in zip(*pairs, strict=True))
    say(f"latency of single events: {coalesced:.3f} ms coalesced, {at_once:.3f} ms at once")
    return [
        Note("published to received, single events, median", coalesced, "ms"),
        Bar("T9", "latency of single events, coalescing on/off", coalesced / at_once, 1.3, 1.1),
    ]


def idle_memory() -> list[Row]:
    """Resident bytes that a thousand idle connections add."""
    sizes = {}
    for name in ("naive", "ours"):
        with server(name) as idle, watchers() as crowd:
            sizes[name] = _per_connection(idle, crowd)
        say(f"memory of an idle connection: {name}: {sizes[name] / 1024:.1f} KiB")
    return [
        Note("memory of an idle connection", sizes["ours"] / 1024, "KiB"),
        Bar(
            "T11",
            "memory of an idle connection, to naive",
            sizes["ours"] / sizes["naive"],
            0.4,
            0.25,
        ),
    ]


def _per_connection(idle: Server, crowd: Watchers) -> float:
    crowd.connect(idle, 20)
    before = idle.resident_bytes()
    crowd.connect(idle, IDLE)
    time.sleep(1)
    return (idle.resident_bytes() - before) / IDLE


def stalled_reader(folder: Path, rounds: int, seconds: float) -> list[Row]:
    """Nine who read, with and without a tenth who does not, on SQLite."""
    plan = Plan(seconds, 0.01, batch=20)
    alone, beside, growth = [], [], []
    with watchers() as crowd:
        for number in range(rounds):
            with server("ours", str(folder / f"stalled-{number}")) as ours:
                cost(ours, crowd, plan, NOW, 9)
                alone.append(cost(ours, crowd, plan, NOW, 9))
                crowd.connect(ours, 10, NOW, stalled=1)
                before, memory = ours.processor_seconds(), ours.resident_bytes()
                delivered = crowd.until(ours.publish(plan))
                beside.append((ours.processor_seconds() - before) / delivered * 1e6)
                growth.append(ours.resident_bytes() - memory)
                crowd.drop()
            say(f"a stalled reader of ten: {beside[-1]:.2f} us an event, {alone[-1]:.2f} without")
    return [
        Bar("T13", "CPU beside a stalled reader", median(beside) / median(alone), 1.3, 1.1),
        Bar("T13", "growth by it", median(growth) / MEBIBYTE, 10, 5, "MiB"),
    ]


def latecomers(folder: Path) -> list[Row]:
    """A thousand clients come at once to a thousand events on disk, and then all are live."""
    place = str(folder / "late")
    with server("ours", place) as ours:
        ours.publish(Plan(1, 0.1, batch=MISSED // 10))
    with server("ours", place) as ours, watchers() as crowd:
        before, started = ours.processor_seconds(), time.monotonic()
        crowd.connect(ours, LATE)
        crowd.until(MISSED + 1)
        ours.publish(Plan(0.01, 0.01))
        delivered = crowd.until(MISSED + 2)
        seconds, used = time.monotonic() - started, ours.processor_seconds() - before
    say(f"{LATE} latecomers: {seconds:.2f} s, {used / delivered * 1e6:.2f} us an event")
    return [Bar("T15", "1,000 clients, 1,000 missed events, all live", seconds, 6, 2.5, "s")]
