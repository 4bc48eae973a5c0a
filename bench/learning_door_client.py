"""A client of the product as others write it: logs in, the stream out, decisions by either door."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import httpx

from app.learning.actions import planned_command
from bench.learning_door_people import Word

DOORS = ("approvals", "verdicts", "counts", "status")
"""The approval server; the webhook with a verdict per command, with counts, with a status alone."""
TIMEOUT_SECONDS = 30.0

Frame = dict[str, Any]


class Arm(Enum):
    """Whether the product planned with what it learned."""

    GUIDED = "guided"
    HELD_OUT = "held out"


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan as a client sees it."""

    feedback_id: str
    approval_id: str
    commands: tuple[str, ...]
    """As submitted."""
    alternatives: tuple[tuple[str, ...], ...]
    """Other remedies of which the plan speaks, by their commands."""
    words: str
    """What the steps that change something say."""
    arm: Arm

    @property
    def judged(self) -> list[tuple[str, bool]]:
        """By command its action, and whether that changes anything."""
        planned = map(planned_command, self.commands)
        return [(one.action, one.is_change) for one in planned]

    @property
    def actions(self) -> tuple[str, ...]:
        """Of the commands that change something."""
        return changes(self.commands)

    @property
    def offered(self) -> tuple[tuple[str, ...], ...]:
        """What the engine could have planned instead, and what it planned."""
        others = (changes(commands) for commands in self.alternatives)
        return tuple(actions for actions in (self.actions, *others) if actions)


class DoorClient:
    """Speaks HTTP alone."""

    def __init__(self, backend: str, approvals: str) -> None:
        """Addresses of both servers."""
        self._backend = httpx.Client(base_url=f"{backend}/api/v1", timeout=TIMEOUT_SECONDS)
        self._approvals = httpx.Client(base_url=approvals, timeout=TIMEOUT_SECONDS)

    def investigate(self, text: str) -> list[Plan]:
        """Post a log, follow its stream to the end, and read what was planned and submitted."""
        answer = self._backend.post(
            "/workflows/start", content=text.encode(), headers={"Content-Type": "text/plain"}
        )
        answer.raise_for_status()
        workflow_id = answer.json()["workflow_id"]
        frames = self._frames(workflow_id)
        plans = _completed(frames, "RemediationAgent").get("remediation_plans", [])
        judged = _completed(frames, "KubectlCommandAgent").get("judged", [])
        arm = Arm.HELD_OUT if any(map(_says_held_out, frames)) else Arm.GUIDED
        return [
            _plan(proposal, plans[number - 1], _submitted(judged, number), arm)
            for proposal in _proposals(frames)
            if (number := int(proposal["feedback_id"].rpartition("_")[2]))
        ]

    def decide(self, plan: Plan, word: Word, door: str) -> None:
        """Tell the product what a person said."""
        if door == "approvals":
            self._decide_at_the_desk(plan, word)
        else:
            self._backend.post(
                "/feedback/mcp-approval", json=_webhook(plan, word, door)
            ).raise_for_status()
        if word.stars is not None:
            stars = {"feedback_id": plan.feedback_id, "rating": word.stars}
            self._backend.post("/feedback/submit", json=stars).raise_for_status()

    def _decide_at_the_desk(self, plan: Plan, word: Word) -> None:
        path = f"/api/approvals/{plan.approval_id}"
        if not any(word.approved):
            body: Frame = {"reason": word.reason, "reviewer": word.reviewer}
            self._approvals.post(f"{path}/reject", json=body).raise_for_status()
            return
        numbers = [*range(len(word.approved))]
        body = {
            "reviewer": word.reviewer,
            "confirm": [number for number in numbers if word.approved[number]],
            "commands": [_choice(number, word) for number in numbers],
        }
        self._approvals.post(f"{path}/approve", json=body).raise_for_status()

    def _frames(self, workflow_id: str) -> list[Frame]:
        with self._backend.stream("GET", f"/workflows/{workflow_id}/stream") as stream:
            lines = [line for line in stream.iter_lines() if line.startswith("data: ")]
        return [json.loads(line.removeprefix("data: ")) for line in lines]


def changes(commands: Sequence[str]) -> tuple[str, ...]:
    """The actions among commands that change something, each once."""
    planned = map(planned_command, commands)
    return tuple(dict.fromkeys(one.action for one in planned if one.is_change))


def _webhook(plan: Plan, word: Word, door: str) -> Frame:
    is_change = [planned_command(command).is_change for command in plan.commands]
    said = [ok for ok, changing in zip(word.approved, is_change, strict=True) if changing]
    is_approved = any(said or word.approved)
    body: Frame = {
        "approval_id": plan.approval_id,
        "status": "approved" if is_approved else "rejected",
    }
    if word.reason:
        body["rejection_reason"] = word.reason
    if door == "status":
        return body
    body["approved_count"] = sum(word.approved)
    body["rejected_count"] = len(word.approved) - sum(word.approved)
    if door == "verdicts":
        body["reviewer"] = word.reviewer
        body["commands"] = [
            {"command": command, "decision": "approved" if ok else "rejected"}
            for command, ok in zip(plan.commands, word.approved, strict=True)
        ]
    return body


def _choice(number: int, word: Word) -> Mapping[str, object]:
    if word.approved[number]:
        return {"number": number, "decision": "approved"}
    return {"number": number, "decision": "rejected", "reason": word.reason}


def _completed(frames: Sequence[Frame], agent: str) -> Frame:
    for frame in frames:
        if frame["agent_name"] == agent and frame["status"] == "COMPLETED":
            answer: Frame = json.loads(frame["data"])
            return answer
    return {}


def _proposals(frames: Sequence[Frame]) -> list[Frame]:
    return [json.loads(frame["data"]) for frame in frames if frame.get("type") == "proposal"]


def _says_held_out(frame: Frame) -> bool:
    return frame.get("type") == "progress" and json.loads(frame["data"]).get("is_held_out", False)


def _submitted(judged: Sequence[Frame], number: int) -> tuple[str, ...]:
    return tuple(
        one["command"] for one in judged if one["plan"] == number and one["verdict"] != "refused"
    )


def _plan(proposal: Frame, plan: Frame, commands: tuple[str, ...], arm: Arm) -> Plan:
    steps = plan["steps"]
    return Plan(
        feedback_id=proposal["feedback_id"],
        approval_id=proposal["approval_id"],
        commands=commands,
        alternatives=tuple(tuple(one["commands"]) for one in plan["alternative_solutions"]),
        words=" ".join(step["description"] for step in steps if step["phase"] == "REMEDIATE"),
        arm=arm,
    )
