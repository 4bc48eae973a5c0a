"""What is said of a plan after the agents are done: decision, executions, outcome (pure)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import orjson

from app.domain.answer import AgentName
from app.domain.approval import CommandDecision, CommandVerdict
from app.domain.course import Course
from app.domain.events import Event, EventStatus, EventType
from app.domain.feedback import FeedbackRecord, PlanStatus
from app.domain.proof import Recovery
from app.domain.words import counted

Ended = tuple[str, int, int]
"""Feedback id, round, number of the command."""

UNDONE = {
    "succeeded": "undone",
    "failed": "undo_failed",
    "unknown": "undo_unknown",
    "skipped": "undo_skipped",
}
"""The status of a command that was to be taken back, by how that ended."""
OUTPUT_CHARACTERS = 2048
MOST_FACTS = 200
RUNS = {CommandDecision.APPROVED, CommandDecision.EDITED}
FINAL = {"succeeded", "failed", "unknown", "skipped", "recorded"}
WORST_FIRST = (Recovery.NOT_RECOVERED, Recovery.UNKNOWN, Recovery.RECOVERED)
LATE = "The decision came when the request had expired."
ENDED = {PlanStatus.APPROVED, PlanStatus.REJECTED, PlanStatus.EXPIRED, PlanStatus.DECLINED}


def is_concluded(record: FeedbackRecord) -> bool:
    """Whether everything that can be known of a plan is known."""
    if record.status not in ENDED:
        return False
    if not record.courses or record.status is PlanStatus.REJECTED:
        return True
    return all(course.is_final for course in record.courses)


def proposals_of(record: FeedbackRecord) -> Iterator[tuple[str, Event]]:
    """A plan's proposals at the approval server."""
    for approval_id in record.approval_ids:
        data = {"approval_id": approval_id, "feedback_id": record.feedback_id}
        yield approval_id, _event(EventType.PROPOSAL, data)


def decision_of(record: FeedbackRecord) -> Iterator[Event]:
    """A plan's decision as it counts now, or that nobody made one in time."""
    if record.status not in ENDED:
        return
    course = _course(record)
    decided = course.decided if course else None
    decisive = decided or (course.expired if course else None)
    round_ = course.round if course else 1
    data = _head(record) | {
        "round": round_,
        "status": record.status,
        "rejection_reason": record.rejection_reason,
        "approved_commands": record.approved_count,
        "rejected_commands": record.rejected_count,
        "reviewer": decided.reviewer if decided else None,
        "is_late": record.is_late,
        "is_signed": decisive is not None and decisive.is_signed,
        "commands": [
            {"number": number, **_said(verdict)}
            for number, verdict in enumerate(decided.commands if decided else ())
        ],
    }
    yield _event(EventType.DECISION, data)


def executions_of(record: FeedbackRecord) -> Iterator[tuple[Ended, Event]]:
    """Every command that was to run and has come to its end."""
    for course in record.courses:
        for number, verdict in enumerate(course.ended):
            if verdict.decision not in RUNS or verdict.status not in FINAL:
                continue
            yield _execution(record, course, number, verdict, verdict.status)


def undos_of(record: FeedbackRecord) -> Iterator[tuple[Ended, Event]]:
    """Every command that somebody had taken back, or tried to."""
    for course in record.courses:
        for number, verdict in enumerate(course.undone.commands if course.undone else ()):
            if status := UNDONE.get(verdict.undo_status or ""):
                yield _execution(record, course, number, verdict, status)


def conclusion(records: Sequence[FeedbackRecord]) -> Event:
    """What it all came to; nothing is claimed that nobody measured."""
    statuses = Counter(record.status for record in records)
    verified = [
        course.verified.verification
        for record in records
        for course in record.courses
        if course.verified and course.verified.verification
    ]
    measured = {verification.recovery for verification in verified}
    facts = [fact for verification in verified for fact in verification.facts]
    data: dict[str, object] = {
        "approved": statuses[PlanStatus.APPROVED],
        "rejected": statuses[PlanStatus.REJECTED],
        "expired": statuses[PlanStatus.EXPIRED],
        "declined": statuses[PlanStatus.DECLINED],
        "recovery": next((one for one in WORST_FIRST if one in measured), None),
        "facts": [fact.model_dump(mode="json") for fact in facts[:MOST_FACTS]],
        "plans": [_plan(record) for record in records],
    }
    return _event(EventType.OUTCOME, data)


def corrected(decision: Mapping[str, object], came_to: object) -> Event:
    """A decision after the outcome, with what it all comes to now."""
    return _event(EventType.DECISION, {**decision, "outcome": came_to})


def _execution(
    record: FeedbackRecord, course: Course, number: int, verdict: CommandVerdict, status: str
) -> tuple[Ended, Event]:
    data = _head(record) | {
        "approval_id": course.approval_id,
        "round": course.round,
        "number": number,
        "command": verdict.edited_to or verdict.command,
        "status": status,
        "output": (verdict.output or "")[:OUTPUT_CHARACTERS],
    }
    return (record.feedback_id, course.round, number), _event(EventType.EXECUTION, data)


def _plan(record: FeedbackRecord) -> dict[str, object]:
    course = _course(record)
    verified = course.verified if course else None
    verification = verified.verification if verified else None
    sentence = _sentence(record, course)
    return _head(record) | {
        "issue": record.issue,
        "status": record.status,
        "recovery": verification.recovery if verification else None,
        "outcome": record.outcome,
        "is_late": record.is_late,
        "commands": _fates(course),
        "sentence": f"{sentence} {LATE}" if record.is_late else sentence,
    }


def _sentence(record: FeedbackRecord, course: Course | None) -> str:
    if record.status is PlanStatus.DECLINED:
        return "The approval server did not take it, so nobody could decide; nothing was run."
    if record.status is PlanStatus.EXPIRED:
        return "Nobody decided in time; nothing was run."
    if record.status is PlanStatus.REJECTED:
        reason = f": {record.rejection_reason}" if record.rejection_reason else ""
        return f"Rejected{reason}; nothing was run."
    return _fate(course)


def _fate(course: Course | None) -> str:
    """What became of an approved plan."""
    if course and course.verified and course.verified.verification:
        verification = course.verified.verification
        return verification.sentence or f"Approved and run; {verification.recovery.value}."
    fates = _fates(course)
    if not fates:
        return "Approved; the approval server does not say what became of the commands."
    if fates.keys() == {"recorded"}:
        return "Approved and recorded; nothing was run."
    told = ", ".join(f"{counted(count, 'command')} {status}" for status, count in fates.items())
    return f"Approved: {told}; whether it helped was not measured."


def _fates(course: Course | None) -> dict[str, int]:
    """How many of the approved commands came to which end."""
    ended = course.ended if course else ()
    fates = (one.status for one in ended if one.decision in RUNS and one.status in FINAL)
    return dict(Counter(fate for fate in fates if fate))


def _course(record: FeedbackRecord) -> Course | None:
    """A plan has one approval, unless somebody linked it twice: then the later decision speaks."""
    decisive = [course for course in record.courses if course.decided or course.expired]
    return max(decisive, key=_decided_at, default=None)


def _decided_at(course: Course) -> tuple[bool, float]:
    event = course.decided or course.expired
    return course.decided is not None, event.ts.timestamp() if event else 0.0


def _said(verdict: CommandVerdict) -> dict[str, object]:
    return {
        "command": verdict.command,
        "decision": verdict.decision,
        "edited_to": verdict.edited_to,
        "reason": verdict.reason,
    }


def _head(record: FeedbackRecord) -> dict[str, object]:
    return {
        "feedback_id": record.feedback_id,
        "approval_id": next(iter(record.approval_ids), None),
    }


def _event(event_type: EventType, data: Mapping[str, object]) -> Event:
    text = orjson.dumps(data).decode()
    return Event(AgentName.KUBECTL_COMMAND, EventStatus.INFO, text, event_type)
