"""Assembly of the backend, and of a diagnosis without one."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from app.adapters.approvals.remote import RemoteApprovalGate, open_remote_gate
from app.adapters.logs.elasticsearch import open_elasticsearch
from app.adapters.reasoning.gemini import open_gemini
from app.adapters.reasoning.playbook import PlaybookReasoner
from app.adapters.storage.memory import MemoryEventLog
from app.agents.prompts import render_prompt
from app.bootstrap.feedback import open_ledger
from app.bootstrap.ground import SystemClock
from app.bootstrap.storage import Storage, open_storage
from app.domain.ports import LogSource, Reasoner
from app.kubectl.policy import Policy, load_policy
from app.learning.environments import load_environments
from app.learning.holdout import Holdout, HoldoutSelector
from app.learning.lesson_desk import LessonDesk
from app.learning.lessons import LessonBook
from app.learning.recorder import FeedbackRecorder
from app.learning.report import FeedbackReport
from app.learning.selector import ExampleSelector
from app.observability.metrics import Metrics
from app.security.signatures import WebhookSignature
from app.security.webhooks import WebhookDoor
from app.services import Services
from app.settings import Settings
from app.workflow.admission import Admission
from app.workflow.cancellation import Cancellation
from app.workflow.delivery import ProposalDelivery
from app.workflow.dryrun import DryRun
from app.workflow.graph import build_graph
from app.workflow.measured import MeasuredReasoner
from app.workflow.process import WorkflowProcess
from app.workflow.reactions import Reactions
from app.workflow.reading import WorkflowReader
from app.workflow.runner import WorkflowRunner
from app.workflow.specialists import Specialists, Submit
from app.workflow.submission import CommandReview, ProposalSubmission
from app.workflow.upkeep import Upkeep


@asynccontextmanager
async def open_services(
    settings: Settings, own_reasoner: Reasoner | None = None
) -> AsyncIterator[Services]:
    """One process's parts; raises StartupFailed with one line that says what to change.

    A reasoner of the caller's own takes the place of the one that the settings name.
    """
    clock, metrics, signature = SystemClock(), Metrics(), _signature(settings)
    policy = load_policy(settings.policy_file)
    environments = load_environments(settings.environments_file)
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(open_storage(settings, clock, metrics))
        engine = await stack.enter_async_context(_open_reasoner(settings, own_reasoner))
        reasoner = MeasuredReasoner(engine, metrics)
        gate = await stack.enter_async_context(_open_gate(settings))
        log_source = await stack.enter_async_context(_open_log_source(settings))
        feedback = FeedbackRecorder(storage.ledger, clock, environments)
        report = FeedbackReport(storage.ledger)
        book = LessonBook()
        storage.ledger.watch(book)
        reactions = Reactions(storage.events, report, metrics)
        delivery = ProposalDelivery(gate, storage.outbox, feedback, reactions, metrics)
        review = CommandReview(reasoner, policy, metrics, clock)
        submission = ProposalSubmission(review, feedback, delivery)
        examples = ExampleSelector(
            storage.ledger, _exploration(settings, policy), book=book, environments=environments
        )
        selector = HoldoutSelector(examples, _holdout(settings, policy))
        specialists = _specialists(settings, reasoner, selector, submission.submit)
        runner = _runner(settings, storage, specialists, reactions, metrics)
        cancellation = Cancellation(storage.workflows, runner)
        upkeep = _upkeep(settings, storage, cancellation, clock, metrics)
        process = WorkflowProcess(storage.queue, runner, storage.takeover, upkeep, delivery)
        yield Services(
            admission=_admission(settings, storage, clock, metrics),
            cancellation=cancellation,
            process=process,
            workflows=WorkflowReader(storage.workflows, storage.events),
            events=storage.events,
            feedback=feedback,
            feedback_report=report,
            lessons=LessonDesk(storage.ledger, book, clock),
            reactions=reactions,
            webhook_door=WebhookDoor(signature),
            log_source=log_source,
            approvals=gate,
            reasoner=reasoner,
            metrics=metrics,
        )


@asynccontextmanager
async def open_dry_run(settings: Settings) -> AsyncIterator[DryRun]:
    """The four agents without storage and approvals; they learn from the feedback file."""
    events = MemoryEventLog(SystemClock())
    environments = load_environments(settings.environments_file)
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(open_ledger(settings))
        reasoner = await stack.enter_async_context(_open_reasoner(settings))
        policy = load_policy(settings.policy_file)
        review = CommandReview(reasoner, policy, Metrics(), SystemClock())
        # Nobody decides on a diagnosis, so there is nothing to measure.
        examples = ExampleSelector(
            ledger, _exploration(settings, policy), environments=environments
        )
        selector = HoldoutSelector(examples, Holdout(0.0, lambda _: False))
        specialists = _specialists(settings, reasoner, selector, review.submit)
        yield DryRun(build_graph(specialists, None), events)


def _admission(
    settings: Settings, storage: Storage, clock: SystemClock, metrics: Metrics
) -> Admission:
    most = settings.max_queued_workflows
    return Admission(storage.workflows, storage.queue, clock, metrics, most)


def _upkeep(
    settings: Settings,
    storage: Storage,
    cancellation: Cancellation,
    clock: SystemClock,
    metrics: Metrics,
) -> Upkeep:
    retain, learn = timedelta(days=settings.retain_days), storage.ledger.catch_up
    return Upkeep(storage.workflows, cancellation, clock, metrics, retain, learn)


def _holdout(settings: Settings, policy: Policy) -> Holdout:
    """Who is planned without what was learned; nobody where nothing is tried out."""
    return Holdout(settings.holdout_share, lambda name: bool(policy.why_protected(name)))


def _exploration(settings: Settings, policy: Policy) -> Callable[[str | None], bool]:
    """Where plans may try what nobody approved yet."""

    def explores_in(namespace: str | None) -> bool:
        is_protected = namespace is not None and bool(policy.why_protected(namespace))
        return settings.explore_protected_namespaces or not is_protected

    return explores_in


def _specialists(
    settings: Settings, reasoner: Reasoner, selector: HoldoutSelector, submit: Submit
) -> Specialists:
    return Specialists(reasoner, selector, submit, settings.agent_timeout_seconds)


def _runner(
    settings: Settings,
    storage: Storage,
    specialists: Specialists,
    reactions: Reactions,
    metrics: Metrics,
) -> WorkflowRunner:
    return WorkflowRunner(
        build_graph(specialists, storage.checkpointer),
        storage.workflows,
        storage.events,
        reactions,
        metrics,
        settings.workflow_timeout_seconds,
    )


def _open_gate(settings: Settings) -> AbstractAsyncContextManager[RemoteApprovalGate]:
    return open_remote_gate(
        settings.approval_base_url,
        settings.approval_page_url,
        is_ours=settings.mcp_server_url is None,
    )


def _signature(settings: Settings) -> WebhookSignature | None:
    secret = settings.webhook_secret
    return WebhookSignature(secret.get_secret_value()) if secret else None


@asynccontextmanager
async def _open_reasoner(
    settings: Settings, own_reasoner: Reasoner | None = None
) -> AsyncIterator[Reasoner]:
    if own_reasoner is not None:
        yield own_reasoner
        return
    if settings.google_api_key is None:
        yield PlaybookReasoner()
        return
    async with open_gemini(
        api_key=settings.google_api_key,
        model=settings.gemini_model_id,
        temperature=settings.temperature,
        max_tokens=settings.max_tokens,
        timeout_seconds=settings.agent_timeout_seconds,
        render=partial(
            render_prompt,
            log_tokens=settings.prompt_log_tokens,
            guidance_tokens=settings.prompt_guidance_tokens,
        ),
        base_url=settings.gemini_base_url,
    ) as gemini:
        yield gemini


@asynccontextmanager
async def _open_log_source(settings: Settings) -> AsyncIterator[LogSource | None]:
    if settings.elasticsearch_url is None:
        yield None
        return
    async with open_elasticsearch(
        url=settings.elasticsearch_url,
        index=settings.elasticsearch_index,
        user=settings.elasticsearch_user,
        password=settings.elasticsearch_password,
        api_key=settings.elasticsearch_api_key,
        max_hits=settings.elasticsearch_max_hits,
        timeout_seconds=settings.elasticsearch_timeout_seconds,
    ) as source:
        yield source
