"""When DBOS looks into its queue: when there is reason to, and else seldom."""

import threading


class Pace:
    """A gate before each look, which costs DBOS some milliseconds of CPU; shut at first."""

    def __init__(self, idle_seconds: float) -> None:
        """Without a reason it looks once in so many seconds, for what other processes queue."""
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._has_reason = False
        self._is_open = False
        self._is_over = False
        self._is_waiting = True

    def wake(self) -> None:
        """There is a reason: something was queued, or there is room for more."""
        with self._changed:
            self._has_reason = True
            self._changed.notify_all()

    def open(self) -> None:
        """Looks are wanted from now on."""
        with self._changed:
            self._is_open = True
        self.wake()

    def close(self, limit_seconds: float) -> None:
        """No more looks; on return the last one is over, unless the limit passed before."""
        with self._changed:
            self._is_open = False
            self._changed.wait_for(lambda: self._is_waiting, limit_seconds)

    def end(self) -> None:
        """Let who waits go on, to find `is_over`."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    @property
    def is_over(self) -> bool:
        """Whether there is to be no look any more."""
        return self._is_over

    def wait(self) -> None:
        """Called before each look; returns when it is time."""
        with self._changed:
            self._is_waiting = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._has_reason or self._is_over, self._idle_seconds)
            self._changed.wait_for(lambda: self._is_open or self._is_over)
            self._is_waiting = self._has_reason = False
