"""Who wants to hear of new events in this process, and up to where they have heard."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from app.domain.events import Recorded
from app.domain.ids import WorkflowId
from app.domain.ports import Listener


class Listeners:
    """Belongs to the event loop: nothing here may be called from a thread."""

    def __init__(self) -> None:
        """Start with nobody."""
        self._listeners: dict[WorkflowId, list[Listener]] = {}
        self._heard: dict[WorkflowId, int] = {}

    @property
    def heard(self) -> Mapping[WorkflowId, int]:
        """Of each workflow that somebody listens to, the last number told; 0 for nothing yet."""
        return self._heard

    @contextmanager
    def subscribed(self, workflow_id: WorkflowId, listener: Listener) -> Iterator[None]:
        """Call the listener until left."""
        listeners = self._listeners.setdefault(workflow_id, [])
        listeners.append(listener)
        self._heard.setdefault(workflow_id, 0)
        try:
            yield
        finally:
            listeners.remove(listener)
            if not listeners:
                del self._listeners[workflow_id], self._heard[workflow_id]

    def show(self, recorded: Sequence[Recorded]) -> None:
        """Tell what was not told before; whoever comes late with old events is not heard."""
        if not recorded:
            return
        workflow_id, last = recorded[0].workflow_id, recorded[-1].seq
        listeners = self._listeners.get(workflow_id)
        if listeners is None or last <= (heard := self._heard[workflow_id]):
            return
        self._heard[workflow_id] = last
        new = [event for event in recorded if event.seq > heard]
        for listener in tuple(listeners):
            listener(new)
