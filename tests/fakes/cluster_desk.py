"""An approval server as a process, real kubectl, and the fake cluster that it works on."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.approval_process import COMMAND
from tests.fakes.kube_api import KubeApi, open_kube_api
from tests.fakes.servers import answers, product_environment, start_process, stop
from tests.fakes.waiting import wait_until
from tests.fakes.webhook_receiver import WebhookReceiver, webhook_receiver

QUICK = {
    "VERIFY_AFTER_SECONDS": "0.3",
    "VERIFY_TIMEOUT_SECONDS": "6",
    "COMMAND_TIMEOUT_SECONDS": "8",
}
View = dict[str, Any]


class ClusterDesk:
    """What a reviewer has before them, and the cluster behind it."""

    def __init__(
        self, folder: Path, api: KubeApi, backend: WebhookReceiver, settings: dict[str, str]
    ) -> None:
        """Nothing is started yet."""
        self.api = api
        self.backend = backend
        self._folder = folder
        self._stack = ExitStack()
        self._environment = product_environment(
            folder,
            {
                "KUBECONFIG": str(api.write_kubeconfig(folder / "kubeconfig")),
                "BACKEND_WEBHOOK_URL": backend.url,
                **QUICK,
                **settings,
            },
        )

    def start(self) -> None:
        """Start the server and wait until it answers."""
        product = start_process(COMMAND, self._folder, self._environment)
        self._stack.callback(stop, product)
        wait_until(lambda: answers(product.approval_port) or product.process.poll() is not None)
        assert product.process.poll() is None, product.printed()
        client = httpx.Client(base_url=product.approval_url, trust_env=False, timeout=30)
        self.product, self.client = product, self._stack.enter_context(client)

    def restart_after_kill(self) -> None:
        """Take the power away, and bring it back."""
        self.product.kill()
        self.start()

    def close(self) -> None:
        """Stop what was started."""
        self._stack.close()

    def propose(self, *commands: str, **metadata: Any) -> str:
        """A proposal whose cards are filled in."""
        approval_id = self.propose_at_once(*commands, **metadata)
        self.wait(approval_id, lambda view: all(one["proof"] for one in view["commands"]))
        return approval_id

    def propose_at_once(self, *commands: str, **metadata: Any) -> str:
        """A proposal, without a look at its cards."""
        body = {
            "action": "Help checkout",
            "commands": [
                {"command": text, "explanation": "because", "safety_level": "CAUTION"}
                for text in commands
            ],
            "metadata": {"service": "checkout", "namespace": "shop", **metadata},
        }
        answer = self.client.post("/api/approvals/propose", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["approval_id"])

    def view(self, approval_id: str) -> View:
        """The approval as it is now."""
        found: View = self.client.get(f"/api/approvals/{approval_id}").json()
        return found

    def approve(self, approval_id: str) -> httpx.Response:
        """Approve what was seen."""
        seen = self.view(approval_id)["version"]
        return self.client.post(f"/api/approvals/{approval_id}/approve", json={"seen": seen})

    def wait(self, approval_id: str, fact: Callable[[View], object]) -> View:
        """The approval when the fact is one."""
        wait_until(lambda: fact(self.view(approval_id)))
        return self.view(approval_id)

    def run(self, approval_id: str) -> View:
        """Approve, and wait until every command but the checks has ended."""
        answer = self.approve(approval_id)
        assert answer.status_code == 200, answer.text
        ended = {"succeeded", "failed", "unknown", "skipped", "recorded"}
        return self.wait(
            approval_id,
            lambda view: all(
                one["status"] in ended for one in view["commands"] if one["phase"] != "VERIFY"
            ),
        )

    def outcome(self, approval_id: str) -> View:
        """The verification, when there is one."""
        view = self.wait(approval_id, lambda view: view["verification"])
        found: View = view["verification"]
        return found

    def audited(self, kind: str) -> list[View]:
        """What the audit file says of one kind of change, in its order."""
        lines = (self._folder / "data" / "audit.jsonl").read_bytes().splitlines()
        return [entry for entry in map(json.loads, lines) if entry["type"] == kind]

    def undo(self, approval_id: str, **body: Any) -> View:
        """Take it back, and wait until that has ended."""
        place = f"/api/approvals/{approval_id}/undo"
        answer = self.client.post(place, json={"reviewer": "Ada", **body})
        assert answer.status_code == 202, answer.text
        going_on = {"waiting", "executing"}
        return self.wait(
            approval_id,
            lambda view: not any(one["undo_status"] in going_on for one in view["commands"]),
        )


@contextmanager
def open_cluster_desk(folder: Path, **settings: str) -> Iterator[ClusterDesk]:
    """All of it on free ports; everything ends with the context."""
    with open_kube_api() as api, webhook_receiver() as backend:
        desk = ClusterDesk(folder, api, backend, settings)
        try:
            desk.start()
            yield desk
        finally:
            desk.close()
