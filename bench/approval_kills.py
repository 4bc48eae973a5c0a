"""kill -9 from proposal to report, again and again: what is lost, what happens twice?

    python -m bench.approval_kills --kills 50 [--database postgresql] [--seed N]

A backend and an approval server (two of them on PostgreSQL) with real kubectl and a stand-in for
the cluster; each lives for a random time, is killed, and is started again at once. Meanwhile
workflows are started, proposals come from elsewhere, somebody changes objects before and after
decisions and undos, and several people decide, edit, reject and take back, trying again after every
lost answer. At the end the desk, the cluster, the backend and the audit trail must all tell what was
acknowledged, once; nothing that was void has run, and no undo has overwritten what others did.
"""

import argparse
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from bench.approval_faults import all_approvals, faults_of, is_over
from bench.approval_traffic import DeskTraffic, View
from bench.databases import database_settings
from bench.figures import say
from bench.kills import START_SECONDS, Victim, kill_all
from tests.fakes.kube_api import open_kube_api
from tests.fakes.servers import free_port, product_environment, stop, wait_until_healthy

END_LIMIT_SECONDS = 600.0
LOOK_SECONDS = 1.0
LIFETIME_SECONDS = (0.2, 12.0)
"""Long enough for some to decide, run, measure and take back."""
DECIDERS = ("Ada", "Bo", "Chen")
QUICK = {
    "VERIFY_AFTER_SECONDS": "0.3",
    "VERIFY_TIMEOUT_SECONDS": "3",
    "COMMAND_TIMEOUT_SECONDS": "20",
    "MAX_QUEUED_WORKFLOWS": "100000",
}


def run(kills: int, database: str, seed: int) -> bool:
    """Whether nothing was lost and nothing happened twice; prints what was counted."""
    chance = random.Random(seed)
    begun = time.monotonic()
    with ExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory()))
        api = stack.enter_context(open_kube_api())
        settings = {
            **stack.enter_context(database_settings(database)),
            **QUICK,
            "KUBECONFIG": str(api.write_kubeconfig(root / "kubeconfig")),
        }
        servers = 1 if database == "sqlite" else 2
        backend, *desks = _victims(root, settings, servers, chance)
        addresses = [f"http://127.0.0.1:{desk.environment['PORT']}" for desk in desks]
        traffic = DeskTraffic(
            f"http://127.0.0.1:{backend.environment['PORT']}", addresses, api, chance
        )
        with _people(traffic):
            kill_all([backend, *desks], kills, lambda: _progress(traffic))
            for product in [victim.start() for victim in (backend, *desks)]:
                stack.callback(stop, product)
                wait_until_healthy(product, START_SECONDS)
        _wait_for_the_end(traffic)
        approvals = all_approvals(addresses[0])
        faults = [*traffic.faults, *faults_of(traffic, approvals), *_of_audit(desks)]
        made = sum(victim.kills for victim in (backend, *desks))
        if made != kills:
            faults.append(f"{made} of {kills} kills: one ended by itself or started too late")
    print(f"{database}: seed {seed}, {made} kills in {time.monotonic() - begun:.0f} s")
    print(_counts(traffic, approvals))
    print(f"{len(faults)} faults")
    for fault in faults[:20]:
        print("  ", fault)
    return not faults


def _victims(
    root: Path, settings: Mapping[str, str], servers: int, chance: random.Random
) -> list[Victim]:
    """The backend, then the approval servers, which report to it and to which it proposes."""
    ports = [str(free_port()) for _ in range(servers + 1)]
    webhook = f"http://127.0.0.1:{ports[0]}/api/v1/feedback/mcp-approval"
    victims = []
    for number, port in enumerate(ports):
        kind = f"desk-{number}" if number else "backend"
        environment = product_environment(
            root / kind,
            {
                **settings,
                # Whoever waits for a process asks at PORT: an approval server has one port.
                "PORT": port,
                "APPROVAL_PORT": port if number else str(free_port()),
                "MCP_SERVER_URL": f"http://127.0.0.1:{ports[1]}",
                "BACKEND_WEBHOOK_URL": webhook,
            },
        )
        arguments = ["approval-server"] if number else ["serve"]
        own_chance = random.Random(chance.random())
        victims.append(
            Victim(
                kind,
                arguments,
                root,
                environment,
                own_chance,
                is_server=True,
                lifetime_seconds=LIFETIME_SECONDS,
            )
        )
    return victims


@contextmanager
def _people(traffic: DeskTraffic) -> Iterator[None]:
    """Everybody at work, until left."""
    work = [
        threading.Thread(target=traffic.start_workflows),
        threading.Thread(target=traffic.propose),
        *(threading.Thread(target=traffic.decide, args=(name,)) for name in DECIDERS),
    ]
    for each in work:
        each.start()
    try:
        yield
    finally:
        traffic.is_over.set()
        for each in work:
            each.join()


def _wait_for_the_end(traffic: DeskTraffic) -> None:
    """What waits is decided; everything that was begun comes to its end and is reported."""
    deadline = time.monotonic() + END_LIMIT_SECONDS
    while time.monotonic() < deadline and not _is_at_its_end(traffic):
        for number, view in enumerate(traffic.list("/api/approvals/pending")):
            traffic.decide_one(view, f"Dora-{int(deadline)}-{number}-{view['id'][:8]}")
        traffic.take_back("Dora")
        say(_progress(traffic))
        time.sleep(LOOK_SECONDS)


def _is_at_its_end(traffic: DeskTraffic) -> bool:
    approvals = all_approvals(traffic.desks[0])
    return all(map(is_over, approvals.values())) and all(
        _is_concluded(traffic.backend, workflow_id) for workflow_id in traffic.workflows
    )


def _is_concluded(backend: str, workflow_id: str) -> bool:
    address = f"{backend}/api/v1/workflows/{workflow_id}"
    return bool(httpx.get(address, timeout=60).json()["result"].get("outcome"))


def _of_audit(desks: Sequence[Victim]) -> Iterator[str]:
    for desk in desks:
        verified = subprocess.run(
            [sys.executable, "-m", "app", "audit", "verify"],
            cwd=desk.root / desk.kind,
            env=desk.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        say(verified.stdout)
        if verified.returncode != 0:
            yield f"{desk.kind}: audit verify: {verified.stdout} {verified.stderr}"


def _progress(traffic: DeskTraffic) -> str:
    return (
        f"{len(traffic.workflows)} workflows, {len(traffic.proposals)} other proposals, "
        f"{len(traffic.decisions)} decisions, {len(traffic.faults)} faults"
    )


def _counts(traffic: DeskTraffic, approvals: Mapping[str, View]) -> str:
    views = approvals.values()
    ends = Counter(command["status"] for view in views for command in view["commands"])
    statuses = Counter(view["status"] for view in views)
    undos = Counter(
        command["undo_status"]
        for view in views
        for command in view["commands"]
        if command["undo_status"]
    )
    return (
        f"{len(traffic.workflows)} workflows and {len(traffic.proposals)} other proposals accepted, "
        f"{traffic.retries} requests tried again; {len(views)} approvals: {_listed(statuses)}; "
        f"{traffic.voids} decisions void, {sum(view['round'] > 1 for view in views)} requests asked "
        f"again after one; {len(traffic.undone)} undos begun, {traffic.doubts} to be confirmed; "
        f"commands: {_listed(ends)}; undos of commands: {_listed(undos)}"
    )


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counted.items()))


def main() -> None:
    """Exit code 1 when something was lost or happened twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    sys.exit(0 if run(options.kills, options.database, options.seed) else 1)


if __name__ == "__main__":
    main()
