"""How a run ended: its last sentence, and what it came to although it may have stopped early."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.domain.approval import SubmissionReport
from app.domain.events import EventStatus, Recorded
from app.domain.words import counted
from app.domain.workflow import WorkflowState
from app.workflow.state import State, answers_in, proposals_in

STATUS = {
    WorkflowState.COMPLETED: EventStatus.COMPLETED,
    # Old clients know no third way, and a run that stopped early must not look like a healthy end.
    WorkflowState.CANCELLED: EventStatus.ERROR,
    WorkflowState.FAILED: EventStatus.ERROR,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What the terminal event says."""

    state: WorkflowState
    sentence: str

    @property
    def status(self) -> EventStatus:
        """As the contract knows it."""
        return STATUS[self.state]

    def outcome(self, recorded: Sequence[Recorded]) -> dict[str, object]:
        """The whole run in numbers and names, by what stands in its events."""
        answers = answers_in(recorded)
        findings, analysis = answers.get("findings"), answers.get("analysis")
        remediation = answers.get("remediation")
        return {
            "state": self.state,
            "sentence": self.sentence,
            "is_partial": self.state is not WorkflowState.COMPLETED and bool(answers),
            "errors": len(findings.errors) if findings else 0,
            "warnings": len(findings.warnings) if findings else 0,
            "root_causes": len(analysis.root_cause_analysis) if analysis else 0,
            "plans": len(remediation.remediation_plans) if remediation else 0,
            "proposals": [*_submitted(recorded), *_not_delivered(answers.get("report"))],
        }


def ended_early(state: WorkflowState, reason: str, recorded: Sequence[Recorded]) -> Ending:
    """An ending that says what there is, so that nobody takes it for nothing or for everything."""
    answers = answers_in(recorded)
    found = "; ".join(_found(answers, len(proposals_in(recorded))))
    rest = f"The result is partial: {found}." if found else "There is no result yet."
    return Ending(state, f"{reason} {rest}")


def _found(answers: State, submitted: int) -> Iterator[str]:
    if findings := answers.get("findings"):
        errors, warnings = len(findings.errors), len(findings.warnings)
        yield f"{counted(errors, 'error')} and {counted(warnings, 'warning')} found"
    if analysis := answers.get("analysis"):
        yield counted(len(analysis.root_cause_analysis), "root cause")
    if remediation := answers.get("remediation"):
        yield counted(len(remediation.remediation_plans), "plan")
    if submitted:
        yield f"{counted(submitted, 'proposal')} submitted, which a person can still decide"


def _submitted(recorded: Sequence[Recorded]) -> Iterator[dict[str, object]]:
    for proposal in proposals_in(recorded):
        yield {"service": proposal["service"], "approval_id": proposal["approval_id"]}


def _not_delivered(report: SubmissionReport | None) -> Iterator[dict[str, object]]:
    for submission in report.submissions if report else ():
        if submission.approval_id is None:
            yield {"service": submission.service, "approval_id": None, "error": submission.error}
