"""The simulated plan engine: follows the guidance it gets with some noise, otherwise its habit.

How an engine uses guidance is part of the simulated world, the same for all selectors. It takes the
scoreboard's best remedy; without a scoreboard what the first accepted example did, and nothing that
a rejected one did. Where the note says that nothing known is good enough it tries what is not on
the scoreboard. What was just rejected is heeded as far as the scoreboard puts it down, no further
and no oftener; where its record keeps it in its place, a plan that repeats it says so. Its own habit,
which heeds nothing, is an order of remedies per failure, right about every second time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from app.domain.guidance import ExampleRole, Guidance
from app.domain.plan import Command, Phase, Plan, SafetyLevel, Step
from bench.learning_world import Incident

FOLLOWS = 0.92
FIRST_OF_HABIT = 0.6
TWO_CHANGES = 0.25
READS_ALONE = 0.01
WELCOME = 0.5
READ = "kubectl get pods -n {namespace}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is proposed for an incident."""

    remedies: tuple[str, ...]
    """None in a plan that only reads."""
    plan: Plan
    explained: frozenset[str] = frozenset()
    """Remedies of which the plan says why it has them although they were just rejected."""


class Engine:
    """Makes plans for incidents."""

    def __init__(self, chance: Random) -> None:
        """Its noise comes from outside."""
        self._chance = chance

    def plan(self, incident: Incident, guidance: Guidance) -> Proposal:
        """One read, then one or two changes."""
        follows = self._chance.random() < FOLLOWS
        remedies = self._remedies(incident, guidance if follows else None)
        cause = incident.analysis.root_cause_analysis[0]
        texts = [incident.commands[remedy] for remedy in remedies]
        read = READ.format(namespace=cause.entities.namespace)
        commands = (
            Command(command=read, safety_level=SafetyLevel.SAFE),
            *(Command(command=text, safety_level=SafetyLevel.CAUTION) for text in texts),
        )
        plan = Plan(
            issue=cause.root_cause,
            service=cause.service,
            root_cause=cause.root_cause,
            steps=(Step(phase=Phase.REMEDIATE, commands=commands),),
            failure_mode=cause.failure_mode,
            severity=cause.severity,
            entities=cause.entities,
        )
        explained = _explained(incident, guidance) if follows else frozenset()
        return Proposal(tuple(remedies), plan, explained)

    def _remedies(self, incident: Incident, guidance: Guidance | None) -> Sequence[str]:
        if self._chance.random() < READS_ALONE:
            return []
        habit = self._habit(incident)
        ranked, backed = habit, set(habit)
        if guidance is not None:
            ranked = self._ranked(incident, guidance, habit)
            backed = _backed(incident, guidance)
        has_two = self._chance.random() < TWO_CHANGES and ranked[1] in backed
        return ranked[: 2 if has_two else 1]

    def _habit(self, incident: Incident) -> list[str]:
        """Mostly its usual order, now and then another one."""
        order = [*incident.commands]
        if self._chance.random() >= FIRST_OF_HABIT:
            self._chance.shuffle(order)
        return order

    def _ranked(self, incident: Incident, guidance: Guidance, habit: Sequence[str]) -> list[str]:
        if guidance.scoreboard:
            return _by_scoreboard(incident, guidance, habit)
        return _by_examples(incident, guidance, habit)


def _explained(incident: Incident, guidance: Guidance) -> frozenset[str]:
    """Remedies that were just rejected and whose record speaks for them all the same."""
    standing = {line.action for line in guidance.scoreboard if not line.is_put_down}
    known = standing & {one.action for one in guidance.just_rejected}
    return frozenset(remedy for remedy, action in incident.actions.items() if action in known)


def _backed(incident: Incident, guidance: Guidance) -> set[str]:
    """Remedies that the guidance speaks for; where it speaks of none, nothing goes beside the first."""
    standing = (line for line in guidance.scoreboard if not line.is_put_down)
    welcome = {line.action for line in standing if line.score >= WELCOME}
    welcome |= set() if guidance.scoreboard else {*_actions(guidance, ExampleRole.ACCEPTED)}
    return {remedy for remedy, action in incident.actions.items() if action in welcome}


def _by_scoreboard(incident: Incident, guidance: Guidance, habit: Sequence[str]) -> list[str]:
    """In the scoreboard's order; what is not on it comes later, or first where the note asks.

    Behind both comes what the scoreboard puts down.
    """
    lines = {line.action: (place, line) for place, line in enumerate(guidance.scoreboard)}
    known = [remedy for remedy in habit if incident.actions[remedy] in lines]
    known.sort(key=lambda remedy: lines[incident.actions[remedy]][0])
    untried = [remedy for remedy in habit if remedy not in known]
    standing = [one for one in known if not lines[incident.actions[one]][1].is_put_down]
    down = [one for one in known if one not in standing]
    return [*untried, *standing, *down] if guidance.note else [*standing, *untried, *down]


def _by_examples(incident: Incident, guidance: Guidance, habit: Sequence[str]) -> list[str]:
    """What was accepted, in the order of the examples; what was rejected alone comes last."""
    accepted = _actions(guidance, ExampleRole.ACCEPTED)
    rejected = _actions(guidance, ExampleRole.REJECTED)
    places = {action: place for place, action in enumerate(accepted)}
    last = len(places)

    def place_of(remedy: str) -> int:
        action = incident.actions[remedy]
        return places.get(action, last + 1 if action in rejected else last)

    return sorted(habit, key=place_of)


def _actions(guidance: Guidance, role: ExampleRole) -> list[str]:
    found = (example.actions for example in guidance.examples if example.role is role)
    return [*dict.fromkeys(action for actions in found for action in actions)]
