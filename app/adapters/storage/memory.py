"""The event log in a dict: for one diagnosis in the terminal, gone with the process."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from app.adapters.storage.frames import to_frame
from app.domain.errors import Conflict, NotFound
from app.domain.events import Event, EventType, Latecomer, LogBounds, Recorded, Writer
from app.domain.ids import WorkflowId
from app.domain.ports import Clock, Listener


class MemoryEventLog:
    """EventLog without a file; a claim is not asked for, because nobody else can have one."""

    epoch = "memory"

    def __init__(self, clock: Clock) -> None:
        """Start empty."""
        self._clock = clock
        self._recorded: defaultdict[WorkflowId, list[Recorded]] = defaultdict(list)
        self._ended: set[WorkflowId] = set()
        self._listeners: defaultdict[WorkflowId, list[Listener]] = defaultdict(list)

    async def append(
        self, workflow_id: WorkflowId, events: Sequence[Event], writer: Writer
    ) -> Sequence[Recorded]:
        """Keep, then show to listeners."""
        kept, now = self._recorded[workflow_id], self._clock.now()
        if isinstance(writer, Latecomer) and writer.last != len(kept):
            raise Conflict(f"The log of workflow {workflow_id} does not end there.")
        if (workflow_id in self._ended) is not isinstance(writer, Latecomer):
            raise Conflict(f"Workflow {workflow_id} is not in a state for this.")
        recorded = [
            Recorded(
                workflow_id,
                seq,
                event.type,
                event.is_terminal,
                to_frame(event, self.epoch, workflow_id, seq, now),
                now,
            )
            for seq, event in enumerate(events, len(kept) + 1)
        ]
        kept.extend(recorded)
        if any(event.is_terminal for event in events):
            self._ended.add(workflow_id)
        for listener in tuple(self._listeners[workflow_id]):
            listener(recorded)
        return recorded

    async def read(self, workflow_id: WorkflowId, after: int, limit: int) -> Sequence[Recorded]:
        """Events with `seq > after`, in order."""
        return self._recorded[workflow_id][after : after + limit]

    async def bounds(self, workflow_id: WorkflowId) -> LogBounds:
        """Where the log begins and ends; raises NotFound."""
        if not (kept := self._recorded[workflow_id]):
            raise NotFound(f"Workflow '{workflow_id}' not found")
        return LogBounds(
            first=1,
            last=len(kept),
            terminal=next((event.seq for event in kept if event.is_terminal), 0),
            outcome=next((event.seq for event in kept if event.type is EventType.OUTCOME), 0),
        )

    @contextmanager
    def subscribe(self, workflow_id: WorkflowId, listener: Listener) -> Iterator[None]:
        """Call the listener with what is appended, until left."""
        self._listeners[workflow_id].append(listener)
        try:
            yield
        finally:
            self._listeners[workflow_id].remove(listener)
