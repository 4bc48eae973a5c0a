"""The simulated people: reviewers who decide command by command, raters, and some of bad faith."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from app.domain.approval import ApprovalReport, CommandDecision, CommandVerdict, Decision, Delivery
from app.domain.feedback import Rating
from app.domain.ids import ApprovalId
from bench.learning_engine import Proposal
from bench.learning_world import Incident, World

REVIEWERS = ("Ada", "Ben", "Cem", "Dora", "Eli", "Fay")
NOISE = (0.05, 0.10)
"""Every reviewer errs with a rate of their own between these."""
QUIRKS = 0.03
"""Share of what wants deciding in which a reviewer differs from the team, always."""
EDITS = 0.1
READ_REJECTED = 0.03
RATED = 0.5
EXPLAINED = 0.5


class Manner(Enum):
    """How somebody decides."""

    HONEST = "honest"
    INVERTED = "inverted"
    RUBBER_STAMP = "rubber stamp"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who takes part in a scenario."""

    noise: tuple[float, float] = NOISE
    one_in_six: Manner = Manner.HONEST
    stamped_ratings: float = 0.0
    """Share of ratings that are five stars whatever the plan."""
    forged: float = 0.0
    """Share of plans for which somebody else reports the opposite of what people say."""


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What one person said to a plan."""

    reviewer: str
    commands: tuple[CommandVerdict, ...]
    rejected: frozenset[str]
    """Remedies."""

    @property
    def is_approval(self) -> bool:
        """One approved change makes it an approved plan."""
        return any(
            verdict.decision is not CommandDecision.REJECTED for verdict in self.commands[1:]
        )


@dataclass
class People:
    """Decides and rates with noise from outside."""

    world: World
    crowd: Crowd
    chance: Random
    _noise: Mapping[str, float] = field(init=False)
    _quirks: dict[tuple[object, ...], bool] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._noise = {name: self.chance.uniform(*self.crowd.noise) for name in REVIEWERS}

    @property
    def acceptance(self) -> float:
        """How likely an honest person approves what the team wants; the rest is noise."""
        return 1 - sum(self._noise.values()) / len(self._noise)

    def decide(self, incident: Incident, proposal: Proposal) -> Verdicts:
        """Somebody decides, command by command."""
        reviewer = self.chance.choice(REVIEWERS)
        read, *changes = (one.command for step in proposal.plan.steps for one in step.commands)
        verdicts = [_verdict(read, is_approved=self.chance.random() >= READ_REJECTED)]
        rejected = set()
        for remedy, command in zip(proposal.remedies, changes, strict=True):
            is_approved = self._says_yes(reviewer, incident, remedy)
            if not is_approved:
                rejected.add(remedy)
            verdicts.append(self._word(command, is_approved=is_approved))
        return Verdicts(reviewer, tuple(verdicts), frozenset(rejected))

    def rating(self, verdicts: Verdicts) -> Rating | None:
        """Stars that follow the decision, or five whatever it was; often none."""
        if self.chance.random() >= RATED:
            return None
        if self.chance.random() < self.crowd.stamped_ratings:
            return Rating(rating=5, was_helpful=True)
        is_good = verdicts.is_approval is not (
            self.chance.random() < self._noise[verdicts.reviewer]
        )
        return Rating(rating=self.chance.choice((4, 5) if is_good else (1, 2)), was_helpful=is_good)

    def is_forged(self) -> bool:
        """Whether somebody forges reports on the next plan."""
        return self.chance.random() < self.crowd.forged

    def _says_yes(self, reviewer: str, incident: Incident, remedy: str) -> bool:
        manner = self.crowd.one_in_six if reviewer == REVIEWERS[0] else Manner.HONEST
        if manner is Manner.RUBBER_STAMP:
            return True
        key = (reviewer, incident.situation, remedy)
        is_quirk = self._quirks.setdefault(key, self.chance.random() < QUIRKS)
        is_noise = self.chance.random() < self._noise[reviewer]
        flips = is_quirk + is_noise + (manner is Manner.INVERTED)
        return self.world.is_wanted(incident.situation, remedy) is not (flips % 2 == 1)

    def _word(self, command: str, *, is_approved: bool) -> CommandVerdict:
        if is_approved and self.chance.random() < EDITS:
            return CommandVerdict(
                command=command,
                decision=CommandDecision.EDITED,
                edited_to=f"{command} --field-manager=ops",
            )
        is_explained = not is_approved and self.chance.random() < EXPLAINED
        return _verdict(
            command, is_approved=is_approved, reason="Not like this" if is_explained else None
        )


def report_of(
    approval_id: ApprovalId, verdicts: Verdicts, delivery: Delivery | None
) -> ApprovalReport:
    """What the approval server tells of a decision."""
    return ApprovalReport(
        approval_id=approval_id,
        decision=Decision.APPROVED if verdicts.is_approval else Decision.REJECTED,
        rejection_reason=next((one.reason for one in verdicts.commands if one.reason), None),
        approved_count=0,
        rejected_count=0,
        is_signed=delivery is not None,
        commands=verdicts.commands,
        reviewer=verdicts.reviewer,
        delivery=delivery,
    )


def opposite(verdicts: Verdicts) -> Verdicts:
    """What a forger says of the same plan."""
    commands = tuple(
        _verdict(one.command, is_approved=one.decision is CommandDecision.REJECTED)
        for one in verdicts.commands
    )
    return Verdicts(verdicts.reviewer, commands, frozenset())


def _verdict(command: str, *, is_approved: bool, reason: str | None = None) -> CommandVerdict:
    decision = CommandDecision.APPROVED if is_approved else CommandDecision.REJECTED
    return CommandVerdict(command=command, decision=decision, reason=reason)


def noises(share: float) -> tuple[float, float]:
    """Everybody errs this often."""
    return (share, share)


def scenarios() -> Mapping[str, tuple[Crowd, bool]]:
    """By name who takes part, and whether the team changes its mind in the middle."""
    return {
        "base": (Crowd(), False),
        "drift": (Crowd(), True),
        "rubber stamps": (Crowd(one_in_six=Manner.RUBBER_STAMP, stamped_ratings=0.5), False),
        "one of six inverted": (Crowd(one_in_six=Manner.INVERTED), False),
        "forged": (Crowd(forged=0.3), False),
        "20 % noise": (Crowd(noise=noises(0.2)), False),
    }


def names() -> Sequence[str]:
    """The scenarios in their order."""
    return [*scenarios()]
