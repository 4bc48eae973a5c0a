"""A log batch as text for a prompt, within a budget."""

from app.domain.logbatch import LogBatch

_CHARACTERS_PER_TOKEN = 4


def render_batch(batch: LogBatch, token_budget: int) -> str:
    """The whole input when it fits, else patterns first and lines as far as they fit."""
    room = token_budget * _CHARACTERS_PER_TOKEN
    rows = [f"{line.number}: {line.text}" for line in batch.excerpt]
    if batch.is_complete and sum(len(row) + 1 for row in rows) <= room:
        return "\n".join(rows)
    patterns = [
        f"{p.severity} x{p.count} line {p.samples[0].number}: {p.message}" for p in batch.patterns
    ]
    return "\n".join([*patterns, *rows])[:room]
