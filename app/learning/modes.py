"""What the name of a failure adds to the likeness of its texts (pure)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from app.domain.feedback import Signature

UNNAMED = frozenset({"", "unknown"})
SAME_MODE = 0.5
"""One failure is logged in many words: where its name is the same, half of the difference is left."""
SAME_WORDS = 0.5
"""From this likeness on, cases tell what an unnamed failure is called."""
MAJORITY = 0.6


def likeness(similarity: float, ours: Signature, theirs: Signature) -> float:
    """How like two failures are, 0 to 1, from the similarity of their words."""
    if ours.failure_mode in UNNAMED or ours.failure_mode != theirs.failure_mode:
        return similarity
    return similarity + SAME_MODE * (1 - similarity)


def recognize(signature: Signature, alike: Iterable[tuple[Signature, float]]) -> Signature:
    """An unnamed failure's signature under the name that most cases in the same words have."""
    votes: defaultdict[str, float] = defaultdict(float)
    for theirs, similarity in alike:
        if similarity >= SAME_WORDS and theirs.failure_mode not in UNNAMED:
            votes[theirs.failure_mode] += similarity
    mode = max(votes, key=lambda name: (votes[name], name), default="")
    if not mode or votes[mode] < MAJORITY * sum(votes.values()):
        return signature
    return replace(signature, failure_mode=mode)
