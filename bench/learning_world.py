"""The simulated world: failures with texts, and what a team really wants done about them.

Nothing in here is known to the product. A team wants an action when it works for the failure and
is tolerated for such a workload in such an environment; both are drawn at random, and a drift
draws part of them anew.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from app.domain.answer import Entities, Level
from app.domain.incident import Analysis, RootCause
from app.learning.actions import action_of
from bench.learning_texts import COMMANDS, MODES, NAMES, NAMESPACES

CANDIDATES = 5
"""Remedies that an engine can think of for a failure mode."""
WORKS = 0.4
HABIT_IS_RIGHT = 0.5
STATEFUL_DIFFERS = 0.15
NAMED_MODE = 0.8
"""Share of incidents whose failure mode the analysis names; of the others only the text tells."""
DRIFT = 1 / 3
TOLERATED: Mapping[str, tuple[float, float]] = {
    "production": (0.65, 0.45),
    "staging": (0.85, 0.7),
    "development": (0.95, 0.9),
}
"""By environment how likely an action is tolerated, for stateless and for stateful workloads."""
ENVIRONMENT_SHARES = {"production": 60, "staging": 20, "development": 20}
KIND_SHARES = {"deployment": 70, "statefulset": 30}


@dataclass(frozen=True, slots=True)
class Situation:
    """What decides whether an action is wanted."""

    mode: str
    environment: str
    is_stateful: bool


@dataclass(frozen=True, slots=True)
class Incident:
    """One failure as the product sees it, and the situation behind it."""

    situation: Situation
    analysis: Analysis
    commands: Mapping[str, str]
    """By remedy the command that an engine would write here."""
    actions: Mapping[str, str]
    """By remedy the product's name of its action."""


class World:
    """Draws incidents and knows what is wanted."""

    def __init__(self, chance: Random) -> None:
        """A team with its own preferences."""
        self._chance = chance
        remedies = [*COMMANDS]
        self.candidates = {mode: chance.sample(remedies, CANDIDATES) for mode in MODES}
        """In the order of an engine's habit."""
        self._works: dict[tuple[str, str, bool], bool] = {}
        self._tolerated: dict[tuple[str, bool, str], bool] = {}
        self._last_resort = {one: chance.randrange(CANDIDATES) for one in _situations()}
        for mode in MODES:
            self._draw_effects(mode)
        for key in self._tolerance_keys():
            self._draw_tolerance(key)

    def incident(self) -> Incident:
        """The next failure."""
        mode = self._chance.choice([*MODES])
        environment = _pick(self._chance, ENVIRONMENT_SHARES)
        kind = _pick(self._chance, KIND_SHARES)
        entities = self._entities(environment, kind)
        situation = Situation(mode, environment, kind == "statefulset")
        commands = {
            remedy: COMMANDS[remedy].format(
                kind=kind,
                name=entities.workload,
                pod=entities.pod,
                ns=entities.namespace,
                number=self._chance.randrange(2, 9),
            )
            for remedy in self.candidates[mode]
        }
        actions = {remedy: _action(remedy, kind) for remedy in commands}
        return Incident(situation, self._analysis(mode, entities), commands, actions)

    def is_wanted(self, situation: Situation, remedy: str) -> bool:
        """What the team would say without any noise."""
        wanted = [one for one in self.candidates[situation.mode] if self._is_good(situation, one)]
        # Somebody always finds something that may be done.
        last_resort = self.candidates[situation.mode][self._last_resort[situation]]
        return remedy in (wanted or [last_resort])

    def drift(self) -> None:
        """The team changes its mind about part of everything."""
        for mode in MODES:
            if self._chance.random() < DRIFT:
                self._draw_effects(mode)
        for key in self._tolerance_keys():
            if self._chance.random() < DRIFT:
                self._draw_tolerance(key)

    def _is_good(self, situation: Situation, remedy: str) -> bool:
        works = self._works[situation.mode, remedy, situation.is_stateful]
        return works and self._tolerated[situation.environment, situation.is_stateful, remedy]

    def _draw_effects(self, mode: str) -> None:
        for place, remedy in enumerate(self.candidates[mode]):
            works = self._chance.random() < (WORKS if place else HABIT_IS_RIGHT)
            differs = self._chance.random() < STATEFUL_DIFFERS
            self._works[mode, remedy, False] = works
            self._works[mode, remedy, True] = works is not differs

    def _draw_tolerance(self, key: tuple[str, bool, str]) -> None:
        environment, is_stateful, _ = key
        self._tolerated[key] = self._chance.random() < TOLERATED[environment][is_stateful]

    def _tolerance_keys(self) -> Iterator[tuple[str, bool, str]]:
        for environment in TOLERATED:
            for is_stateful in (False, True):
                for remedy in COMMANDS:
                    yield environment, is_stateful, remedy

    def _entities(self, environment: str, kind: str) -> Entities:
        name = self._chance.choice(NAMES)
        return Entities(
            namespace=self._chance.choice(NAMESPACES[environment]),
            workload_kind=kind,
            workload=name,
            pod=f"{name}-{self._hex(9)}-{self._hex(5)}",
        )

    def _analysis(self, mode: str, entities: Entities) -> Analysis:
        text = self._chance.choice(MODES[mode]).format(
            pod=entities.pod,
            name=entities.workload,
            ns=entities.namespace,
            ip=".".join(str(self._chance.randrange(1, 255)) for _ in range(4)),
            id=self._hex(12),
            number=self._chance.randrange(100, 99999),
        )
        cause = RootCause(
            service=entities.workload or "",
            error_message=text,
            root_cause=text.partition(";")[0],
            severity=self._chance.choice([Level.CRITICAL, Level.HIGH, Level.MEDIUM]),
            failure_mode=mode if self._chance.random() < NAMED_MODE else "unknown",
            entities=entities,
        )
        return Analysis(root_cause_analysis=(cause,))

    def _hex(self, digits: int) -> str:
        return f"{self._chance.getrandbits(4 * digits):0{digits}x}"


@cache
def _action(remedy: str, kind: str) -> str:
    return action_of(COMMANDS[remedy].format(kind=kind, name="a", pod="a", ns="a", number=1))


def _situations() -> Iterator[Situation]:
    for mode in MODES:
        for environment in TOLERATED:
            for is_stateful in (False, True):
                yield Situation(mode, environment, is_stateful)


def _pick(chance: Random, shares: Mapping[str, int]) -> str:
    return chance.choices([*shares], [*shares.values()])[0]
