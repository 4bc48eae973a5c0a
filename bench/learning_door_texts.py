"""Incidents for the public door: what clusters print when something fails, with new names each time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from bench.learning_door_failures import FAILURES, Failure

FIRST = ("amber", "brisk", "coral", "delta", "ember", "frost", "grand", "hazel", "ivory", "jolly")
SECOND = ("basket", "ledger", "parcel", "quote", "roster", "search", "ticket", "voucher", "wallet")
TEAMS = ("atlas", "birch", "cedar", "dune", "fjord", "grove", "harbor", "isle", "lagoon", "mesa")
SPACES: Mapping[str, Sequence[str]] = {
    "production": ("{team}-prod", "prod-{team}", "{team}-production", "{team}-live"),
    "staging": ("{team}-staging", "{team}-uat", "stage-{team}"),
    "development": ("{team}-dev", "{team}-qa", "dev-{team}", "{team}-sandbox"),
}
ENVIRONMENT_SHARES = {"production": 50, "staging": 25, "development": 25}
STATEFUL = 0.3
CHANGED = 0.3
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Names:
    """What things are called in one incident, and its figures."""

    namespace: str
    workload: str
    kind: str
    pod: str
    container: str
    node: str
    peer: str
    limit: int
    restarts: int
    minutes: int

    @property
    def values(self) -> Mapping[str, object]:
        """For templates."""
        return {
            "ns": self.namespace,
            "app": self.workload,
            "kind": self.kind,
            "pod": self.pod,
            "box": self.container,
            "node": self.node,
            "peer": self.peer,
            "limit": self.limit,
            "again": self.restarts,
            "min": self.minutes,
        }


@dataclass(frozen=True, slots=True)
class Situation:
    """What people look at when they decide whether they want something done."""

    failure: str
    environment: str
    is_stateful: bool
    is_changed: bool
    """Whether it began with a deployment."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One failure as it is posted, and the situation behind it."""

    situation: Situation
    text: str


CHANGE = (
    "Normal   ScalingReplicaSet  {min}m  deployment-controller  Scaled up replica set {app}-6f7d8c9b5 to 3",
    "{kind}/{app} was rolled out to a new revision {min} minutes ago",
)


def draw(chance: Random) -> Incident:
    """The next incident."""
    failure = chance.choice([*FAILURES])
    environment = chance.choices([*ENVIRONMENT_SHARES], [*ENVIRONMENT_SHARES.values()])[0]
    is_stateful = failure == "full disk" or chance.random() < STATEFUL
    situation = Situation(failure, environment, is_stateful, chance.random() < CHANGED)
    return Incident(situation, _text(situation, chance))


def _text(situation: Situation, chance: Random) -> str:
    names = _names(situation, chance)
    style = chance.choice([_described, _eventful, _as_json, _as_lines])
    lines = style(FAILURES[situation.failure], names, chance)
    if situation.is_changed:
        lines = [_filled(chance.choice(CHANGE), names), *lines]
    return "\n".join(lines) + "\n"


def _described(failure: Failure, names: Names, chance: Random) -> list[str]:
    owner = f"{names.workload}-6f7d8c9b5" if names.kind == "deployment" else names.workload
    controller = "ReplicaSet" if names.kind == "deployment" else "StatefulSet"
    return [
        f"$ kubectl describe pod {names.pod} -n {names.namespace}",
        f"Name:           {names.pod}",
        f"Namespace:      {names.namespace}",
        f"Node:           {names.node}/10.0.0.7",
        f"Controlled By:  {controller}/{owner}",
        "Containers:",
        f"  {names.container}:",
        *_filled(failure.state, names).splitlines(),
        "Events:",
        *(_filled(event, names) for event in failure.events),
        f"$ kubectl logs {names.pod} -n {names.namespace} --previous",
        _filled(chance.choice(failure.log), names),
    ]


def _eventful(failure: Failure, names: Names, chance: Random) -> list[str]:
    return [
        f"$ kubectl get {names.kind},pods -n {names.namespace}",
        f"{names.kind}.apps/{names.workload}   2/3   3   2   41d",
        f"pod/{names.pod}   {failure.ready}   {failure.status}   {names.restarts}   {names.minutes}m",
        f"$ kubectl get events -n {names.namespace}",
        *(f"{_filled(event, names)}" for event in failure.events),
        f"{names.container}: {_filled(chance.choice(failure.log), names)}",
    ]


def _as_json(failure: Failure, names: Names, chance: Random) -> list[str]:
    def line(level: str, message: str) -> str:
        message = message.replace("\\", "\\\\").replace('"', '\\"')
        return (
            f'{{"time":"{_time(chance)}","level":"{level}","message":"{message}","kubernetes":'
            f'{{"namespace":"{names.namespace}","pod":"{names.pod}","container":"{names.container}",'
            f'"{names.kind}":"{names.workload}"}}}}'
        )

    said = [line("error", _filled(text, names)) for text in failure.log for _ in range(2)]
    return [line("info", "request served in 12ms"), *said]


def _as_lines(failure: Failure, names: Names, chance: Random) -> list[str]:
    def line(level: str, message: str) -> str:
        where = f"ns={names.namespace} {names.kind}={names.workload} pod={names.pod}"
        return f"{_time(chance)} {level} [{names.workload}] {where} container={names.container} {message}"

    return [
        line("INFO", "request served in 12ms"),
        *(line("ERROR", _filled(text, names)) for text in failure.log),
        *(line("WARN", _filled(event.split("  ")[-1], names)) for event in failure.events),
    ]


def _filled(template: str, names: Names) -> str:
    return template.format(**names.values)


def _names(situation: Situation, chance: Random) -> Names:
    workload = f"{chance.choice(FIRST)}-{chance.choice(SECOND)}"
    team = chance.choice(TEAMS)
    tail = "".join(chance.choices(LETTERS, k=5))
    pod = (
        f"{workload}-{chance.randrange(3)}"
        if situation.is_stateful
        else (f"{workload}-6f7d8c9b5-{tail}")
    )
    return Names(
        namespace=chance.choice(SPACES[situation.environment]).format(team=team),
        workload=workload,
        kind="statefulset" if situation.is_stateful else "deployment",
        pod=pod,
        container=chance.choice(("main", "server", workload)),
        node=f"node-{chance.randrange(1, 40)}",
        peer=f"{chance.choice(TEAMS)}-{chance.choice(('db', 'store', 'postgres'))}",
        limit=chance.choice((128, 256, 384, 500, 512)),
        restarts=chance.randrange(3, 30),
        minutes=chance.randrange(2, 50),
    )


def _time(chance: Random) -> str:
    return f"2026-11-{chance.randrange(1, 30):02d}T{chance.randrange(24):02d}:12:07.{chance.randrange(1000):03d}Z"
