"""What the approval desk needs from outside, on one page."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from app.domain.audit import AuditEntry, AuditFact
from app.domain.ids import ApprovalId, ProcessId
from app.domain.proof import LeftState, Proof, Verification
from app.domain.report import Backlog, DueReport, ReportKind
from app.domain.review import Approval
from app.domain.review_moves import ApprovalStatus, CommandStatus
from app.kubectl.cluster_object import ClusterObject, Target
from app.kubectl.command import ParsedCommand

WordsOnEnd = Callable[[Approval, int], str]
"""What is noted of a command of an approval, or of its undo, whose end nobody saw."""


class ApprovalStore(Protocol):
    """Every proposal, its decision and its commands; what it acknowledged survives a kill."""

    async def create(
        self, approval: Approval, idempotency_key: str | None, limit: int
    ) -> ApprovalId:
        """Keep a proposal; the id of the first one when the key is known.

        Raises TooBusy when `limit` proposals are pending already, and KeyReused when the first one
        with the key was worded otherwise.
        """
        ...

    async def get(self, approval_id: ApprovalId) -> Approval | None:
        """One approval."""
        ...

    async def pending(self) -> Sequence[Approval]:
        """All that wait for a decision, oldest first."""
        ...

    async def pending_page(
        self, after: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Some that wait for a decision, oldest first, and the cursor of the next page."""
        ...

    async def pending_count(self) -> int:
        """How many wait for a decision."""
        ...

    async def page(
        self, statuses: Collection[ApprovalStatus], before: str | None, limit: int
    ) -> tuple[Sequence[Approval], str | None]:
        """Those in one of the statuses, newest first, and the cursor of the next page, None at the end."""
        ...

    async def decide(self, approval: Approval) -> bool:
        """Keep a decision; False when somebody was first, or it is about another version."""
        ...

    async def void(self, approval: Approval) -> bool:
        """Keep that it is asked again; False when a command has begun or it is not this server's.

        What the cluster said of its commands is forgotten, so that it is asked again.
        """
        ...

    async def note_void(self, approval_id: ApprovalId, by: str | None, reason: str) -> None:
        """Note in the audit trail alone that somebody's decision did not count."""
        ...

    async def expire(self, at: datetime) -> int:
        """End what nobody decided in time; how many there were."""
        ...

    async def limit(self, expiry: timedelta) -> None:
        """Give those an end that were proposed before requests had one, counted from then."""
        ...

    async def unproven(self) -> Sequence[Approval]:
        """Pending ones of which the cluster was not asked about every command, oldest first."""
        ...

    async def keep_proof(
        self, approval_id: ApprovalId, number: int, text: str, proof: Proof
    ) -> bool:
        """Keep what the cluster says of a command; False when it has begun or is another text."""
        ...

    async def move(
        self,
        approval_id: ApprovalId,
        number: int,
        status: CommandStatus,
        output: str,
        left: LeftState | None = None,
    ) -> None:
        """Note a command's next state; raises Conflict when that is not a legal move, or not for
        this server to make, and ObjectBusy when another command runs on its object.

        `left` is how it left its object, as far as somebody looked.
        """
        ...

    async def interrupt(self, words: WordsOnEnd, at_work: Collection[ApprovalId] = ()) -> int:
        """Make unknown what this server was executing or undoing before, and what dead ones were.

        Of what is at work this server still sees the end.
        """
        ...

    async def take_unsettled(self) -> Sequence[Approval]:
        """Approved ones with commands that still wait and are no later checks, oldest decision first.

        No other server is to execute them, and none has a command of them executing: whoever
        decided has them for as long as it lives.
        """
        ...

    async def take_unverified(self) -> Sequence[Approval]:
        """Executed ones that may have changed something and have no outcome, or with later checks
        that wait; in the same way this server's, again and again until that has changed.
        """
        ...

    async def keep_verification(self, approval_id: ApprovalId, verification: Verification) -> bool:
        """Keep the outcome; False when there is one, or it is not this server's to say.

        That it helped is not kept once its undo was begun.
        """
        ...

    async def begin_undo(self, approval: Approval, *, is_confirmed: bool) -> bool:
        """Keep that it is to be taken back; False when somebody began that already."""
        ...

    async def take_undoing(self) -> Sequence[Approval]:
        """Those with undos that wait; in the same way this server's."""
        ...

    async def move_undo(
        self,
        approval_id: ApprovalId,
        number: int,
        status: CommandStatus,
        output: str,
        left: LeftState | None = None,
    ) -> None:
        """Note the next state of a command's undo; raises as `move` does."""
        ...


class Proving(Protocol):
    """Looks at the cluster before anybody decides, and before anything runs."""

    async def prove(self, command: ParsedCommand) -> Proof:
        """What the command would do, to which object, and how it is taken back."""
        ...

    async def refusal(self, command: ParsedCommand) -> str | None:
        """Why the labels of what it would change forbid it; raises ClusterFailed."""
        ...

    async def versions(self, references: Collection[str]) -> Mapping[str, str | None]:
        """By object its resourceVersion now, None for what is gone, within a few seconds.

        Raises ExternalFailed when the cluster cannot be asked.
        """
        ...

    async def look_at(self, target: Target) -> ClusterObject | None:
        """One object as it is now, None when it is not there; raises ClusterFailed."""
        ...


class AuditNotes(Protocol):
    """The audit trail, for what is part of no request."""

    async def note(self, fact: AuditFact) -> None:
        """Make an entry; raises StorageFailed."""
        ...


class AuditLog(Protocol):
    """Every entry of the audit trail, in the database that the approvals are in."""

    async def after(self, seq: int) -> Sequence[AuditEntry]:
        """The entries that follow on a number, not all at once."""
        ...


class AuditCopy(Protocol):
    """The file that has a copy of every entry."""

    def last(self) -> AuditEntry | None:
        """The last whole entry; it blocks, and raises StorageFailed."""
        ...

    def append(self, entries: Sequence[AuditEntry]) -> None:
        """Make those durable that it lacks; it blocks, and raises StorageFailed."""
        ...


class ServerTable(Protocol):
    """Which approval servers share a database; on it, a server is believed to live."""

    async def beat(self) -> Mapping[ProcessId, int]:
        """Count this server's beat up, registering it if need be; the others' counts."""
        ...

    async def strike_off(self, server: ProcessId, seen: int) -> bool:
        """Take a dead server off; False when its count is not the one that was seen last."""
        ...

    async def leave(self) -> None:
        """Take this server off."""
        ...


class ReportOutbox(Protocol):
    """Reports on their way to the backend."""

    async def unreported(self, kind: ReportKind) -> Sequence[Approval]:
        """Approvals that a report of this kind is to be written for, oldest first."""
        ...

    async def add(self, report: DueReport) -> None:
        """Keep a report, once per approval, kind and round; it is due at once."""
        ...

    async def take_due(self, at: datetime) -> DueReport | None:
        """The oldest report whose time has come and that no other living server is sending.

        An earlier one of the same approval is delivered or given up before.
        It is this server's until it says what came of it, or takes the next one.
        """
        ...

    async def next_due(self) -> datetime | None:
        """When the next report is to be tried that no other server is sending."""
        ...

    async def delivered(self, report: DueReport) -> None:
        """The backend has it."""
        ...

    async def postpone(self, report: DueReport, until: datetime, error: str) -> None:
        """Count a failed attempt and try again later."""
        ...

    async def abandon(self, report: DueReport, error: str) -> None:
        """Give it up, and keep why."""
        ...

    async def backlog(self) -> Backlog:
        """How many wait, how many were given up."""
        ...


class ReportSender(Protocol):
    """Takes one report to the backend."""

    async def send(self, report: DueReport, at: datetime) -> None:
        """Deliver; raises WebhookFailed to be tried again, WebhookRefused when that is useless."""
        ...
