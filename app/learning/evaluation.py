"""What the columns say of all plans: rates, the lift, the two policies, the examples (pure).

A pass over a million rows takes seconds, so this is done on a copy and outside of the event loop.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import nlargest

from app.learning.entries import ENVIRONMENTS, Entries
from app.learning.intervals import CommandTally, Interval
from app.learning.lift import Comparison, Lift
from app.learning.off_policy import OffPolicy, PolicySums
from app.learning.trials import Trial, expected

MODES_LIMIT = 50
"""Those with the most decided plans."""
WEEKS_LIMIT = 104
"""The latest ones."""
EXAMPLES_LIMIT = 20
"""The most used ones."""
_DAY = 24 * 60 * 60 * 1_000_000
"""Microseconds."""
_FIRST_MONDAY = -3
"""1970-01-01 was a Thursday: days since then until its week began."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How a group's commands were decided."""

    name: str
    plans: int
    """Decided ones."""
    approved_commands: int
    rejected_commands: int
    approval_rate: float
    interval: Interval
    """95 %, Wilson's, at the effective number of commands."""
    effective_commands: float


@dataclass(frozen=True, slots=True)
class Rates:
    """The approval rate in total and by group."""

    total: Rate
    failure_modes: tuple[Rate, ...]
    """The most decided first."""
    environments: tuple[Rate, ...]
    weeks: tuple[Rate, ...]
    """ISO weeks of the decisions, in UTC, oldest first: `2026-W48`."""


@dataclass(frozen=True, slots=True)
class ExampleUse:
    """How often an earlier plan was shown, and how the plans fared that were made with it."""

    example: int
    """The hash of its feedback id."""
    followed: int
    """Plans to which it was shown as one to follow; `avoided` as one not to."""
    avoided: int
    rate: Rate
    """Of the commands of those plans."""
    average_reward: float | None


@dataclass(frozen=True, slots=True)
class Worth:
    """What guidance gains by one measure of a workflow's plans."""

    lift: Lift
    off_policy: OffPolicy


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that is counted over all plans."""

    rates: Rates
    approval: Worth
    """By the approved share of a plan's commands."""
    reward: Worth
    """By a plan's reward, which counts changing commands, outcome and rating."""
    undecided_guided: int
    """Plans of the experiment that nobody has decided; the lift holds for the decided ones."""
    undecided_held_out: int
    examples: tuple[ExampleUse, ...]


def evaluate(entries: Entries) -> Evaluation:
    """All of it."""
    decided = entries.decided()
    undecided = Counter(
        is_held_out
        for is_randomised, is_decided, is_held_out in zip(
            entries.is_randomised, entries.is_decided, entries.is_held_out, strict=True
        )
        if is_randomised and not is_decided
    )
    return Evaluation(
        rates=rates_of(entries, decided),
        approval=_worth(trials_of(entries, decided, [*map(entries.share, decided)])),
        reward=_worth(trials_of(entries, decided, [*map(entries.reward, decided)])),
        undecided_guided=undecided[False],
        undecided_held_out=undecided[True],
        examples=tuple(uses_of(entries)),
    )


def rates_of(entries: Entries, decided: Iterable[int]) -> Rates:
    """The approval rate over these plans."""
    cells: defaultdict[tuple[int, int, int], CommandTally] = defaultdict(CommandTally)
    for plan in decided:
        week = (entries.decided_times[plan] // _DAY - _FIRST_MONDAY) // 7
        cell = cells[entries.modes[plan], entries.environments[plan], week]
        cell.add(entries.approved[plan], entries.rejected[plan])
    modes, environments, weeks = ([*_merged(cells, place).items()] for place in range(3))
    names = entries.mode_names.all()
    return Rates(
        total=_rate("all", _sum(cells.values())),
        failure_modes=tuple(
            _rate(names[mode], tally)
            for mode, tally in nlargest(MODES_LIMIT, modes, key=lambda item: item[1].plans)
        ),
        environments=tuple(
            _rate(ENVIRONMENTS[number], tally) for number, tally in sorted(environments, key=_first)
        ),
        weeks=tuple(
            _rate(_week(week), tally) for week, tally in sorted(weeks, key=_first)[-WEEKS_LIMIT:]
        ),
    )


def trials_of(
    entries: Entries, decided: Sequence[int], values: Sequence[float | None]
) -> Iterator[Trial]:
    """The randomised workflows in the order of their first decisions, each with its plans' mean.

    Chance chose once per workflow, so several plans of one are one observation. Whether and when a
    plan is decided must not depend on its side, which approval pages do not show; a rating or a
    second decision changes a value that was looked at before.
    """
    found: dict[int, _Workflow] = {}
    for plan, value in zip(decided, values, strict=True):
        if value is not None and entries.is_randomised[plan]:
            workflow = found.setdefault(entries.workflows[plan], _Workflow(plan))
            workflow.total += value
            workflow.plans += 1
    for workflow in found.values():
        plan = workflow.first
        yield Trial(
            is_held_out=bool(entries.is_held_out[plan]),
            holdout_share=entries.shares[plan],
            value=workflow.total / workflow.plans,
            context=entries.modes[plan] * len(ENVIRONMENTS) + entries.environments[plan],
        )


def uses_of(entries: Entries) -> Iterator[ExampleUse]:
    """The most used examples first."""
    uses = {example: _Use() for example in entries.shown.most_used(EXAMPLES_LIMIT)}
    for plan in range(len(entries)):
        for example, is_avoided in entries.shown.of(plan):
            if example in uses:
                uses[example].add(entries, plan, is_avoided=is_avoided)
    for example, use in uses.items():
        yield ExampleUse(
            example=example,
            followed=use.shown - use.avoided,
            avoided=use.avoided,
            rate=_rate("", use.tally),
            average_reward=use.reward / use.rewarded if use.rewarded else None,
        )


@dataclass(slots=True)
class _Workflow:
    """A workflow's decided plans, added up."""

    first: int
    total: float = 0.0
    plans: int = 0


@dataclass(slots=True)
class _Use:
    """The plans that were made with an example, added up."""

    shown: int = 0
    avoided: int = 0
    tally: CommandTally = field(default_factory=CommandTally)
    reward: float = 0.0
    rewarded: int = 0

    def add(self, entries: Entries, plan: int, *, is_avoided: bool) -> None:
        self.shown += 1
        self.avoided += is_avoided
        if not entries.is_decided[plan]:
            return
        self.tally.add(entries.approved[plan], entries.rejected[plan])
        reward = entries.reward(plan)
        if reward is not None:
            self.reward += reward
            self.rewarded += 1


def _worth(trials: Iterable[Trial]) -> Worth:
    comparison, policies = Comparison(), PolicySums()
    for one in expected(trials):
        comparison.add(one)
        policies.add(one)
    return Worth(comparison.lift(), policies.off_policy())


def _merged(cells: dict[tuple[int, int, int], CommandTally], place: int) -> dict[int, CommandTally]:
    """The tallies by one of the three parts of their keys."""
    merged: defaultdict[int, CommandTally] = defaultdict(CommandTally)
    for key, tally in cells.items():
        merged[key[place]].merge(tally)
    return merged


def _sum(tallies: Iterable[CommandTally]) -> CommandTally:
    total = CommandTally()
    for tally in tallies:
        total.merge(tally)
    return total


def _rate(name: str, tally: CommandTally) -> Rate:
    approved = round(tally.approved)
    return Rate(
        name=name,
        plans=tally.plans,
        approved_commands=approved,
        rejected_commands=tally.decided - approved,
        approval_rate=tally.rate,
        interval=tally.interval,
        effective_commands=tally.effective,
    )


def _week(number: int) -> str:
    """An ISO 8601 week by its place since the one of 1970-01-01."""
    monday = date.fromordinal(date(1970, 1, 1).toordinal() + 7 * number + _FIRST_MONDAY)
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02}"


def _first(item: tuple[int, CommandTally]) -> int:
    return item[0]
