"""Whether people have changed their minds: how likely a case still tells what they say now (pure).

The cases like an incident are cut in two at every place. Where newer and older decisions on the same
actions go together badly, a change of mind in between explains them better than chance, and what
came before it counts less, for all of these actions: also what was refused then is open again.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, lgamma, log

from app.learning.cases import NEAREST

CHANGE = 1 / (2 * NEAREST)
"""How likely a change is between two cases, before looking: as likely as not among all looked at."""


@dataclass(frozen=True, slots=True)
class Word:
    """What was said to an action in one case, by weight."""

    action: str
    approved: float
    rejected: float


@dataclass(slots=True)
class _Part:
    """What was said to one action on one side of a cut."""

    approved: float = 0.0
    rejected: float = 0.0
    likelihood: float = 0.0
    """Of just this under one opinion, whichever it is: a Beta integral, as a logarithm."""

    def add(self, word: Word, times: int) -> None:
        """Move it in; with -1, out. Rounding never leaves less than nothing."""
        approved, rejected = self.approved, self.rejected
        self.approved = approved = max(approved + times * word.approved, 0.0)
        self.rejected = rejected = max(rejected + times * word.rejected, 0.0)
        total = lgamma(2 + approved + rejected)
        self.likelihood = lgamma(1 + approved) + lgamma(1 + rejected) - total


def validity(newest_first: Sequence[Sequence[Word]]) -> list[float]:
    """For each case the likelihood that no change of mind came after it."""
    older: defaultdict[str, _Part] = defaultdict(_Part)
    for word in (word for words in newest_first for word in words):
        older[word.action].add(word, 1)
    if not any(part.approved and part.rejected for part in older.values()):
        return [1.0] * len(newest_first)
    cuts = [*_cuts(newest_first, older)]
    most = max(cuts)
    likelihoods = [exp(cut - most) for cut in cuts]
    total, valid, found = sum(likelihoods), 1.0, [1.0]
    for likelihood in likelihoods[1:]:
        valid -= likelihood / total
        found.append(max(valid, 0.0))
    return found


def _cuts(
    newest_first: Sequence[Sequence[Word]], older: defaultdict[str, _Part]
) -> Iterator[float]:
    """How well no cut explains everything, then a cut after each case but the oldest."""
    newer: defaultdict[str, _Part] = defaultdict(_Part)
    fit = sum(part.likelihood for part in older.values())
    yield fit + log(max(1 - CHANGE * (len(newest_first) - 1), CHANGE))
    for words in newest_first[:-1]:
        for word in words:
            before, after = older[word.action], newer[word.action]
            fit -= before.likelihood + after.likelihood
            before.add(word, -1)
            after.add(word, 1)
            fit += before.likelihood + after.likelihood
        yield fit + log(CHANGE)
