"""An approval at the desk: what a person sees, decides, and what came of each command."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from pydantic import JsonValue

from app.domain.approval import CommandDecision, Decision
from app.domain.errors import Conflict
from app.domain.ids import ApprovalId
from app.domain.plan import Phase
from app.domain.proof import Proof, Recovery, UndoKind, Verification
from app.domain.review_moves import APPROVAL_MOVES, COMMAND_MOVES, ApprovalStatus, CommandStatus

DEFAULT_REASON = "Rejected by user"
REJECTED = "Not run: the request was rejected."
REJECTED_ALONE = "Not run: this command was rejected."
EXPIRED = "Not run: nobody decided in time."
UNCONFIRMED = "Not run: not in evidence, and nobody confirmed it."
NO_CLUSTER = "Recorded; no cluster is configured."
TAKEN_BACK_AFTERWARDS = "It was taken back afterwards, so what was measured does not hold any more."
VERSION_LENGTH = 16

RUNS = {CommandDecision.APPROVED, CommandDecision.EDITED}
HAS_BEGUN = {CommandStatus.EXECUTING, CommandStatus.SUCCEEDED, CommandStatus.UNKNOWN}
MAY_HAVE_CHANGED = {CommandStatus.SUCCEEDED, CommandStatus.UNKNOWN}


@dataclass(frozen=True, slots=True)
class ReviewedCommand:
    """A proposed command with the policy's verdict, a person's decision and its fate."""

    text: str
    """As it was proposed."""
    explanation: str
    safety_level: str
    """The proposer's own label."""
    risk: str
    """The higher one of the policy's verdict and the label; of the edit when there is one."""
    reasons: tuple[str, ...]
    is_refused: bool
    """The policy forbids it or it does not parse: it never runs, whoever approves it."""
    status: CommandStatus = CommandStatus.WAITING
    output: str = ""
    policy_risk: str = ""
    """The policy's verdict alone; empty for what was proposed before it was kept."""
    phase: str = ""
    """Of the plan's step; empty when the proposer did not say."""
    in_evidence: bool | None = None
    """Whether the workflow saw the object; None when nobody said."""
    object_reference: str | None = None
    """The one object it changes, `namespace/kind/name`."""
    decision: CommandDecision | None = None
    edited_to: str | None = None
    reason: str | None = None
    proof: Proof | None = None
    """Of the proposed text until an edit runs; None while the cluster is being looked at."""
    undo_status: CommandStatus | None = None
    undo_output: str = ""

    @property
    def effective_text(self) -> str:
        """What runs."""
        return self.text if self.edited_to is None else self.edited_to

    @property
    def is_change(self) -> bool:
        """Whether it can change the cluster, as far as the policy's verdict is known."""
        return self.policy_risk not in {"", "SAFE"}

    @property
    def is_check(self) -> bool:
        """Whether it runs afterwards, to see whether the others helped."""
        return self.phase == Phase.VERIFY

    @property
    def has_begun(self) -> bool:
        """Whether it may have reached the cluster."""
        is_failure = self.status is CommandStatus.FAILED and not self.is_refused
        return self.status in HAS_BEGUN or is_failure

    @property
    def can_undo(self) -> bool:
        """Whether it did something, or may have, that can be taken back, and nobody began to."""
        has_undo = self.proof is not None and self.proof.undo.kind is not UndoKind.NONE
        return has_undo and self.status in MAY_HAVE_CHANGED and self.undo_status is None

    @property
    def is_unsure(self) -> bool:
        """Whether nobody knows if it changed what it was to change."""
        is_step = self.is_change and not self.is_check
        return is_step and self.status is CommandStatus.UNKNOWN

    def move(self, status: CommandStatus, output: str = "") -> Self:
        """The command in its next state; raises Conflict."""
        if status not in COMMAND_MOVES[self.status]:
            raise Conflict(f"A command that is {self.status} cannot become {status}.")
        return replace(self, status=status, output=output)

    def approve(self) -> Self:
        """Let it run; what the policy refuses fails, whatever was said."""
        if not self.is_refused:
            decision = (
                CommandDecision.APPROVED if self.edited_to is None else CommandDecision.EDITED
            )
            return replace(self, decision=decision)
        why = f"refused by policy: {'; '.join(self.reasons)}"
        failed = self.move(CommandStatus.FAILED, why)
        return replace(failed, decision=CommandDecision.REJECTED, reason=why)

    def reject(self, reason: str | None, note: str = REJECTED_ALONE) -> Self:
        """Keep it from running."""
        skipped = self.move(CommandStatus.SKIPPED, note)
        return replace(skipped, decision=CommandDecision.REJECTED, reason=reason)

    def leave(self, note: str) -> Self:
        """Nobody said anything about it, so it does not run."""
        skipped = self.move(CommandStatus.SKIPPED, note)
        return replace(skipped, decision=CommandDecision.UNDECIDED)


@dataclass(frozen=True, slots=True)
class Approval:
    """A proposal from its arrival to the last of its commands."""

    approval_id: ApprovalId
    action: str
    commands: tuple[ReviewedCommand, ...]
    metadata: Mapping[str, JsonValue]
    proposed_at: datetime
    status: ApprovalStatus = ApprovalStatus.PENDING
    decided_at: datetime | None = None
    reviewer: str | None = None
    reason: str | None = None
    expires_at: datetime | None = None
    """None for what was decided before there was a limit."""
    round: int = 1
    """How often it was asked, as a decision is void when the cluster changed meanwhile."""
    void_reason: str | None = None
    """Why the last decision does not count."""
    verification: Verification | None = None
    undone_at: datetime | None = None
    undone_by: str | None = None

    def decide(
        self,
        decision: Decision,
        reviewer: str | None,
        reason: str | None,
        at: datetime,
        commands: tuple[ReviewedCommand, ...] | None = None,
    ) -> Self:
        """The approval with a person's decision; raises Conflict when there is one already.

        `commands` are the same ones with a decision each; without them one word is for all.
        """
        is_rejected = decision is Decision.REJECTED
        why = (reason or DEFAULT_REASON) if is_rejected else None
        decided = commands or tuple(
            command.reject(why, REJECTED) if is_rejected else command.approve()
            for command in self.commands
        )
        moved = self._move(ApprovalStatus(decision), decided)
        return replace(moved, decided_at=at, reviewer=reviewer, reason=why)

    def expire(self, at: datetime) -> Self:
        """The approval that nobody decided in time; raises Conflict when somebody did."""
        commands = tuple(command.leave(EXPIRED) for command in self.commands)
        return replace(self._move(ApprovalStatus.EXPIRED, commands), decided_at=at)

    def void(
        self, reason: str, commands: tuple[ReviewedCommand, ...], expires_at: datetime | None
    ) -> Self:
        """The approval asked once more, with commands as they were proposed; raises Conflict."""
        if any(command.has_begun for command in self.commands):
            raise Conflict("A command has begun already, so the decision counts.")
        return replace(
            self._move(ApprovalStatus.PENDING, commands),
            decided_at=None,
            reviewer=None,
            reason=None,
            expires_at=expires_at,
            round=self.round + 1,
            void_reason=reason,
        )

    def without_cluster(self) -> Self:
        """The approved commands as recorded: there is nothing they could run on."""
        return replace(
            self,
            commands=tuple(
                command.move(CommandStatus.RECORDED, NO_CLUSTER)
                if command.status is CommandStatus.WAITING
                else command
                for command in self.commands
            ),
        )

    def begin_undo(self, by: str | None, at: datetime) -> Self:
        """The approval with everything to be taken back that can be; raises Conflict."""
        if self.undone_at is not None:
            raise Conflict("The undo of this request was begun already.")
        if not self.can_undo:
            raise Conflict("There is nothing to undo: no command that can be taken back has run.")
        commands = tuple(
            replace(command, undo_status=CommandStatus.WAITING) if command.can_undo else command
            for command in self.commands
        )
        return replace(self, commands=commands, undone_at=at, undone_by=by)

    def is_overdue(self, now: datetime) -> bool:
        """Whether the time for a decision is over."""
        is_pending = self.status is ApprovalStatus.PENDING
        return is_pending and self.expires_at is not None and self.expires_at <= now

    @property
    def version(self) -> str:
        """What a decision is bound to: the commands and the objects as they were looked at."""
        seen = [(command.text, _resource_version(command.proof)) for command in self.commands]
        text = json.dumps([self.round, seen])
        return hashlib.sha256(text.encode()).hexdigest()[:VERSION_LENGTH]

    @property
    def is_settled(self) -> bool:
        """Whether it is decided and every command but the later checks has come to its end."""
        return self.status is not ApprovalStatus.PENDING and all(
            command.status.is_final or command.is_check for command in self.commands
        )

    @property
    def has_changed(self) -> bool:
        """Whether it may have changed the cluster, so that the outcome has to be looked at."""
        return any(
            command.is_change and not command.is_check and command.status in MAY_HAVE_CHANGED
            for command in self.commands
        )

    @property
    def can_undo(self) -> bool:
        """Whether something of it can be taken back."""
        is_over = self.is_settled and self.undone_at is None
        return is_over and any(command.can_undo for command in self.commands)

    @property
    def is_taken_back(self) -> bool:
        """Whether something of it was taken back, or may have been: then no outcome stands."""
        return any(command.undo_status in HAS_BEGUN for command in self.commands)

    @property
    def outcome(self) -> Verification | None:
        """What is known of whether it helped; that it did holds until it is taken back."""
        found = self.verification
        if found is None or found.recovery is not Recovery.RECOVERED or not self.is_taken_back:
            return found
        words = f"{TAKEN_BACK_AFTERWARDS} Before that: {found.sentence}".rstrip()
        return found.model_copy(update={"recovery": Recovery.UNKNOWN, "sentence": words})

    @property
    def is_run(self) -> bool:
        """Whether the decision lets something run, or let it."""
        return self.status is ApprovalStatus.APPROVED and any(
            command.decision in RUNS and command.status is not CommandStatus.RECORDED
            for command in self.commands
        )

    @property
    def approved_count(self) -> int:
        """Approved commands, edited ones included."""
        return sum(command.decision in RUNS for command in self.commands)

    @property
    def rejected_count(self) -> int:
        """Rejected commands, and approved ones that the policy refuses."""
        return sum(command.decision is CommandDecision.REJECTED for command in self.commands)

    def _move(self, status: ApprovalStatus, commands: tuple[ReviewedCommand, ...]) -> Self:
        if status not in APPROVAL_MOVES[self.status]:
            raise Conflict(f"This request is {self.status} already.")
        return replace(self, status=status, commands=commands)


def _resource_version(proof: Proof | None) -> str | None:
    return proof.object.resource_version if proof is not None and proof.object else None
