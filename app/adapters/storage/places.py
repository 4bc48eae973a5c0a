"""Tells waiting workflows how far they have come in the queue, seldom enough to be read."""

from collections.abc import Sequence
from datetime import datetime

import orjson
import sqlalchemy as sa

from app.adapters.storage.appending import insert, notify, to_recorded
from app.adapters.storage.tables import IS_QUEUED, workflows
from app.domain.answer import AgentName
from app.domain.events import Event, EventStatus, EventType, Recorded

PLACES = (
    sa.select(
        workflows.c.workflow_id,
        workflows.c.told_position,
        sa.func.row_number().over(order_by=workflows.c.position).label("place"),
    )
    .where(IS_QUEUED)
    .subquery()
)
NEWS = (
    sa.select(PLACES)
    .where(
        sa.or_(
            PLACES.c.told_position.is_(None),
            PLACES.c.place * 2 <= PLACES.c.told_position,
        )
    )
    .order_by(PLACES.c.place)
    .limit(sa.bindparam("most"))
)
# Rows that somebody changes just now are left for the next time: waiting for them, in this order,
# could stop both for good. The others stay ours until the commit.
FREE = (
    sa.select(workflows.c.workflow_id, workflows.c.told_position, workflows.c.last_seq)
    .where(workflows.c.workflow_id.in_(sa.bindparam("ids", expanding=True)), IS_QUEUED)
    .order_by(workflows.c.position)
    .with_for_update(skip_locked=True)
)
TELL = (
    sa.update(workflows)
    .where(workflows.c.workflow_id == sa.bindparam("id"))
    .values(told_position=sa.bindparam("place"), last_seq=sa.bindparam("seq"))
)


def tell(
    connection: sa.Connection, limit: int, epoch: str, now: datetime
) -> Sequence[Sequence[Recorded]]:
    """Note and append the new places; returns the events per workflow."""
    news = {row.workflow_id: row for row in connection.execute(NEWS, {"most": limit})}
    free = connection.execute(FREE, {"ids": list(news)}).all()
    # Another process may have told it since.
    rows = [row for row in free if row.told_position == news[row.workflow_id].told_position]
    if not rows:
        return ()
    told = [
        {"id": row.workflow_id, "place": news[row.workflow_id].place, "seq": row.last_seq + 1}
        for row in rows
    ]
    said = [
        to_recorded(each["id"], [_place(each["place"])], each["seq"], epoch, now) for each in told
    ]
    connection.execute(TELL, told)
    insert(connection, [event for events in said for event in events])
    notify(connection)
    return said


def _place(place: int) -> Event:
    data = orjson.dumps({"queue_position": place}).decode()
    return Event(AgentName.ORCHESTRATOR, EventStatus.INFO, data, EventType.PROGRESS)
