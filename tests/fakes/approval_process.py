"""Approval servers as processes, each with a stand-in for kubectl that notes what it ran."""

import os
import stat
import sys
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.fakes.approvals import payload
from tests.fakes.servers import (
    RunningProduct,
    answers,
    product_environment,
    start_process,
    stop,
)
from tests.fakes.waiting import wait_until

COMMAND = [sys.executable, "-m", "app", "approval-server"]
# Its cluster does not let itself be looked at: what is noted was approved by a person.
_NO_LOOKS = """\
case "$*" in *--output=json*|*--output=custom-columns*|*--dry-run=server*)
  echo 'Error from server (Forbidden): no' >&2; exit 1;;
esac
"""


class ApprovalHost:
    """One data folder, its server, and the stand-in for kubectl that notes what it ran."""

    def __init__(self, folder: Path, running: ExitStack, kubectl: str) -> None:
        """The stand-in's script is given; nothing is started."""
        self._folder = folder
        self._running = running
        self.ran = folder / "ran.txt"
        self.ran.touch()
        self._kubeconfig = folder / "kubeconfig"
        self._kubeconfig.write_text("apiVersion: v1\nkind: Config\n")
        program = folder / "bin" / "kubectl"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\n{_NO_LOOKS}echo "$*" >> {self.ran}\n{kubectl}\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self._path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"

    def start(self, **settings: str) -> tuple[RunningProduct, httpx.Client]:
        """Start the server and wait until it answers."""
        environment = product_environment(
            self._folder, {"PATH": self._path, "KUBECONFIG": str(self._kubeconfig), **settings}
        )
        product = start_process(COMMAND, self._folder, environment)
        self._running.callback(stop, product)
        wait_until(lambda: answers(product.approval_port) or product.process.poll() is not None)
        assert product.process.poll() is None, product.printed()
        client = httpx.Client(base_url=product.approval_url, trust_env=False, timeout=10)
        return product, self._running.enter_context(client)


def has_run(host: ApprovalHost, count: int) -> bool:
    """Whether so many commands were started."""
    return started(host) >= count


def started(host: ApprovalHost) -> int:
    """How many commands were started so far."""
    return len(host.ran.read_text().splitlines())


def propose(client: httpx.Client, *commands: str) -> str:
    answer = client.post("/api/approvals/propose", json=payload(*commands))
    return str(answer.json()["approval_id"])


def statuses(client: httpx.Client, approval_id: str) -> list[str]:
    found = client.get(f"/api/approvals/{approval_id}").json()
    return [command["status"] for command in found["commands"]]
