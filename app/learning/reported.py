"""An approval server's report as the feedback events that it stands for (pure)."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from app.domain.approval import ApprovalReport, CommandVerdict
from app.domain.course import Decided, Executed, Expired, Outcome, Report, Undone, Verified
from app.domain.feedback import event_id
from app.domain.ids import FeedbackId
from app.domain.proof import Recovery, Verification
from app.domain.report import ReportKind

OUTPUT_CHARACTERS = 2048
OUTCOMES: Mapping[Recovery, Outcome] = {
    Recovery.RECOVERED: Outcome.RESOLVED,
    Recovery.NOT_RECOVERED: Outcome.UNRESOLVED,
    Recovery.UNKNOWN: Outcome.UNKNOWN,
}
AFTER_EXECUTION = {ReportKind.EXECUTED, ReportKind.VERIFIED, ReportKind.UNDONE}


def events_of(
    report: ApprovalReport, at: datetime, feedback_id: FeedbackId | None
) -> tuple[Report, ...]:
    """Everything it says, as every report is the whole state; the same content has the same id.

    So an event that a lost report would have told comes with the next one.
    """
    return tuple(_events(report, _shared(report, at, feedback_id)))


def _events(report: ApprovalReport, shared: Mapping[str, Any]) -> Iterator[Report]:
    if report.kind is ReportKind.EXPIRED:
        yield Expired(id=_id(report, "expired"), **shared)
        return
    yield from _decided(report, shared)
    if report.kind in AFTER_EXECUTION or report.is_final:
        yield from _executed(report, shared)
    if report.verification is not None:
        yield _verified(report, report.verification, shared)
    if report.kind is ReportKind.UNDONE:
        yield Undone(id=_id(report, "undone"), **shared, commands=_undone(report))


def _shared(report: ApprovalReport, at: datetime, feedback_id: FeedbackId | None) -> dict[str, Any]:
    delivery = report.delivery
    return {
        "ts": at,
        "approval_id": report.approval_id,
        "feedback_id": feedback_id,
        "round": report.round,
        "is_signed": report.is_signed,
        "message_id": delivery.message_id if delivery else None,
        "signed_at": delivery.signed_at if delivery else None,
    }


def _decided(report: ApprovalReport, shared: Mapping[str, Any]) -> Iterator[Decided]:
    if report.decision is None:
        return
    commands = tuple(_without_fate(verdict) for verdict in report.commands)
    counts = (report.approved_count, report.rejected_count)
    said = (report.decision, report.rejection_reason or "", *counts, *commands)
    yield Decided(
        id=_id(report, "decided", *said),
        **shared,
        is_final=report.is_final and report.kind is ReportKind.DECIDED,
        decision=report.decision,
        rejection_reason=report.rejection_reason,
        approved_count=report.approved_count,
        rejected_count=report.rejected_count,
        commands=commands,
        reviewer=report.reviewer,
    )


def _executed(report: ApprovalReport, shared: Mapping[str, Any]) -> Iterator[Executed]:
    if not any(verdict.status for verdict in report.commands):
        return
    commands = tuple(_bounded(verdict) for verdict in report.commands)
    yield Executed(
        id=_id(report, "executed", *commands),
        **shared,
        is_final=report.is_final and report.kind is not ReportKind.VERIFIED,
        commands=commands,
    )


def _verified(
    report: ApprovalReport, verification: Verification, shared: Mapping[str, Any]
) -> Verified:
    return Verified(
        id=_id(report, "verified", verification.model_dump_json()),
        **shared,
        is_final=report.is_final or report.kind is ReportKind.UNDONE,
        outcome=OUTCOMES[verification.recovery],
        verification=verification,
    )


def _undone(report: ApprovalReport) -> tuple[CommandVerdict, ...]:
    return tuple(verdict.model_copy(update={"output": None}) for verdict in report.commands)


def _id(report: ApprovalReport, what: str, *said: object) -> str:
    return event_id(what, report.approval_id, report.round, *said)


def _without_fate(verdict: CommandVerdict) -> CommandVerdict:
    return verdict.model_copy(update={"status": None, "output": None, "undo_status": None})


def _bounded(verdict: CommandVerdict) -> CommandVerdict:
    output = verdict.output
    return verdict.model_copy(update={"output": output and output[:OUTPUT_CHARACTERS]})
