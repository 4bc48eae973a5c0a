"""Rewrites events in memory, as a store does with its lines."""

from collections.abc import Iterable

from app.adapters.storage.feedback_lines import parse_line, to_line
from app.domain.feedback import FeedbackEvent
from app.domain.rewriting import Rewriting, StoredLine


def rewritten_lines(lines: Iterable[bytes], rewriting: Rewriting) -> list[bytes]:
    """The log's lines afterwards."""
    stored = [StoredLine(raw, parse_line(raw)) for raw in lines]
    for line in stored:
        rewriting.look(line)
    head = [to_line(event).strip() for event in rewriting.news()]
    kept = (rewriting.keep(line) for line in stored)
    return head + [raw for raw in kept if raw is not None]


def rewritten(events: Iterable[FeedbackEvent], rewriting: Rewriting) -> list[FeedbackEvent]:
    """The log's events afterwards."""
    lines = rewritten_lines((to_line(event).strip() for event in events), rewriting)
    return [event for raw in lines if (event := parse_line(raw)) is not None]
