"""How many of a plan's commands decisions approve and reject (pure)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from app.domain.approval import MOST_COMMANDS, CommandDecision, Decision
from app.domain.course import Decided


@dataclass(frozen=True, slots=True)
class Tally:
    """Commands that were approved, and commands that were rejected."""

    approved: int = 0
    rejected: int = 0

    @property
    def total(self) -> int:
        """The decided ones."""
        return self.approved + self.rejected

    @property
    def share(self) -> float | None:
        """The approved share; None when nothing was counted."""
        return self.approved / self.total if self.total else None

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        return Tally(self.approved + other.approved, self.rejected + other.rejected)


@dataclass(frozen=True, slots=True)
class Ballot:
    """A decision, and how many commands it can be about."""

    event: Decided
    limit: int | None
    """None where nobody can know."""

    def tally(self) -> Tally:
        """As told, but never more than a proposal can hold: another server may count in its own way.

        What the decision says of the whole comes first: an approval's approved ones, then its
        rejected ones in what is left; a rejection's the other way round.
        """
        told = _told(self.event)
        if self.limit is None:
            return told
        if self.event.decision is Decision.APPROVED:
            approved = min(told.approved, MOST_COMMANDS)
            return Tally(approved, min(told.rejected, MOST_COMMANDS - approved))
        rejected = min(told.rejected, MOST_COMMANDS)
        return Tally(min(told.approved, MOST_COMMANDS - rejected), rejected)

    def is_bare(self, commands: Collection[str]) -> bool:
        """Whether it says neither a number nor a word about one of these commands."""
        return not _told(self.event).total and not self.names(commands)

    def names(self, commands: Collection[str]) -> bool:
        """Whether it has a verdict on one of these commands."""
        return any(verdict.command in commands for verdict in self.event.commands)

    def of(self, count: int) -> Tally:
        """One word for so many commands."""
        return Tally(count, 0) if self.event.decision is Decision.APPROVED else Tally(0, count)


def counted(ballots: Iterable[Ballot], commands: Collection[str]) -> Tally:
    """All decisions on a plan; the last one without numbers stands for what is left over."""
    total, last = Tally(), None
    for ballot in ballots:
        if ballot.is_bare(commands):
            last = ballot
        else:
            total = total.plus(ballot.tally())
    return total if last is None else total.plus(last.of(max((last.limit or 0) - total.total, 0)))


def _told(event: Decided) -> Tally:
    if event.approved_count or event.rejected_count or not event.commands:
        return Tally(event.approved_count, event.rejected_count)
    said = [verdict.decision for verdict in event.commands]
    rejected = said.count(CommandDecision.REJECTED)
    return Tally(len(said) - rejected - said.count(CommandDecision.UNDECIDED), rejected)
