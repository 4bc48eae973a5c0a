"""The simulated people at the public door: what a team wants, and reviewers who err.

Nothing in here is known to the product. A team wants an action where it works for the failure and
is tolerated for such a workload in such an environment. Some opinions every team shares; the rest is
drawn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from app.learning.actions import verb_of
from bench.learning_door_failures import FAILURES
from bench.learning_door_texts import Situation

REVIEWERS = ("Ada", "Ben", "Cem", "Dora", "Eli")
NOISE = (0.05, 0.10)
READ_REJECTED = 0.03
RATED = 0.4
EXPLAINED = 0.6
WORKS = 0.55
DRIFT = 1 / 3
TOLERATED: Mapping[str, tuple[float, float]] = {
    "production": (0.7, 0.5),
    "staging": (0.85, 0.75),
    "development": (0.95, 0.9),
}
"""By environment how likely a verb is tolerated, for stateless and for stateful workloads."""

SENSIBLE: Mapping[str, Sequence[str]] = {
    "out of memory": ("set resources", "rollout undo", "scale", "rollout restart"),
    "bad configuration": ("rollout undo", "rollout restart", "rollout pause", "set env"),
    "image not found": ("rollout undo", "set image", "rollout pause"),
    "not ready": ("rollout undo", "rollout restart", "patch", "scale", "delete"),
    "liveness": ("rollout undo", "patch", "set resources", "rollout restart"),
    "full disk": ("patch", "rollout restart", "delete", "scale"),
    "name resolution": ("rollout restart", "rollout undo", "delete", "patch"),
    "database refuses": ("rollout restart", "rollout undo", "scale", "set env"),
    "throttled": ("scale", "set resources", "rollout undo", "rollout restart"),
    "node pressure": ("cordon", "set resources", "delete", "drain"),
    "connections used up": ("rollout restart", "scale", "set env", "rollout undo"),
    "slow upstream": ("scale", "rollout restart", "rollout undo", "set resources"),
}
"""By failure the verbs that anybody would consider at all."""

Place = tuple[str, bool, str]
"""Environment, stateful or not, verb."""


@dataclass(frozen=True, slots=True)
class Word:
    """What one person said to a plan."""

    reviewer: str
    approved: tuple[bool, ...]
    """By command."""
    reason: str
    """Empty where nothing was refused, or nobody says why."""
    stars: int | None


@dataclass
class Team:
    """What is wanted, and who says so."""

    chance: Random
    _works: dict[tuple[str, str], bool] = field(init=False, default_factory=dict)
    _tolerated: dict[Place, bool] = field(init=False, default_factory=dict)
    _noise: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self._noise = {name: self.chance.uniform(*NOISE) for name in REVIEWERS}
        self._draw(share=1.0)

    @property
    def error(self) -> float:
        """How often a reviewer says the opposite of what is wanted."""
        return sum(self._noise.values()) / len(self._noise)

    def drift(self) -> None:
        """Part of what was drawn is drawn anew."""
        self._draw(DRIFT)

    def wants(self, situation: Situation, action: str) -> bool:
        """What the team would say without any noise."""
        verb = verb_of(action)
        return verb in self.wanted(situation)

    def wanted(self, situation: Situation) -> Sequence[str]:
        """The verbs that are wanted; somebody always finds one."""
        verbs = SENSIBLE[situation.failure]
        found = [verb for verb in verbs if self._is_good(situation, verb)]
        return found or [verbs[0]]

    def decide(self, situation: Situation, actions: Sequence[tuple[str, bool]]) -> Word:
        """Somebody decides, command by command: an action and whether it changes anything each."""
        reviewer = self.chance.choice(REVIEWERS)
        approved = tuple(
            self._says_yes(reviewer, situation, action)
            if is_change
            else self.chance.random() >= READ_REJECTED
            for action, is_change in actions
        )
        refused = [
            action
            for (action, is_change), is_approved in zip(actions, approved, strict=True)
            if is_change and not is_approved
        ]
        is_explained = bool(refused) and self.chance.random() < EXPLAINED
        where = f"{situation.environment}{', it keeps data' if situation.is_stateful else ''}"
        reason = f"no {verb_of(refused[0])} in {where}" if is_explained else ""
        return Word(reviewer, approved, reason, self._stars(has_refused=bool(refused)))

    def _says_yes(self, reviewer: str, situation: Situation, action: str) -> bool:
        is_mistaken = self.chance.random() < self._noise[reviewer]
        return self.wants(situation, action) is not is_mistaken

    def _stars(self, *, has_refused: bool) -> int | None:
        if self.chance.random() >= RATED:
            return None
        return self.chance.choice((1, 2) if has_refused else (4, 5))

    def _is_good(self, situation: Situation, verb: str) -> bool:
        is_production, is_stateful = situation.environment == "production", situation.is_stateful
        if verb == "delete" and is_production:
            return False
        if verb == "rollout restart" and is_production and is_stateful:
            return False
        if verb == "rollout undo":
            return situation.is_changed
        is_tolerated = self._tolerated[situation.environment, is_stateful, verb]
        return self._works[situation.failure, verb] and is_tolerated

    def _draw(self, share: float) -> None:
        for failure in FAILURES:
            for verb in SENSIBLE[failure]:
                if self.chance.random() < share:
                    self._works[failure, verb] = self.chance.random() < WORKS
        verbs = sorted({verb for some in SENSIBLE.values() for verb in some})
        for environment, shares in TOLERATED.items():
            for is_stateful in (False, True):
                for verb in verbs:
                    if self.chance.random() < share:
                        place = (environment, is_stateful, verb)
                        self._tolerated[place] = self.chance.random() < shares[is_stateful]
