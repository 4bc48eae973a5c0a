"""What people decided before, chosen for one incident: the learning side of a remediation question."""

from dataclasses import dataclass
from enum import StrEnum


class ExampleRole(StrEnum):
    """Why an earlier plan is shown."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Edit:
    """A command that people changed before they approved it."""

    action: str
    """Of the command as it was proposed."""
    proposed: str
    changed_to: str


@dataclass(frozen=True, slots=True)
class JustRejected:
    """An action that was rejected in the last decision on a like incident."""

    action: str
    feedback_id: str
    note: str
    """The reviewer's own words; may be empty."""
    changed_to: str = ""
    """The command of another action that people put in its place; empty where they refused it."""

    @property
    def sentence(self) -> str:
        """What the last decision on the action was."""
        why = f" (“{self.note}”)" if self.note else ""
        said = f"changed to “{self.changed_to}”" if self.changed_to else "rejected"
        return f"{self.action} was {said} the last time on an incident like this{why}"


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
    edits: tuple[Edit, ...] = ()
    facets: tuple[str, ...] = ()
    """The circumstances that were compared, such as `environment staging, here production`."""


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
    is_put_down: bool = False
    """Whether it stands behind the rest because it was rejected the last time on a like incident."""


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
    just_rejected: tuple[JustRejected, ...] = ()
    """What a plan repeats only if it says why."""
    is_held_out: bool | None = None
    """Whether the workflow is in the control group, which is planned without what was learned.

    None where nobody drew, as is `holdout_share`.
    """
    holdout_share: float | None = None
    """How likely it was to be; 0 where it could not be."""
    propensity: float | None = None
    """How likely all of this was to be what is shown; None where that is not known."""
    withheld: int = 0
    """Examples that a workflow outside the control group would have got."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is said about the incident."""
        said = (self.examples, self.scoreboard, self.lessons, self.note, self.just_rejected)
        return not any(said)

    def lessons_on(self, action: str) -> list[Lesson]:
        """The lessons about an action."""
        return [lesson for lesson in self.lessons if action in lesson.actions]

    def last_rejection_of(self, action: str) -> JustRejected | None:
        """Set when the last decision on an action was a rejection."""
        return next((one for one in self.just_rejected if one.action == action), None)

    def edits_of(self, action: str) -> list[Edit]:
        """How people changed commands of an action."""
        edits = (edit for example in self.examples for edit in example.edits)
        return [edit for edit in dict.fromkeys(edits) if edit.action == action]

    def score_of(self, action: str) -> ActionScore | None:
        """The scoreboard's line for an action."""
        return next((line for line in self.scoreboard if line.action == action), None)
