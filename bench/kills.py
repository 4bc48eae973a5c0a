"""kill -9 at random moments, again and again: what is lost, what happens twice?

    python -m bench.kills --kills 200 [--database postgresql] [--seed N]

Two processes work on one database: a server (its kill takes the approval server with it) and a
worker. Each lives for a random time, is killed, and is started again at once. Meanwhile workflows
are started without a pause and readers follow them, reconnecting with their last event id. At the
end every accepted workflow must have ended once, its events must be those that its reader saw,
and each of its plans must have been proposed once.
"""

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory

import httpx

from bench.databases import database_settings
from bench.figures import say
from tests.fakes.servers import (
    RunningProduct,
    product_environment,
    start_process,
    stop,
    wait_until_healthy,
)
from tests.fakes.stream import parse_stream

SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "crash-loop-bad-config.log"
LIFETIME_SECONDS = (0.2, 5.0)
UNREADY_SHARE = 0.2
"""So many are killed while they start; the others live for their time after that."""
START_SECONDS = 120.0
"""The machine may be busy with other work."""
PAUSE_BETWEEN_STARTS_SECONDS = 0.15
END_LIMIT_SECONDS = 240.0
READERS = 8
COMMANDS = {"server": ["serve"], "worker": ["worker"]}


@dataclass
class Traffic:
    """What was accepted, and what its readers saw."""

    url: str
    accepted: list[str] = field(default_factory=list)
    seen: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    to_read: Queue[str | None] = field(default_factory=Queue)
    give_up_at: float = inf
    """While processes are killed nobody can say how long a workflow takes."""

    def start_workflows(self) -> None:
        """One after the other; a lost answer leaves a workflow that nobody reads."""
        body = SAMPLE.read_bytes()
        while not self.is_over.wait(PAUSE_BETWEEN_STARTS_SECONDS):
            with suppress(httpx.HTTPError):
                answer = httpx.post(f"{self.url}/api/v1/workflows/start", content=body, timeout=10)
                if answer.status_code == httpx.codes.ACCEPTED:
                    self.accepted.append(answer.json()["workflow_id"])
                    self.to_read.put(self.accepted[-1])

    def read_workflows(self) -> None:
        """Follow each to its end across every break."""
        while (workflow_id := self.to_read.get()) is not None:
            self.seen[workflow_id] = []
            while not self._is_read(workflow_id):
                if time.monotonic() > self.give_up_at:
                    self.faults.append(f"{workflow_id} did not end")
                    break

    def _is_read(self, workflow_id: str) -> bool:
        seen = self.seen[workflow_id]
        headers = {"Last-Event-ID": str(seen[-1]["id"])} if seen else {}
        address = f"{self.url}/api/v1/workflows/{workflow_id}/stream"
        try:
            with httpx.stream("GET", address, headers=headers, timeout=20) as answer:
                if answer.status_code == httpx.codes.NO_CONTENT:
                    return True
                if answer.status_code != httpx.codes.OK:
                    self.faults.append(f"{workflow_id}: status {answer.status_code}")
                    return True
                for message in parse_stream(answer.iter_lines()):
                    if message.event == "reset":
                        self.faults.append(f"{workflow_id}: reset")
                    else:
                        seen.append(message.data)
        except httpx.HTTPError:
            self.is_over.wait(0.2)
        return bool(seen) and "outcome" in seen[-1]


@dataclass
class Victim:
    """One process that is killed and started again."""

    kind: str
    arguments: Sequence[str]
    root: Path
    environment: dict[str, str]
    chance: random.Random
    is_server: bool
    """Whether it answers requests, for which most of its lives wait."""
    lifetime_seconds: tuple[float, float] = LIFETIME_SECONDS
    kills: int = 0

    def live_and_die(self, kills_left: threading.Semaphore) -> None:
        """Until no kill is left."""
        while kills_left.acquire(blocking=False):
            running = self.start()
            try:
                self._live(running)
            finally:
                running.kill()
            self.kills += 1

    def _live(self, running: RunningProduct) -> None:
        if self.is_server and self.chance.random() > UNREADY_SHARE:
            wait_until_healthy(running, START_SECONDS)
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(self.chance.uniform(*self.lifetime_seconds))
        if running.process.poll() is not None:
            raise AssertionError(f"the {self.kind} ended by itself: {running.printed()}")

    def start(self) -> RunningProduct:
        """Start it without waiting for it."""
        command = [sys.executable, "-m", "app", *self.arguments]
        return start_process(command, self.root / self.kind, self.environment)


def run(kills: int, database: str, seed: int) -> bool:
    """Whether nothing was lost and nothing happened twice; prints what was counted."""
    chance = random.Random(seed)
    with TemporaryDirectory() as folder, database_settings(database) as settings:
        root = Path(folder)
        environment = product_environment(root, {**settings, "MAX_QUEUED_WORKFLOWS": "100000"})
        victims = [
            Victim(
                kind,
                arguments,
                root,
                environment,
                random.Random(chance.random()),
                is_server=kind == "server",
            )
            for kind, arguments in COMMANDS.items()
        ]
        traffic = Traffic(f"http://127.0.0.1:{environment['PORT']}")
        begun = time.monotonic()
        with ExitStack() as stack:
            _kill_under_traffic(victims, traffic, kills)
            final = [victim.start() for victim in victims]
            for product in final:
                stack.callback(stop, product)
            wait_until_healthy(final[0])
            _read_to_the_end(traffic)
            faults = [*traffic.faults, *_faults(traffic, environment)]
        made = sum(victim.kills for victim in victims)
        if made != kills:
            faults.append(f"{made} of {kills} kills: one ended by itself or started too late")
        ended = len(traffic.accepted)
        resumed = sum(_is_resumed(events) for events in traffic.seen.values())
        print(
            f"{database}: seed {seed}, {made} kills in {time.monotonic() - begun:.0f} s, "
            f"{ended} workflows accepted, {resumed} of them "
            f"interrupted and resumed, {sum(map(len, traffic.seen.values()))} events read, "
            f"{len(faults)} faults"
        )
        for fault in faults[:20]:
            print("  ", fault)
        return not faults


def _kill_under_traffic(victims: list[Victim], traffic: Traffic, kills: int) -> None:
    starter = threading.Thread(target=traffic.start_workflows)
    for _ in range(READERS):
        threading.Thread(target=traffic.read_workflows, daemon=True).start()
    starter.start()
    kill_all(victims, kills, lambda: f"{len(traffic.accepted)} workflows")
    traffic.is_over.set()
    starter.join()


def kill_all(victims: Sequence[Victim], kills: int, progress: Callable[[], str]) -> None:
    """Kill them independently of each other, so often in all."""
    kills_left = threading.Semaphore(kills)
    killers = [
        threading.Thread(target=victim.live_and_die, args=(kills_left,)) for victim in victims
    ]
    for killer in killers:
        killer.start()
    while any(killer.is_alive() for killer in killers):
        for killer in killers:
            killer.join(10)
        say(f"{sum(victim.kills for victim in victims)} of {kills} kills, {progress()}")


def _read_to_the_end(traffic: Traffic) -> None:
    for _ in range(READERS):
        traffic.to_read.put(None)
    traffic.give_up_at = time.monotonic() + END_LIMIT_SECONDS
    while any("outcome" not in (events or [{}])[-1] for events in _all_seen(traffic)):
        if time.monotonic() > traffic.give_up_at:
            break
        time.sleep(0.2)


def _all_seen(traffic: Traffic) -> list[list[dict[str, object]]]:
    return [traffic.seen.get(workflow_id, []) for workflow_id in traffic.accepted]


def _faults(traffic: Traffic, environment: dict[str, str]) -> Iterator[str]:
    approvals = _approvals(f"http://127.0.0.1:{environment['APPROVAL_PORT']}")
    for workflow_id in _all_workflows(traffic.url):
        events = _stored(traffic.url, workflow_id)
        yield from _faults_of(workflow_id, events)
        seen = traffic.seen.get(workflow_id)
        if seen is not None and seen != events:
            yield f"{workflow_id}: a reader saw other events than are stored"
        plans = {key: count for key, count in approvals.items() if key[0] == workflow_id}
        if events and len(plans) != events[-1].get("outcome", {}).get("plans"):  # type: ignore[attr-defined]
            yield f"{workflow_id}: {len(plans)} plans proposed"
        if any(count != 1 for count in plans.values()):
            yield f"{workflow_id}: proposed twice"
    for workflow_id in set(traffic.accepted) - set(_all_workflows(traffic.url)):
        yield f"{workflow_id}: accepted and lost"


def _faults_of(workflow_id: str, events: list[dict[str, object]]) -> Iterator[str]:
    if [event["seq"] for event in events] != list(range(1, len(events) + 1)):
        yield f"{workflow_id}: positions with gaps"
    if [("outcome" in event) for event in events].count(True) != 1 or "outcome" not in events[-1]:
        yield f"{workflow_id}: not exactly one terminal event"
    completed = Counter(e["agent_name"] for e in events if e["status"] == "COMPLETED")
    if set(completed.values()) != {1} or len(completed) != 5:
        yield f"{workflow_id}: completed {dict(completed)}, {events[-1]['data']}"
    told = Counter(str(e["data"]) for e in events if e["type"] == "proposal")
    if any(count != 1 for count in told.values()):
        yield f"{workflow_id}: a proposal told twice"


def _stored(url: str, workflow_id: str) -> list[dict[str, object]]:
    with httpx.stream(
        "GET", f"{url}/api/v1/workflows/{workflow_id}/stream", timeout=END_LIMIT_SECONDS
    ) as answer:
        return [message.data for message in parse_stream(answer.iter_lines())]


def _all_workflows(url: str) -> list[str]:
    found: list[str] = []
    cursor: dict[str, int] = {}
    while True:
        parameters = {"limit": 200, **cursor}
        page = httpx.get(f"{url}/api/v1/workflows", params=parameters, timeout=30).json()
        found += [workflow["workflow_id"] for workflow in page["workflows"]]
        if page["next"] is None:
            return found
        cursor = {"before": page["next"]}


def _approvals(url: str) -> Counter[tuple[str, str]]:
    rows = httpx.get(f"{url}/api/approvals/pending", timeout=60).json()["approvals"]
    return Counter(
        (
            row["metadata"]["workflow_id"],
            json.dumps([row["action"], [one["command"] for one in row["commands"]]]),
        )
        for row in rows
    )


def _is_resumed(events: list[dict[str, object]]) -> bool:
    return any("resumed where it was interrupted" in str(event["data"]) for event in events)


def main() -> None:
    """Exit code 1 when something was lost or happened twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    sys.exit(0 if run(options.kills, options.database, options.seed) else 1)


if __name__ == "__main__":
    main()
