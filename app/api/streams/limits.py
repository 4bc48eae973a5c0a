"""What bounds an event stream, in seconds and in number."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """The product's own values; tests have less patience."""

    heartbeat_seconds: float = 15.0
    """Silence after which a comment tells proxies and clients that the stream lives."""
    stall_seconds: float = 30.0
    """A connection through which nothing goes for so long is cut."""
    first_frame_seconds: float = 10.0
    """For a WebSocket client to say what it wants."""
    farewell_seconds: float = 0.5
    """For slow readers to take their last bytes when the process stops."""
    most_open: int = 10_000
    """Open streams of one process, of all doors together."""


DEFAULT_LIMITS = StreamLimits()
