"""Assembly of the approval server: what `bootstrap` is for the backend, with a much shorter list."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager

from app.adapters.approvals.webhook import open_report_sender
from app.adapters.cluster.kubectl import KubectlRunner
from app.adapters.storage.approvals import SqliteApprovals, open_approvals
from app.adapters.storage.reports import SqliteReports
from app.approvals.changes import Changes
from app.approvals.desk import ApprovalDesk
from app.approvals.execution import Execution
from app.approvals.judging import CommandJudge
from app.approvals.reading import ReadOnlyCommands
from app.approvals.reports import DecisionReports
from app.approvals.services import ApprovalServices
from app.bootstrap.ground import SystemClock, own_folder
from app.domain.ports import CommandRunner
from app.kubectl.policy import load_policy
from app.settings import Settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_approval_services(settings: Settings) -> AsyncIterator[ApprovalServices]:
    """Everything the approval server needs; execution and reports run while it is open."""
    clock, changes = SystemClock(), Changes()
    secret = settings.webhook_secret
    async with AsyncExitStack() as stack:
        judge = CommandJudge(load_policy())
        runner = _runner(settings)
        stack.enter_context(own_folder(settings.data_dir, "approvals"))
        database = await stack.enter_async_context(open_approvals(settings.data_dir))
        sender = await stack.enter_async_context(
            open_report_sender(settings.webhook_url, secret.get_secret_value() if secret else None)
        )
        store = SqliteApprovals(database)
        reports = DecisionReports(SqliteReports(database), sender, clock, changes)
        execution = Execution(store, judge, runner, clock, changes)
        desk = ApprovalDesk(store, judge, clock, changes, has_cluster=runner is not None)
        await stack.enter_async_context(_running(execution.run(), reports.run()))
        stack.callback(desk.close)
        yield ApprovalServices(desk, reports, ReadOnlyCommands(judge, runner), clock)


def _runner(settings: Settings) -> CommandRunner | None:
    if settings.kubeconfig is None:
        return None
    return KubectlRunner(settings.kubeconfig, settings.command_timeout_seconds)


@asynccontextmanager
async def _running(*loops: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """The loops as tasks; one that fails takes the server down, so that it is started again."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_logged(loop)) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


async def _logged(loop: Coroutine[object, object, None]) -> None:
    try:
        await loop
    except Exception:
        log.exception("a part of the approval server failed")
        raise
