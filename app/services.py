"""The parts list: what routes and the command line may use."""

from dataclasses import dataclass

from app.domain.ports import ApprovalGate, EventLog, LogSource, Reasoner
from app.learning.lesson_desk import LessonDesk
from app.learning.recorder import FeedbackRecorder
from app.learning.report import FeedbackReport
from app.observability.metrics import Metrics
from app.security.webhooks import WebhookDoor
from app.workflow.admission import Admission
from app.workflow.cancellation import Cancellation
from app.workflow.process import WorkflowProcess
from app.workflow.reactions import Reactions
from app.workflow.reading import WorkflowReader


@dataclass(frozen=True, slots=True)
class Services:
    """Everything open, built once by bootstrap."""

    admission: Admission
    cancellation: Cancellation
    process: WorkflowProcess
    workflows: WorkflowReader
    events: EventLog
    feedback: FeedbackRecorder
    feedback_report: FeedbackReport
    lessons: LessonDesk
    reactions: Reactions
    webhook_door: WebhookDoor
    log_source: LogSource | None
    """None when ELASTICSEARCH_URL is not set."""
    approvals: ApprovalGate
    reasoner: Reasoner
    metrics: Metrics
