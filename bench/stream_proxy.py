"""Through a stock nginx that compresses everything: is each event there at once, does idling last?"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from statistics import median

from bench.figures import say
from bench.stream_bars import Bar, Note, Row
from bench.stream_servers import NOW, SETTLE_SECONDS, server, watchers
from tests.fakes.nginx import PROGRAM, proxy_to, running_nginx
from tests.fakes.publisher import Plan
from tests.fakes.sse_reader import Dispatched, opened


def latency(folder: Path, seconds: float) -> list[Row]:
    """Events one by one through the proxy, to a client that takes compression."""
    if PROGRAM is None:
        return []
    plan = Plan(seconds, 0.1, is_irregular=True)
    with server("ours") as ours, running_nginx(folder / "nginx", proxy_to(ours.port)) as nginx:
        with opened(nginx.port, ours.path + NOW, {"accept-encoding": "gzip"}) as answer:
            time.sleep(SETTLE_SECONDS)
            ours.talk.tell(publish=plan.said())
            taken = [_age(event) for event in islice(answer.events(), plan.events)]
        ours.talk.hear()
    say(f"through nginx: {median(taken):.2f} ms, worst {max(taken):.2f} ms")
    return [
        Note("through nginx with gzip, median", median(taken), "ms"),
        Bar("", "through nginx with gzip, slowest event", max(taken), 200, 50, "ms"),
    ]


def _age(event: Dispatched) -> float:
    """Milliseconds since it was published."""
    stamp = json.loads(event.data)["data"].removeprefix("t=")
    return (time.monotonic_ns() - int(stamp)) / 1e6


@contextmanager
def idle_connection(folder: Path, seconds: float) -> Iterator[Callable[[], list[Row]]]:
    """Opened now; asked at the end, after so many seconds, whether it still delivers."""
    if PROGRAM is None:
        yield list
        return
    with (
        server("ours") as ours,
        running_nginx(folder / "idle", proxy_to(ours.port)) as nginx,
        watchers() as crowd,
    ):
        crowd.talk.ask(connect=1, port=nginx.port, path=ours.path + NOW)
        started = time.monotonic()

        def check() -> list[Row]:
            say(f"waiting until a connection has idled for {seconds:.0f} s")
            time.sleep(max(0.0, started + seconds - time.monotonic()))
            lost = crowd.talk.ask(count=True)["lost"]
            ours.publish(Plan(0.01, 0.01))
            time.sleep(1)
            answered = crowd.talk.ask(count=True)
            trouble = lost + answered["lost"] + (answered["events"] != 1)
            return [Bar("", f"{seconds:.0f} s idle through nginx: lost", trouble, 0, 0)]

        yield check
