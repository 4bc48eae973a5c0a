"""Two approval servers on one database, killed again and again: each thing happens once."""

import os
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.fakes.approval_process import ApprovalHost, propose, statuses
from tests.fakes.approvals import RESTART, SCALE
from tests.fakes.postgres import Postgres
from tests.fakes.servers import RunningProduct
from tests.fakes.waiting import wait_until
from tests.fakes.webhook_receiver import WebhookReceiver, webhook_receiver

ROUNDS = 3
REQUESTS = 5
END = {"succeeded", "failed", "unknown", "skipped"}

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for kubectl is a script"),
]


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with webhook_receiver() as receiver:
        yield receiver


class Pair:
    """Two hosts, each with a server on the one database."""

    def __init__(self, folder: Path, kubectl: str, **settings: str) -> None:
        """Nothing is started."""
        self.stack = ExitStack()
        self._settings = settings
        self.hosts = [self._host(folder / name, kubectl) for name in ("one", "other")]

    def start(self, number: int) -> tuple[RunningProduct, httpx.Client]:
        """Start a server, or start it again."""
        return self.hosts[number].start(**self._settings)

    def ran(self) -> str:
        """What either of them ran."""
        return "".join(host.ran.read_text() for host in self.hosts)

    def has_run(self, count: int) -> bool:
        """Whether they started so many commands."""
        return len(self.ran().splitlines()) >= count

    def _host(self, folder: Path, kubectl: str) -> ApprovalHost:
        folder.mkdir()
        return ApprovalHost(folder, self.stack, kubectl)


def test_what_a_killed_server_was_running_is_told_by_the_other(
    tmp_path: Path, postgres_url: str, receiver: WebhookReceiver
):
    pid = tmp_path / "pid.txt"
    os.mkfifo(tmp_path / "never")
    kubectl = f"echo $$ > {pid}; exec cat {tmp_path / 'never'}"
    pair = Pair(tmp_path, kubectl, DATABASE_URL=postgres_url, BACKEND_WEBHOOK_URL=receiver.url)
    with pair.stack:
        _, living = pair.start(0)
        doomed, client = pair.start(1)
        approval_id = propose(living, RESTART, SCALE)
        assert client.post(f"/api/approvals/{approval_id}/approve").status_code == 200
        wait_until(lambda: pid.exists() and pid.read_text())

        before = statuses(living, approval_id)
        doomed.kill()
        with suppress(ProcessLookupError):
            os.kill(int(pid.read_text()), signal.SIGKILL)
        webhook = receiver.wait_for_one_of("executed").json

        assert before == ["executing", "waiting"]
        assert statuses(living, approval_id) == ["unknown", "skipped"]
        assert [command["status"] for command in webhook["commands"]] == ["unknown", "skipped"]
        assert len(pair.ran().splitlines()) == 1
        assert living.post(f"/api/approvals/{approval_id}/approve").status_code == 404


def test_a_server_that_was_paused_for_too_long_changes_nothing_that_was_told(
    tmp_path: Path, postgres_url: str, receiver: WebhookReceiver
):
    go_on = tmp_path / "go-on"
    os.mkfifo(go_on)
    settings = {"DATABASE_URL": postgres_url, "BACKEND_WEBHOOK_URL": receiver.url}
    pair = Pair(tmp_path, f"read line < {go_on}", **settings)
    with pair.stack:
        _, living = pair.start(0)
        paused, client = pair.start(1)
        approval_id = propose(client, RESTART, SCALE)
        client.post(f"/api/approvals/{approval_id}/approve")
        wait_until(partial(pair.has_run, 1))

        paused.process.send_signal(signal.SIGSTOP)
        receiver.wait_for_one_of("executed")
        paused.process.send_signal(signal.SIGCONT)
        go_on.write_text("\n")
        later = propose(client, RESTART)
        client.post(f"/api/approvals/{later}/approve")
        wait_until(partial(pair.has_run, 2))
        go_on.write_text("\n")
        wait_until(lambda: statuses(living, later) == ["succeeded"])

        assert statuses(client, approval_id) == ["unknown", "skipped"]
        assert len(pair.ran().splitlines()) == 2
        wait_until(lambda: len(receiver.of("executed")) == 2)
        told = [webhook.json["approval_id"] for webhook in receiver.of("executed")]
        assert told == [approval_id, later]


def test_two_servers_never_change_one_object_at_the_same_time(
    tmp_path: Path, postgres_url: str, receiver: WebhookReceiver
):
    changing = tmp_path / "changing.txt"
    kubectl = f"echo begun >> {changing}; sleep 0.3; echo ended >> {changing}"
    pair = Pair(tmp_path, kubectl, DATABASE_URL=postgres_url, BACKEND_WEBHOOK_URL=receiver.url)
    with pair.stack:
        clients = [pair.start(number)[1] for number in (0, 1)]
        ids = [propose(clients[number % 2], RESTART) for number in range(6)]

        for number, approval_id in enumerate(ids):
            clients[number % 2].post(f"/api/approvals/{approval_id}/approve")
        wait_until(lambda: len(receiver.of("executed")) == len(ids))

        assert changing.read_text().split() == ["begun", "ended"] * len(ids)
        assert {statuses(clients[0], approval_id)[0] for approval_id in ids} == {"succeeded"}


def test_what_a_command_came_to_while_the_database_was_away_is_not_lost(
    tmp_path: Path, postgres: Postgres, postgres_url: str, receiver: WebhookReceiver
):
    go_on = tmp_path / "go-on"
    os.mkfifo(go_on)
    settings = {"DATABASE_URL": postgres_url, "BACKEND_WEBHOOK_URL": receiver.url}
    pair = Pair(tmp_path, f"read line < {go_on}; echo it went well", **settings)
    with pair.stack:
        _, client = pair.start(0)
        approval_id = propose(client, RESTART)
        client.post(f"/api/approvals/{approval_id}/approve")
        wait_until(partial(pair.has_run, 1))

        postgres.stop()
        go_on.write_text("\n")
        wait_until(lambda: client.get("/api/approvals/pending").status_code == 503)
        postgres.start()
        webhook = receiver.wait_for_one_of("executed")

        (command,) = webhook.json["commands"]
        assert (command["status"], command["output"]) == ("succeeded", "it went well\n")
        assert len(pair.ran().splitlines()) == 1


def test_across_kills_of_both_nothing_is_lost_and_nothing_runs_twice(
    tmp_path: Path, postgres_url: str, receiver: WebhookReceiver
):
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    settings = {"DATABASE_URL": postgres_url, "BACKEND_WEBHOOK_URL": receiver.url}
    pair = Pair(tmp_path, "sleep 0.05", **settings)
    decided: dict[str, str] = {}

    def all_are_told() -> bool:
        told = {webhook.json["approval_id"] for webhook in receiver.of("executed")}
        return told == set(decided)

    def has_come(count: int) -> bool:
        return pair.has_run(count) or all_are_told()

    with pair.stack:
        running = [pair.start(0), pair.start(1)]
        for attempt in range(ROUNDS):
            for number in range(REQUESTS):
                name = f"run-{attempt}-{number}"
                _, proposer = chance.choice(running)
                _, decider = chance.choice(running)
                approval_id = propose(proposer, RESTART.replace("checkout", name))
                answer = decider.post(f"/api/approvals/{approval_id}/approve")
                assert answer.status_code == 200
                decided[approval_id] = name
            count = len(pair.ran().splitlines()) + chance.randrange(3)
            wait_until(partial(has_come, count))
            killed = chance.randrange(2)
            running[killed][0].kill()
            running[killed] = pair.start(killed)
        wait_until(all_are_told)

        ran = pair.ran()
        for approval_id, name in decided.items():
            (status,) = statuses(running[0][1], approval_id)
            runs = ran.count(f"deployment/{name} ")
            assert status in END, f"seed {seed}"
            assert runs == 1 if status == "succeeded" else runs <= 1, f"seed {seed}: {status}"
        assert receiver.told_in_two_ways() == [], f"seed {seed}"
