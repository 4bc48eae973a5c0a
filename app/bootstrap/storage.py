"""Assembly of what is stored, and of what processes share through it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from langgraph.checkpoint.base import BaseCheckpointSaver

from app.adapters.queue.dbos import open_dbos_queue
from app.adapters.storage.checkpoints import open_checkpointer
from app.adapters.storage.database import open_database
from app.adapters.storage.events import SqlEventLog, read_epoch
from app.adapters.storage.outbox import SqlProposalOutbox
from app.adapters.storage.processes import SqlProcessTable
from app.adapters.storage.workflows import SqlWorkflowStore
from app.bootstrap.feedback import open_ledger
from app.bootstrap.location import database_location
from app.domain.ids import new_process_id
from app.domain.ports import Clock, EventLog, JobQueue, ProposalOutbox, WorkflowStore
from app.learning.ledger import FeedbackLedger
from app.observability.metrics import Metrics
from app.settings import Settings
from app.workflow.takeover import Takeover


@dataclass(frozen=True, slots=True)
class Storage:
    """Everything on the one database, and what people decided beside it."""

    workflows: WorkflowStore
    events: EventLog
    outbox: ProposalOutbox
    queue: JobQueue
    takeover: Takeover
    checkpointer: BaseCheckpointSaver[str]
    ledger: FeedbackLedger


@asynccontextmanager
async def open_storage(
    settings: Settings, clock: Clock, metrics: Metrics
) -> AsyncIterator[Storage]:
    """The database migrated, and this process known to the others; raises StartupFailed."""
    me, location = new_process_id(), database_location(settings)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            open_database(location, settings.sqlite_synchronous)
        )
        queue = await stack.enter_async_context(
            open_dbos_queue(location.url, me, settings.max_concurrent_workflows)
        )
        checkpointer = await stack.enter_async_context(open_checkpointer(location))
        ledger = await stack.enter_async_context(open_ledger(settings))
        events = SqlEventLog(database, clock, await read_epoch(database), metrics)
        workflows = SqlWorkflowStore(database, clock, me, events)
        takeover = Takeover(SqlProcessTable(database, me), queue, workflows)
        await stack.enter_async_context(events.following(lambda: takeover.has_peers))
        yield Storage(
            workflows,
            events,
            SqlProposalOutbox(database, clock, me),
            queue,
            takeover,
            checkpointer,
            ledger,
        )
