"""Decisions on their way to the backend: stored first, tried until it has them."""

import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import orjson

from app.approvals.changes import Changes, wait_for
from app.approvals.ports import ReportOutbox, ReportSender
from app.domain.errors import StorageFailed, WebhookFailed, WebhookRefused
from app.domain.ports import Clock
from app.domain.review import Approval, ApprovalStatus, Backlog, DueReport, ReviewedCommand

FIRST_RETRY = timedelta(seconds=1)
LONGEST_RETRY = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=24)
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
        while settled := await self._outbox.unreported():
            for approval in settled:
                await self._outbox.add(to_report(approval, self._clock.now()))
        while report := await self._outbox.take_due(self._clock.now()):
            await self._deliver(report)
        following = await self._outbox.next_due()
        return None if following is None else max(following - self._clock.now(), timedelta())

    async def backlog(self) -> Backlog:
        """How many reports wait after a failure, how many were given up."""
        return await self._outbox.backlog()

    async def _deliver(self, report: DueReport) -> None:
        now = self._clock.now()
        facts = {"approval_id": report.approval_id, "attempts": report.attempts + 1}
        try:
            await self._sender.send(report, now)
        except WebhookRefused as error:
            await self._outbox.abandon(report.approval_id, str(error))
            log.error("report refused by the backend", extra=facts)  # noqa: TRY400 - no bug of ours
        except WebhookFailed as error:
            await self._retry_later(report, now, str(error))
        else:
            await self._outbox.delivered(report.approval_id)
            log.info("decision reported", extra=facts)

    async def _retry_later(self, report: DueReport, now: datetime, error: str) -> None:
        pause = pause_after(report.attempts, self._jitter())
        if now + pause > report.created_at + GIVE_UP_AFTER:
            await self._outbox.abandon(report.approval_id, f"Given up after 24 hours: {error}")
            log.error("report given up", extra={"approval_id": report.approval_id})
            return
        await self._outbox.postpone(report.approval_id, now + pause, error)


def pause_after(attempts: int, jitter: float) -> timedelta:
    """Doubles from a second to five minutes; jitter takes off up to a half."""
    longest = min(LONGEST_RETRY, FIRST_RETRY * (1 << min(attempts, 20)))
    return longest * (1 - jitter / 2)


def to_report(approval: Approval, now: datetime) -> DueReport:
    """The body of the webhook, as contract clients read it and with the facts beside it."""
    body: dict[str, object] = {
        "approval_id": approval.approval_id,
        "status": approval.status,
        "approved_count": approval.approved_count,
        "rejected_count": approval.rejected_count,
        "commands": [_command(approval.status, command) for command in approval.commands],
        "reviewer": approval.reviewer,
        "decided_at": _iso(approval.decided_at),
        "proposed_at": _iso(approval.proposed_at),
    }
    if approval.status is ApprovalStatus.REJECTED:
        body["rejection_reason"] = approval.reason
    return DueReport(approval.approval_id, orjson.dumps(body), now, 0)


def _command(status: ApprovalStatus, command: ReviewedCommand) -> dict[str, object]:
    is_approved = status is ApprovalStatus.APPROVED and not command.is_refused
    return {
        "command": command.text,
        "decision": "approved" if is_approved else "rejected",
        "reason": command.output if command.is_refused else None,
        "status": command.status,
        "output": command.output[:OUTPUT_LIMIT],
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat()
