"""What happens at the desk while its processes are killed: proposals, decisions, changes, undos.

Everybody tries again after a lost answer, as a careful client does; only what was answered counts.
"""

import random
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.kube_api import KubeApi
from tests.fakes.kube_api_objects import NAMESPACE, deployment

SAMPLE = Path(__file__).parents[1] / "data" / "samples" / "crash-loop-bad-config.log"
PAUSE_SECONDS = 2.0
PROPOSAL_PAUSE_SECONDS = 0.7
RETRY_SECONDS = 0.2
TRIES = 600
TIMEOUT_SECONDS = 15
BEFORE, PROPOSED, EDITED, FOREIGN = 2, 3, 4, 9
"""Replicas of a deployment before, as proposed, as a reviewer wants it, and as somebody else does."""

View = dict[str, Any]


@dataclass(frozen=True)
class Acknowledged:
    """A decision that was answered, or found to be ours when it was tried again."""

    approval_id: str
    reviewer: str
    status: str
    round: int
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
    outdated: dict[str, str] = field(default_factory=dict)
    """By request the version of it that nobody can decide about any more, as an object changed."""
    claimed: set[str] = field(default_factory=set)
    """Requests that somebody takes back already, so that no other changes their objects."""
    faults: list[str] = field(default_factory=list)
    retries: int = 0
    voids: int = 0
    """Decisions that did not count, as something had changed."""
    doubts: int = 0
    """Undos that had to be confirmed."""
    lock: threading.Lock = field(default_factory=threading.Lock)
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
        while not self.is_over.wait(PROPOSAL_PAUSE_SECONDS):
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
        """Somebody who decides whatever waits, and has much of it taken back, until told to stop."""
        count = 0
        while not self.is_over.wait(self.chance.uniform(0.1, 0.6)):
            if waiting := self.list("/api/approvals/pending?limit=50"):
                count += 1
                view = self.chance.choice(waiting)
                if self.chance.random() < 0.3:
                    self._change_before_the_decision(view)
                if self.decide_one(view, f"{name}-{count}") and self.chance.random() < 0.4:
                    # The decision is void, unless a command has begun already.
                    self._change(view)
            self.take_back(name)

    def decide_one(self, view: View, reviewer: str) -> bool:
        """Approve all, say it per command, edit, or reject; whether it is known to count."""
        ruling, choices = self._choose(view)
        body: View = {"reviewer": reviewer, "seen": view["version"]}
        if choices is not None:
            body["commands"] = choices
        if ruling == "approve" and choices is None:
            body["confirm"] = [command["number"] for command in view["commands"]]
        if ruling == "reject":
            body["reason"] = "not now"
        is_outdated = self.outdated.get(view["id"]) == view["version"]
        answer = self._post(f"/api/approvals/{view['id']}/{ruling}", body)
        if answer is None:
            return False
        if answer.status_code == httpx.codes.CONFLICT:
            self.voids += 1
            return False
        said = answer.json()
        is_ours = answer.status_code == httpx.codes.OK or said.get("reviewer") == reviewer
        if is_ours:
            self.decisions.append(
                Acknowledged(view["id"], reviewer, said["status"], view["round"], choices)
            )
            if is_outdated and said["status"] == "approved":
                self.faults.append(f"{view['id']}: approved although its object had changed")
        elif answer.status_code != httpx.codes.NOT_FOUND:
            self.faults.append(f"{view['id']}: {ruling} answered {answer.status_code} {said}")
        return is_ours

    def take_back(self, name: str) -> None:
        """One of the newest that can be; before some, somebody else scales what was scaled."""
        can = [view for view in self.list("/api/approvals?limit=50") if view["can_undo"]]
        can = [view for view in can if view["id"] not in self.claimed]
        if not can or self.chance.random() < 0.3:
            return
        view = self.chance.choice(can)
        with self.lock:
            if view["id"] in self.claimed:
                return
            self.claimed.add(view["id"])
        is_foreign = self.chance.random() < 0.4
        if is_foreign:
            for deployment_name in _scaled(view, {"succeeded"}):
                self.api.change("Deployment", deployment_name, replicas=FOREIGN)
        is_foreign = is_foreign and bool([*_scaled(view, {"succeeded"})])
        self._undo(view["id"], name, is_foreign=is_foreign)

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

    def _undo(self, approval_id: str, name: str, *, is_foreign: bool) -> None:
        path, body = f"/api/approvals/{approval_id}/undo", {"reviewer": name}
        answer = self._post(path, body)
        if answer is not None and answer.is_success and is_foreign:
            self.faults.append(f"{approval_id}: its undo overwrites what somebody else did")
        if answer is not None and answer.json().get("needs_confirmation"):
            self.doubts += 1
            if self.chance.random() < 0.3:
                return
            answer = self._post(path, {**body, "confirm": True})
        if answer is not None and answer.status_code == httpx.codes.ACCEPTED:
            self.undone[approval_id] = name

    def _change_before_the_decision(self, view: View) -> None:
        if self._change(view) and all(command["proof"] for command in view["commands"]):
            self.outdated[view["id"]] = view["version"]

    def _change(self, view: View) -> bool:
        """Somebody writes to its objects, without a word on replicas; whether any is ours."""
        names = [*_scaled(view, None)]
        for name in names:
            self.api.change("Deployment", name, minReadySeconds=self.chance.randrange(1, 10_000))
        return bool(names)

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


def _scaled(view: View, statuses: set[str] | None) -> Iterator[str]:
    """The deployments that it scales, by the status of the command where one is asked for."""
    for command in view["commands"]:
        is_ours = f"={PROPOSED} " in command["command"]
        if is_ours and (statuses is None or command["status"] in statuses):
            yield command["command"].split("deployment/")[1].split()[0]


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
