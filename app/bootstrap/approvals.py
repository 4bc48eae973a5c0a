"""Assembly of the approval server: what `bootstrap` is for the backend, with a much shorter list."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from app.adapters.approvals.webhook import open_report_sender
from app.adapters.storage.approval_servers import SqlServers
from app.adapters.storage.approvals import APPROVAL_FILE, SqlApprovals, open_approvals
from app.adapters.storage.audit import SqlAudit
from app.adapters.storage.audit_file import AUDIT_FILE, AuditFile
from app.adapters.storage.database import Database
from app.adapters.storage.location import DatabaseLocation
from app.adapters.storage.reports import SqlReports
from app.approvals.asking import ForbiddenProposals
from app.approvals.changes import Changes
from app.approvals.copying import AuditCopying
from app.approvals.desk import ApprovalDesk
from app.approvals.expiry import Expiry
from app.approvals.judging import CommandJudge
from app.approvals.presence import Presence
from app.approvals.reading import ReadOnlyCommands
from app.approvals.reports import DecisionReports
from app.approvals.services import ApprovalServices
from app.bootstrap.cluster import Ground, to_cluster_parts, to_reader
from app.bootstrap.ground import SystemClock, own_folder
from app.bootstrap.location import database_location
from app.domain.ids import new_process_id
from app.kubectl.policy import load_policy
from app.settings import Settings

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_approval_services(settings: Settings) -> AsyncIterator[ApprovalServices]:
    """Everything the approval server needs; execution and reports run while it is open."""
    clock, changes, me = SystemClock(), Changes(), new_process_id()
    secret = settings.webhook_secret
    async with AsyncExitStack() as stack:
        judge = CommandJudge(load_policy(settings.policy_file), clock)
        database = await stack.enter_async_context(_open_database(settings))
        sender = await stack.enter_async_context(
            open_report_sender(settings.webhook_url, secret.get_secret_value() if secret else None)
        )
        store = SqlApprovals(database, me, clock)
        reports = DecisionReports(SqlReports(database, me), sender, clock, changes)
        expiry = timedelta(minutes=settings.approval_expiry_minutes)
        await store.limit(expiry)
        cluster = to_cluster_parts(settings, Ground(store, judge, clock, changes), expiry)
        desk = ApprovalDesk(store, judge, clock, changes, cluster.looking, expiry)
        audit_file = AuditFile(settings.data_dir / AUDIT_FILE)
        audit = AuditCopying(SqlAudit(database), audit_file, changes)
        if database.location.is_postgres:
            presence = Presence(SqlServers(database, me), changes)
            await presence.look()
            await stack.enter_async_context(_running(presence.run()))
        expiring = Expiry(store, clock, changes)
        await stack.enter_async_context(
            _running(*cluster.loops, reports.run(), expiring.run(), audit.run())
        )
        stack.callback(desk.close)
        yield ApprovalServices(
            desk=desk,
            reports=reports,
            reads=ReadOnlyCommands(judge, to_reader(settings), settings.command_mode, store, clock),
            forbidden=ForbiddenProposals(judge, store, clock),
            audit=audit,
            clock=clock,
            mode=settings.command_mode,
        )


@asynccontextmanager
async def _open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database that servers share, or this server's own in the data folder."""
    if settings.database_url is not None:
        async with open_approvals(database_location(settings)) as database:
            yield database
        return
    with own_folder(settings.data_dir, "approvals"):
        location = DatabaseLocation.of_file(settings.data_dir / APPROVAL_FILE)
        async with open_approvals(location) as database:
            yield database


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
