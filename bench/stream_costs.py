"""Processor time per delivered event, side by side: T1, T3, T4, T6, T8."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.figures import say
from bench.stream_bars import Bar, Note, Row
from bench.stream_servers import EACH_AT_ONCE, NOW, all_servers, cost, watchers
from tests.fakes.publisher import Plan

OURS = ("ours", "ours on SQLite")
ALL = ("naive", "bare", "nchan", *OURS)
Ratio = Callable[..., float]
"""Of a scene, one server to another; in a fourth place the scene of the other."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Events at a pace, watched by a hundred."""

    name: str
    plan: Plan
    servers: tuple[str, ...]
    is_coalesced: bool = False

    def query(self, name: str) -> str:
        """What the address of the stream says beside where it is."""
        if name not in OURS:
            return ""
        return NOW if self.is_coalesced else NOW + EACH_AT_ONCE


def scenes(seconds: float) -> Sequence[Scene]:
    """A burst is four events that an agent publishes at once; in `single`, one after another.

    At once means one append here, and four requests in one packet to nchan; one after another, that
    each waits until the one before is accepted, as usual clients do. Each agent publishes eighty
    events a second, as a model does that streams its tokens.
    """
    paced = Plan(seconds, 0.01)
    bursts = Plan(seconds, 0.05, agents=4, batch=4, is_irregular=True)
    single = Plan(seconds, 0.05, agents=4, burst=4, is_irregular=True)
    return (
        Scene("paced", paced, ("naive", "bare", *OURS)),
        Scene("bursts", bursts, ALL),
        Scene("bursts coalesced", bursts, OURS, is_coalesced=True),
        Scene("single", single, ("nchan", *OURS)),
        Scene("single coalesced", single, OURS, is_coalesced=True),
    )


def measure(folder: Path, rounds: int, seconds: float) -> list[Row]:
    """All servers take turns, several rounds; the median of the rounds' ratios counts."""
    costs: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    with all_servers(folder) as servers, watchers() as crowd:
        for server in servers.values():
            cost(server, crowd, Plan(0.3, 0.01), "")
        for number in range(rounds):
            for scene in scenes(seconds):
                for name in servers.keys() & set(scene.servers):
                    used = cost(servers[name], crowd, scene.plan, scene.query(name))
                    costs[scene.name, name].append(used)
                    say(f"round {number + 1}: {scene.name}: {name}: {used:.2f} us an event")
    return _rows(costs)


def _rows(costs: dict[tuple[str, str], list[float]]) -> list[Row]:
    def ratio(scene: str, name: str, other: str, base: str = "") -> float:
        pairs = zip(costs[scene, name], costs[base or scene, other], strict=True)
        return median(used / by_other for used, by_other in pairs)

    rows: list[Row] = [
        Note("naive, 100 watchers, paced", median(costs["paced", "naive"]), "us an event"),
        Note("naive, 4 agents, bursts of 4", median(costs["bursts", "naive"]), "us an event"),
        Bar("T1", "100 watchers, paced, to naive", ratio("paced", "ours", "naive"), 0.6, 0.45),
        Note("T1 with SQLite in the path", ratio("paced", "ours on SQLite", "naive"), ""),
        Bar("T3", "4 agents, bursts of 4, to naive", ratio("bursts", "ours", "naive"), 0.35, 0.22),
        Bar("T3", "with SQLite in it", ratio("bursts", "ours on SQLite", "naive"), 0.35, 0.22),
        Bar("T6", "the same, to bare", ratio("bursts", "ours", "bare"), 2.5, 1.6),
    ]
    if ("bursts", "nchan") not in costs:
        return rows
    return [*rows, *_beside_nchan("bursts", ratio), *_beside_nchan("single", ratio)]


def _beside_nchan(scene: str, ratio: Ratio) -> list[Row]:
    how = {"bursts": "four at once", "single": "one by one"}[scene]
    coalesced = f"{scene} coalesced"
    return [
        Bar("T4", f"to nchan, {how}", ratio(scene, "ours", "nchan"), 1.0, 0.7),
        Note(f"T4 with SQLite, {how}", ratio(scene, "ours on SQLite", "nchan"), ""),
        Bar("T8", f"coalesced, {how}", ratio(coalesced, "ours", "nchan", scene), 0.5, 0.35),
        Note(f"T8 with SQLite, {how}", ratio(coalesced, "ours on SQLite", "nchan", scene), ""),
    ]
