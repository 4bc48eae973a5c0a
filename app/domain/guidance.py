"""What people decided before, chosen for one incident: the learning side of a remediation question."""

from dataclasses import dataclass
from enum import StrEnum


class ExampleRole(StrEnum):
    """Why an earlier plan is shown."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Example:
    """An earlier plan like the one wanted, and what people made of it."""

    feedback_id: str
    role: ExampleRole
    reason: str
    """One sentence: why this one (similarity, decision, reward)."""
    similarity: float
    """0 to 1."""
    reward: float | None
    issue: str
    actions: tuple[str, ...]
    """`verb/kind` of the changing commands, such as `rollout restart/deployment`."""
    commands: tuple[str, ...]
    note: str
    """The reviewer's own words: rejection reason, comment, improvement; may be empty."""


@dataclass(frozen=True, slots=True)
class ActionScore:
    """How an action fared with people on incidents like this one."""

    action: str
    """`verb/kind`, as in `Example.actions`."""
    score: float
    """Expected acceptance, 0 to 1."""
    approved: int
    rejected: int
    """Decided changing commands on similar incidents."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A rule mined from decisions on whatever failures; it tells a preference, never a permission."""

    id: str
    sentence: str
    """Such as `In production, rollout restart of stateful workloads was rejected 6 of 7 times.`"""
    actions: tuple[str, ...]
    """The actions that it was mined from."""
    acceptance: float
    """The share of its decisions that accepted them."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """Everything earlier decisions say about one incident; empty when nothing is known."""

    examples: tuple[Example, ...] = ()
    scoreboard: tuple[ActionScore, ...] = ()
    lessons: tuple[Lesson, ...] = ()
    note: str = ""
    """Set when nothing known is good enough here."""

    def lessons_on(self, action: str) -> list[Lesson]:
        """The lessons about an action."""
        return [lesson for lesson in self.lessons if action in lesson.actions]

    def score_of(self, action: str) -> ActionScore | None:
        """The scoreboard's line for an action."""
        return next((line for line in self.scoreboard if line.action == action), None)
