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
class Guidance:
    """Everything earlier decisions say about one incident; empty when nothing is known."""

    examples: tuple[Example, ...] = ()
    scoreboard: tuple[ActionScore, ...] = ()
    lessons: tuple[str, ...] = ()
    """Sentences such as `rollout restart of a statefulset was rejected 3 of 3 times`."""
    note: str = ""
    """Set when nothing known is good enough here."""
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
        return not (self.examples or self.scoreboard or self.lessons or self.note)

    def score_of(self, action: str) -> ActionScore | None:
        """The scoreboard's line for an action."""
        return next((line for line in self.scoreboard if line.action == action), None)
