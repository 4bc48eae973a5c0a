"""Reports on their way to the backend: stored first, tried until it has them."""

import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson

from app.approvals.changes import Changes, wait_for
from app.approvals.ports import ReportOutbox, ReportSender
from app.domain.errors import StorageFailed, WebhookFailed, WebhookRefused
from app.domain.ports import Clock
from app.domain.report import Backlog, DueReport, ReportKind
from app.domain.review import Approval, ReviewedCommand
from app.domain.review_moves import ApprovalStatus
from app.security.words import without_secrets

FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=48)
"""An outage of a whole day loses nothing, and ends before its first report is given up."""
STORAGE_RETRY = timedelta(seconds=5)
OUTPUT_LIMIT = 4096

log = logging.getLogger(__name__)


class DecisionReports:
    """The only part that talks to the backend, one report after the other."""

    def __init__(
        self,
        outbox: ReportOutbox,
        sender: ReportSender,
        clock: Clock,
        changes: Changes,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` gives numbers from 0 to 1, so that many servers do not retry in step."""
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._changes = changes
        self._jitter = jitter

    async def run(self) -> None:
        """Write and deliver reports until cancelled."""
        while True:
            changed = self._changes.next
            try:
                pause = await self.deliver_due()
            except StorageFailed:
                log.exception("reports cannot be stored")
                pause = STORAGE_RETRY
            await wait_for(changed, pause)

    async def deliver_due(self) -> timedelta | None:
        """One round; how long nothing will be due, None when nothing waits."""
        for kind in ReportKind:
            while unreported := await self._outbox.unreported(kind):
                for approval in unreported:
                    await self._outbox.add(to_report(kind, approval, self._clock.now()))
        while report := await self._outbox.take_due(self._clock.now()):
            await self._deliver(report)
        following = await self._outbox.next_due()
        return None if following is None else max(following - self._clock.now(), timedelta())

    async def backlog(self) -> Backlog:
        """How many reports wait after a failure, how many were given up."""
        return await self._outbox.backlog()

    async def _deliver(self, report: DueReport) -> None:
        now = self._clock.now()
        facts = {"webhook_id": report.message_id, "attempts": report.attempts + 1}
        try:
            await self._sender.send(report, now)
        except WebhookRefused as error:
            await self._outbox.abandon(report, str(error))
            log.error("report refused by the backend", extra=facts)  # noqa: TRY400 - no bug of ours
        except WebhookFailed as error:
            await self._retry_later(report, now, str(error))
        else:
            await self._outbox.delivered(report)
            log.info("approval reported", extra=facts)

    async def _retry_later(self, report: DueReport, now: datetime, error: str) -> None:
        pause = pause_after(report.attempts, self._jitter())
        if now + pause > report.created_at + GIVE_UP_AFTER:
            await self._outbox.abandon(report, f"Given up after 48 hours: {error}")
            log.error("report given up", extra={"webhook_id": report.message_id})
            return
        await self._outbox.postpone(report, now + pause, error)


def pause_after(attempts: int, jitter: float) -> timedelta:
    """Doubles from a second to five minutes; jitter takes off up to a half."""
    longest = min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempts, 20)))
    return longest * (1 - jitter / 2)


def to_report(kind: ReportKind, approval: Approval, now: datetime) -> DueReport:
    """The body of the webhook, as contract clients read it and with the facts beside it.

    An edit runs as somebody wrote it, and is told without the secrets in it.
    """
    is_final = _is_final(kind, approval)
    outcome = approval.outcome
    body: dict[str, object] = {
        "type": f"approval.{kind}",
        "approval_id": approval.approval_id,
        "status": approval.status,
        "approved_count": approval.approved_count,
        "rejected_count": approval.rejected_count,
        "commands": [_command(command) for command in approval.commands],
        "reviewer": approval.reviewer,
        "decided_at": _iso(approval.decided_at),
        "proposed_at": _iso(approval.proposed_at),
        "round": approval.round,
        "verification": outcome.model_dump(mode="json") if outcome else None,
        "is_final": is_final,
    }
    if approval.status is ApprovalStatus.REJECTED:
        body["rejection_reason"] = without_secrets(approval.reason)
    return DueReport(
        approval_id=approval.approval_id,
        body=orjson.dumps(body),
        created_at=now,
        attempts=0,
        kind=kind,
        round=approval.round,
        is_final=is_final,
    )


def _is_final(kind: ReportKind, approval: Approval) -> bool:
    """Whether nothing but an undo can follow; kept, because what follows depends on it."""
    match kind:
        case ReportKind.DECIDED:
            return not approval.is_run
        case ReportKind.EXECUTED:
            return not approval.has_changed
        case ReportKind.EXPIRED | ReportKind.VERIFIED | ReportKind.UNDONE:
            return True


def _command(command: ReviewedCommand) -> dict[str, object]:
    return {
        "command": command.text,
        "decision": command.decision,
        "edited_to": without_secrets(command.edited_to),
        "reason": without_secrets(command.reason),
        "status": command.status,
        "output": command.output[:OUTPUT_LIMIT],
        "undo_status": command.undo_status,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
