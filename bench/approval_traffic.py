"""What happens at the desk while its processes are killed: proposals, decisions, undos.

Everybody tries again after a lost answer, as a careful client does; only what was answered counts.
"""

import random
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.kube_api import KubeApi
from tests.fakes.kube_api_objects import NAMESPACE, deployment

SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "crash-loop-bad-config.log"
PAUSE_SECONDS = 2.0
RETRY_SECONDS = 0.2
TRIES = 100
TIMEOUT_SECONDS = 15
BEFORE, PROPOSED, EDITED = 2, 3, 4
"""Replicas of a deployment before, as proposed, and as a reviewer wants it."""

View = dict[str, Any]


@dataclass(frozen=True)
class Acknowledged:
    """A decision that was answered, or found to be ours when it was tried again."""

    approval_id: str
    reviewer: str
    status: str
    choices: Sequence[View] | None


@dataclass
class DeskTraffic:
    """What was accepted and acknowledged."""

    backend: str
    desks: Sequence[str]
    api: KubeApi
    chance: random.Random
    workflows: list[str] = field(default_factory=list)
    proposals: dict[str, list[str]] = field(default_factory=dict)
    """By idempotency key the ids that it was answered with."""
    decisions: list[Acknowledged] = field(default_factory=list)
    undone: dict[str, str] = field(default_factory=dict)
    """By approval who was told that it is being taken back."""
    faults: list[str] = field(default_factory=list)
    retries: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)

    def start_workflows(self) -> None:
        """One after the other; a lost answer leaves one that nobody knows of."""
        body = SAMPLE.read_bytes()
        while not self.is_over.wait(PAUSE_SECONDS):
            with suppress(httpx.HTTPError):
                answer = httpx.post(
                    f"{self.backend}/api/v1/workflows/start", content=body, timeout=TIMEOUT_SECONDS
                )
                if answer.status_code == httpx.codes.ACCEPTED:
                    self.workflows.append(answer.json()["workflow_id"])

    def propose(self) -> None:
        """Two deployments each that nobody else touches; every third is sent twice in any case."""
        while not self.is_over.wait(PAUSE_SECONDS):
            number = len(self.proposals)
            key = f"key-{number}"
            names = [f"one-{number}", f"two-{number}"]
            for name in names:
                self.api.add(deployment(name, BEFORE))
            self.proposals[key] = []
            for _ in range(1 + (number % 3 == 0)):
                answer = self._post("/api/approvals/propose", _proposal(names), key)
                if answer is not None and answer.status_code == httpx.codes.OK:
                    self.proposals[key].append(answer.json()["approval_id"])

    def decide(self, name: str) -> None:
        """Somebody who decides whatever waits, and has some of it taken back, until told to stop."""
        count = 0
        while not self.is_over.wait(self.chance.uniform(0.1, 0.6)):
            waiting = self.list("/api/approvals/pending?limit=50")
            if waiting:
                count += 1
                self.decide_one(self.chance.choice(waiting), f"{name}-{count}")
            elif self.chance.random() < 0.5:
                continue
            self._take_back(name)

    def decide_one(self, view: View, reviewer: str) -> None:
        """Approve all, say it per command, edit, or reject."""
        ruling, choices = self._choose(view)
        body: View = {"reviewer": reviewer}
        if choices is not None:
            body["commands"] = choices
        if ruling == "approve" and choices is None:
            body["confirm"] = [command["number"] for command in view["commands"]]
        if ruling == "reject":
            body["reason"] = "not now"
        answer = self._post(f"/api/approvals/{view['id']}/{ruling}", body)
        if answer is None or answer.status_code == httpx.codes.CONFLICT:
            return  # void, as the cluster was looked at meanwhile
        said = answer.json()
        is_ours = answer.status_code == httpx.codes.OK or said.get("reviewer") == reviewer
        if is_ours:
            self.decisions.append(Acknowledged(view["id"], reviewer, said["status"], choices))
        elif answer.status_code != httpx.codes.NOT_FOUND:
            self.faults.append(f"{view['id']}: {ruling} answered {answer.status_code} {said}")

    def list(self, path: str) -> list[View]:
        """Approvals of a page; none when nobody answers."""
        with suppress(httpx.HTTPError):
            answer = httpx.get(self._desk() + path, timeout=TIMEOUT_SECONDS)
            if answer.status_code == httpx.codes.OK:
                found: list[View] = answer.json()["approvals"]
                return found
        return []

    def _choose(self, view: View) -> tuple[str, Sequence[View] | None]:
        kind = self.chance.choice(["all", "all", "each", "edit", "reject"])
        first, *rest = [command for command in view["commands"] if not command["is_refused"]]
        if kind == "edit" and f"={PROPOSED} " in first["command"]:
            edited = first["command"].replace(f"={PROPOSED} ", f"={EDITED} ")
            return "approve", [_choice(first, "edited", edited_to=edited), *_approved(rest)]
        if kind in {"each", "edit"} and rest:
            return "approve", [_choice(first, "rejected", reason="not this one"), *_approved(rest)]
        return ("reject" if kind == "reject" else "approve"), None

    def _take_back(self, name: str) -> None:
        can = [view for view in self.list("/api/approvals?limit=50") if view["can_undo"]]
        if not can or self.chance.random() < 0.5:
            return
        approval_id = self.chance.choice(can)["id"]
        answer = self._post(f"/api/approvals/{approval_id}/undo", {"reviewer": name})
        if answer is not None and answer.status_code == httpx.codes.ACCEPTED:
            if approval_id in self.undone:
                self.faults.append(f"{approval_id}: its undo was begun twice")
            self.undone[approval_id] = name

    def _desk(self) -> str:
        return self.chance.choice(self.desks)

    def _post(self, path: str, body: View, key: str | None = None) -> httpx.Response | None:
        """The answer, however often it takes; None when nobody answered at all."""
        headers = {"Idempotency-Key": key} if key else {}
        last = "no answer"
        for _ in range(TRIES):
            with suppress(httpx.HTTPError):
                answer = httpx.post(
                    self._desk() + path, json=body, headers=headers, timeout=TIMEOUT_SECONDS
                )
                if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return answer
                last = answer.text
            self.retries += 1
            threading.Event().wait(RETRY_SECONDS)
        self.faults.append(f"{path}: in the end {last}")
        return None


def scale(name: str, replicas: int) -> str:
    """The command of which the cluster notes that it ran."""
    return f"kubectl scale deployment/{name} --replicas={replicas} -n {NAMESPACE}"


def _proposal(names: Sequence[str]) -> View:
    texts = [scale(name, PROPOSED) for name in names]
    texts.append(f"kubectl get deployment/{names[0]} -n {NAMESPACE}")
    phases = ["REMEDIATE"] * len(names) + ["VERIFY"]
    return {
        "action": "Help the shop",
        "commands": [
            {"command": text, "explanation": "because", "safety_level": "CAUTION"} for text in texts
        ],
        "metadata": {"service": names[0], "namespace": NAMESPACE, "phases": phases},
    }


def _approved(commands: Iterable[View]) -> Iterable[View]:
    return (_choice(command, "approved") for command in commands)


def _choice(command: View, decision: str, **more: str) -> View:
    return {"number": command["number"], "decision": decision, **more}
