"""Takes away what is old and large; how each workflow ended stays."""

from datetime import datetime

import sqlalchemy as sa

from app.adapters.storage.tables import events, inputs, proposals, stamp, workflows

OLD = (
    sa.select(workflows.c.workflow_id, workflows.c.terminal_seq)
    .where(
        workflows.c.finished_at.is_not(None),
        workflows.c.purged_at.is_(None),
        workflows.c.finished_at < sa.bindparam("before"),
        ~sa.exists().where(
            proposals.c.workflow_id == workflows.c.workflow_id,
            proposals.c.approval_id.is_(None),
            proposals.c.declined.is_(None),
        ),
    )
    .order_by(workflows.c.finished_at)
    .limit(sa.bindparam("most"))
)
NO_INPUT = sa.delete(inputs).where(inputs.c.workflow_id == sa.bindparam("id"))
NO_EVENTS = sa.delete(events).where(
    events.c.workflow_id == sa.bindparam("id"), events.c.seq < sa.bindparam("terminal")
)
NO_PAYLOAD = (
    sa.update(proposals).where(proposals.c.workflow_id == sa.bindparam("id")).values(payload="")
)
PURGED = (
    sa.update(workflows)
    .where(workflows.c.workflow_id == sa.bindparam("id"))
    .values(first_seq=workflows.c.terminal_seq, purged_at=sa.bindparam("at"))
)


def purge(connection: sa.Connection, finished_before: datetime, limit: int, now: datetime) -> int:
    """Purge workflows that ended before and have delivered what they proposed; how many."""
    values = {"before": stamp(finished_before), "most": limit}
    old = connection.execute(OLD, values).all()
    if old:
        at = stamp(now)
        rows = [{"id": row.workflow_id, "terminal": row.terminal_seq, "at": at} for row in old]
        ids = [{"id": row.workflow_id} for row in old]
        connection.execute(NO_INPUT, ids)
        connection.execute(NO_PAYLOAD, ids)
        connection.execute(NO_EVENTS, [{"id": r["id"], "terminal": r["terminal"]} for r in rows])
        connection.execute(PURGED, [{"id": r["id"], "at": at} for r in rows])
    return len(old)
