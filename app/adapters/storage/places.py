"""Tells waiting workflows how far they have come in the queue, seldom enough to be read."""

from collections.abc import Sequence
from datetime import datetime

import orjson
import sqlalchemy as sa

from app.adapters.storage.appending import Append
from app.adapters.storage.tables import workflows
from app.domain.answer import AgentName
from app.domain.events import Bystander, Event, EventStatus, EventType, Recorded
from app.domain.workflow import WorkflowState

IS_QUEUED = workflows.c.state == WorkflowState.QUEUED.value
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
# could stop both for good.
FREE = (
    sa.select(workflows.c.workflow_id, workflows.c.told_position)
    .where(workflows.c.workflow_id.in_(sa.bindparam("ids", expanding=True)), IS_QUEUED)
    .order_by(workflows.c.position)
    .with_for_update(skip_locked=True)
)
TELL = (
    sa.update(workflows)
    .where(workflows.c.workflow_id == sa.bindparam("id"))
    .values(told_position=sa.bindparam("place"))
)


def tell(
    connection: sa.Connection, limit: int, epoch: str, now: datetime
) -> Sequence[Sequence[Recorded]]:
    """Note and append the new places; returns the events per workflow."""
    news = {row.workflow_id: row for row in connection.execute(NEWS, {"most": limit})}
    said = []
    for workflow_id, told in connection.execute(FREE, {"ids": list(news)}).all():
        place = news[workflow_id].place
        # Another process may have told it since.
        if told == news[workflow_id].told_position:
            connection.execute(TELL, {"id": workflow_id, "place": place})
            append = Append(workflow_id, [_place(place)], Bystander(), epoch, now)
            said.append(append(connection))
    return said


def _place(place: int) -> Event:
    data = orjson.dumps({"queue_position": place}).decode()
    return Event(AgentName.ORCHESTRATOR, EventStatus.INFO, data, EventType.PROGRESS)
