"""How long a decision takes to the backend, and what the desk takes when 10,000 requests wait.

python -m bench.approvals [--pending 10000] [--database postgresql]
"""

import argparse
import asyncio
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.figures import Figure, percentile, say
from bench.kills import database_settings
from tests.fakes.approval_process import COMMAND
from tests.fakes.approvals import payload
from tests.fakes.kube_api import open_kube_api
from tests.fakes.servers import answers, product_environment, start_process, stop
from tests.fakes.waiting import wait_until
from tests.fakes.webhook_receiver import webhook_receiver

DECISIONS = 200
PENDING = 10_000
PAGE = 50
LOOKS = 30
AT_ONCE = 8
DECIDERS = 50
BAR_SECONDS = 0.2
LONGEST_SECONDS = 60


def measure(pending: int, database: str) -> list[Figure]:
    """Decisions with nothing else waiting, then everything with the desk full."""
    figures = _decisions("no cluster", database, is_with_cluster=False)
    figures += _decisions("a cluster looked at", database, is_with_cluster=True)
    with _desk(database) as desk:
        say(f"approvals: {pending} proposals")
        asyncio.run(_fill(str(desk.base_url), pending))
        figures += _pages(desk, pending)
        figures.append(_all_at_once(str(desk.base_url), _propose(desk)))
    return figures


def _decisions(where: str, database: str, *, is_with_cluster: bool) -> list[Figure]:
    """From sending the decision until the backend has heard of it."""
    say(f"approvals: {DECISIONS} decisions, {where}")
    seconds = []
    with ExitStack() as stack:
        receiver = stack.enter_context(webhook_receiver())
        settings = {"BACKEND_WEBHOOK_URL": receiver.url}
        if is_with_cluster:
            api = stack.enter_context(open_kube_api())
            folder = Path(stack.enter_context(TemporaryDirectory()))
            # The objects are looked at before each decision; what runs afterwards would disturb.
            settings["COMMAND_MODE"] = "suggest"
            settings["KUBECONFIG"] = str(api.write_kubeconfig(folder / "kubeconfig"))
        desk = stack.enter_context(_desk(database, **settings))
        for _ in range(DECISIONS):
            approval_id = _propose(desk, is_shown=is_with_cluster)
            begun = time.perf_counter()
            desk.post(f"/api/approvals/{approval_id}/approve").raise_for_status()
            receiver.wait_for_id(f"decided_{approval_id}_1", LONGEST_SECONDS)
            seconds.append(time.perf_counter() - begun)
    return [
        Figure(f"decision to the backend, {where}, median", percentile(seconds, 0.5) * 1000, "ms"),
        Figure(f"decision to the backend, {where}, p99", percentile(seconds, 0.99) * 1000, "ms"),
    ]


def _pages(desk: httpx.Client, pending: int) -> list[Figure]:
    """What a reviewer's page asks for; the list without pages is for old clients."""
    cursor = str(desk.get("/api/approvals/pending", params={"limit": PAGE}).json()["next"])
    middle = desk.get("/api/approvals", params={"limit": PAGE}).json()["approvals"][-1]["id"]
    asked = {
        f"first page of {pending:,} pending": f"/api/approvals/pending?limit={PAGE}",
        "the next page": f"/api/approvals/pending?limit={PAGE}&after={cursor}",
        "newest page of all": f"/api/approvals?limit={PAGE}",
        "the page itself": "/",
        "one request": f"/api/approvals/{middle}",
    }
    figures = []
    for meaning, path in asked.items():
        seconds = _median(desk, path, LOOKS)
        assert seconds < BAR_SECONDS, f"{meaning}: {seconds * 1000:.0f} ms"
        figures.append(Figure(f"{meaning}, median", seconds * 1000, "ms"))
    whole = _median(desk, "/api/approvals/pending", 3)
    return [*figures, Figure(f"all {pending:,} pending at once", whole * 1000, "ms")]


def _median(desk: httpx.Client, path: str, times: int) -> float:
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        desk.get(path).raise_for_status()
        seconds.append(time.perf_counter() - begun)
    return percentile(seconds, 0.5)


def _all_at_once(url: str, approval_id: str) -> Figure:
    """Everybody decides the same request; one wins, and the others are told who."""

    async def decide(client: httpx.AsyncClient, number: int) -> httpx.Response:
        body = {"reviewer": f"reviewer {number}"}
        return await client.post(f"/api/approvals/{approval_id}/approve", json=body)

    async def decide_all() -> tuple[float, list[httpx.Response]]:
        async with _client(url, DECIDERS) as client:
            begun = time.perf_counter()
            told = await asyncio.gather(*(decide(client, number) for number in range(DECIDERS)))
            return time.perf_counter() - begun, [*told]

    seconds, told = asyncio.run(decide_all())
    lost = [answer for answer in told if answer.status_code == httpx.codes.NOT_FOUND]
    assert len(lost) == DECIDERS - 1, [answer.status_code for answer in told]
    assert len({answer.json()["reviewer"] for answer in lost}) == 1
    return Figure(f"{DECIDERS} decisions at once on one request, one wins", seconds * 1000, "ms")


async def _fill(url: str, pending: int) -> None:
    left = iter(range(pending))

    async def propose_some() -> None:
        for number in left:
            headers = {"Idempotency-Key": f"key-{number}"}
            answer = await client.post("/api/approvals/propose", json=payload(), headers=headers)
            answer.raise_for_status()

    async with _client(url, AT_ONCE) as client, asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(propose_some())


def _client(url: str, at_once: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=at_once)
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=LONGEST_SECONDS, limits=limits)


def _propose(desk: httpx.Client, *, is_shown: bool = False) -> str:
    """A request, once its cards are filled in where there is a cluster."""
    answer = desk.post("/api/approvals/propose", json=payload()).raise_for_status()
    approval_id = str(answer.json()["approval_id"])
    address = f"/api/approvals/{approval_id}"
    if is_shown:
        wait_until(lambda: all(one["proof"] for one in desk.get(address).json()["commands"]))
    return approval_id


@contextmanager
def _desk(database: str, **settings: str) -> Iterator[httpx.Client]:
    """An approval server by itself."""
    with TemporaryDirectory() as folder, database_settings(database) as where:
        environment = product_environment(Path(folder), {**where, **settings})
        product = start_process(COMMAND, Path(folder), environment)
        try:
            wait_until(lambda: answers(product.approval_port))
            with httpx.Client(
                base_url=product.approval_url, trust_env=False, timeout=LONGEST_SECONDS
            ) as client:
                yield client
        finally:
            stop(product)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pending", type=int, default=PENDING)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    options = parser.parse_args()
    for figure in measure(options.pending, options.database):
        print(f"{figure.meaning:<58} {figure}")


if __name__ == "__main__":
    main()
