"""What a course through the public door came to, in ratio to what the engine could have offered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.learning_door_client import Arm, Plan
from bench.learning_door_people import Team, Word
from bench.learning_door_texts import Situation

FIRST = 50
LATE = 100
BLOCK = 100
WANTED = 0.5
"""A remedy of which people want nothing is below."""


@dataclass(frozen=True, slots=True)
class Step:
    """One plan, and what is to be expected of it and of the best one that was on offer."""

    arm: Arm
    acceptance: float
    """How likely its changes are approved; 0 where it changes nothing."""
    best: float
    """The same of the best remedy that the engine could render here."""
    is_read_only: bool
    is_warned: bool
    """Whether the last word on something on offer was a rejection that the team stands by."""
    is_repeat: bool
    """Whether the plan does just that again."""
    is_silent: bool
    """Whether it repeats what was last rejected, rightly or not, without a word about it."""


class Watcher:
    """Turns plans into steps; remembers what was said last."""

    def __init__(self, team: Team) -> None:
        """Nothing was said yet."""
        self._team = team
        self._rejected: set[tuple[Situation, str]] = set()

    def look(self, situation: Situation, plan: Plan) -> Step:
        """Before anybody decides."""
        offered = plan.offered
        every = {action for actions in offered for action in actions}
        rejected = {action for action in every if (situation, action) in self._rejected}
        rightly = {action for action in rejected if not self._team.wants(situation, action)}
        return Step(
            arm=plan.arm,
            acceptance=self._expected(situation, plan.actions),
            best=max((self._expected(situation, actions) for actions in offered), default=0.0),
            is_read_only=not plan.actions,
            is_warned=bool(rightly),
            is_repeat=not rightly.isdisjoint(plan.actions),
            is_silent=not rejected.isdisjoint(plan.actions) and "reject" not in plan.words.lower(),
        )

    def note(self, situation: Situation, plan: Plan, word: Word) -> None:
        """What was said; the newest word on an action counts."""
        for (action, _), is_approved in zip(plan.judged, word.approved, strict=True):
            if is_approved:
                self._rejected.discard((situation, action))
            else:
                self._rejected.add((situation, action))

    def _expected(self, situation: Situation, actions: Sequence[str]) -> float:
        error = self._team.error
        chances = [
            1 - error if self._team.wants(situation, action) else error for action in actions
        ]
        return sum(chances) / len(chances) if chances else 0.0


def table(courses: Mapping[str, Sequence[Step]], error: float) -> str:
    """A Markdown table, a column for each course."""
    rows: list[tuple[str, Callable[[Sequence[Step]], str]]] = [
        ("plans", lambda steps: str(len(steps))),
        ("best on offer", lambda steps: _short(_mean([one.best for one in steps]))),
        ("if every wanted remedy were on offer", lambda steps: _short(1 - error)),
        (f"accepted, first {FIRST}", lambda steps: _short(_accepted(steps[:FIRST]))),
        (f"accepted, last {LATE}", lambda steps: _short(_accepted(steps[-LATE:]))),
        (f"accepted ÷ best on offer, first {FIRST}", lambda steps: _short(_ratio(steps[:FIRST]))),
        (f"accepted ÷ best on offer, last {LATE}", lambda steps: _short(_ratio(steps[-LATE:]))),
        ("the same, guided plans alone", lambda steps: _short(_ratio(_guided(steps[-LATE:])))),
        ("accepted, by hundred", _by_hundred),
        ("read-only plans, all", lambda steps: _share([one.is_read_only for one in steps])),
        (
            "read-only plans, late",
            lambda steps: _share([one.is_read_only for one in steps[-LATE:]]),
        ),
        ("rightly rejected again", _repeats),
        (
            "rightly rejected again, where something wanted was on offer",
            lambda steps: _repeats([one for one in steps if one.best >= WANTED]),
        ),
        (
            "repeats without a word about it",
            lambda steps: str(sum(one.is_silent for one in _guided(steps))),
        ),
    ]
    lines = [f"| | {' | '.join(courses)} |", "|---" * (len(courses) + 1) + "|"]
    for name, cell in rows:
        lines.append(f"| {name} | {' | '.join(cell(steps) for steps in courses.values())} |")
    return "\n".join(lines)


def _guided(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.arm is Arm.GUIDED]


def _repeats(steps: Sequence[Step]) -> str:
    warned = [step for step in _guided(steps) if step.is_warned]
    return f"{_share([step.is_repeat for step in warned])} of {len(warned)}"


def _by_hundred(steps: Sequence[Step]) -> str:
    blocks = [steps[start : start + BLOCK] for start in range(0, len(steps), BLOCK)]
    return ", ".join(_short(_accepted(block)) for block in blocks)


def _accepted(steps: Sequence[Step]) -> float:
    return _mean([step.acceptance for step in steps])


def _ratio(steps: Sequence[Step]) -> float:
    best = _mean([step.best for step in steps])
    return _accepted(steps) / best if best else 0.0


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _share(values: Sequence[bool]) -> str:
    return f"{100 * _mean(values):.0f} %"


def _short(value: float) -> str:
    return f"{value:.2f}".removeprefix("0")
