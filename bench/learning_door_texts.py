"""Incidents for the public door: what clusters print when something fails, with new names each time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

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


@dataclass(frozen=True, slots=True)
class Failure:
    """How one kind of failure shows: in events, in the pod's state, in the process's own log."""

    events: tuple[str, ...]
    state: str
    log: tuple[str, ...]
    ready: str = "0/1"
    status: str = "Running"


FAILURES: Mapping[str, Failure] = {
    "out of memory": Failure(
        (
            "Warning  OOMKilling  {min}m  kubelet  Memory cgroup out of memory: Killed process 4711 ({app})",
            "Warning  BackOff  {min}m (x{again})  kubelet  Back-off restarting failed container {box} in pod {pod}_{ns}",
        ),
        "    Last State:  Terminated\n      Reason:  OOMKilled\n      Exit Code:  137\n    Limits:\n      memory:  {limit}Mi",
        (
            "java.lang.OutOfMemoryError: Java heap space",
            "container {box} OOMKilled, memory limit {limit}Mi, exit code 137",
        ),
        status="OOMKilled",
    ),
    "bad configuration": Failure(
        (
            "Warning  BackOff  {min}m (x{again})  kubelet  Back-off restarting failed container {box} in pod {pod}_{ns}",
        ),
        "    Last State:  Terminated\n      Reason:  Error\n      Exit Code:  1",
        (
            "FATAL invalid configuration: environment variable CACHE_TTL must be set",
            "FATAL cannot parse config /etc/{app}/settings.yaml: unknown field retries",
        ),
        status="CrashLoopBackOff",
    ),
    "image not found": Failure(
        (
            'Warning  Failed  {min}m (x{again})  kubelet  Failed to pull image "registry.example.com/{app}:9.{again}": rpc error: code = NotFound desc = manifest unknown',
            'Warning  BackOff  {min}m  kubelet  Back-off pulling image "registry.example.com/{app}:9.{again}"',
        ),
        "    State:  Waiting\n      Reason:  ImagePullBackOff",
        ("Error: ImagePullBackOff: manifest for registry.example.com/{app}:9.{again} not found",),
        status="ImagePullBackOff",
    ),
    "not ready": Failure(
        (
            "Warning  Unhealthy  1m (x{again} over {min}m)  kubelet  Readiness probe failed: HTTP probe failed with statuscode: 503",
        ),
        "    State:  Running\n    Ready:  False\n    Readiness:  http-get http://:8080/ready delay=5s timeout=1s period=10s",
        ("Readiness probe failed: HTTP probe failed with statuscode: 503",),
    ),
    "liveness": Failure(
        (
            "Warning  Unhealthy  1m (x{again} over {min}m)  kubelet  Liveness probe failed: Get http://10.1.2.3:8080/healthz: context deadline exceeded",
            "Normal   Killing    1m (x{again} over {min}m)  kubelet  Container {box} failed liveness probe, will be restarted",
        ),
        "    State:  Running\n    Restart Count:  {again}\n    Liveness:  http-get http://:8080/healthz delay=5s timeout=1s period=10s",
        ("Liveness probe failed: Get http://10.1.2.3:8080/healthz: context deadline exceeded",),
    ),
    "full disk": Failure(
        (
            "Warning  Failed  {min}m (x{again})  kubelet  Error: write /data/wal/0001: no space left on device",
        ),
        "    Volumes:\n      data:\n        Type:  PersistentVolumeClaim\n        ClaimName:  data-{app}-0",
        (
            "write /data/wal/0001: no space left on device, claim data-{app}-0 is 100% full",
            "ERROR could not extend file: No space left on device (volume data-{app}-0)",
        ),
    ),
    "name resolution": Failure(
        ("Warning  Unhealthy  {min}m (x{again})  kubelet  Readiness probe failed: lookup failed",),
        "    State:  Running\n    Ready:  False",
        (
            "dial tcp: lookup {peer}.{ns}.svc.cluster.local on 10.96.0.10:53: no such host",
            "getaddrinfo ENOTFOUND {peer}.{ns}.svc.cluster.local",
        ),
    ),
    "database refuses": Failure(
        (
            "Warning  Unhealthy  {min}m (x{again})  kubelet  Readiness probe failed: statuscode: 500",
        ),
        "    State:  Running\n    Ready:  False",
        (
            "could not connect to database {peer}:5432: dial tcp 10.8.0.12:5432: connect: connection refused",
            "org.postgresql.util.PSQLException: Connection to {peer}:5432 refused",
        ),
    ),
    "throttled": Failure(
        (
            "Warning  CPUThrottlingHigh  {min}m  prometheus  78% throttling of CPU in namespace {ns} for container {box} in pod {pod}",
        ),
        "    State:  Running\n    Limits:\n      cpu:  {limit}m",
        (
            "CPU throttling high: container {box} throttled 81% of periods, cpu limit {limit}m",
            "CPUThrottlingHigh: 78% throttling of CPU in namespace {ns} for container {box} in pod {pod}, cpu limit {limit}m",
        ),
        ready="1/1",
    ),
    "node pressure": Failure(
        (
            "Warning  Evicted  {min}m  kubelet  The node was low on resource: memory. Container {box} was using 900Mi, request is {limit}Mi",
            "Warning  NodeHasMemoryPressure  {min}m  kubelet  Node {node} status is now: MemoryPressure",
        ),
        "    Status:  Failed\n    Reason:  Evicted\n    Node:  {node}",
        (
            "Pod {pod} evicted from node {node}: The node was low on resource: memory",
            "eviction manager: attempting to reclaim memory on node {node}, evicted pod {ns}/{pod}",
        ),
        status="Evicted",
    ),
    "connections used up": Failure(
        (
            "Warning  Unhealthy  {min}m (x{again})  kubelet  Readiness probe failed: statuscode: 500",
        ),
        "    State:  Running\n    Ready:  False",
        (
            "FATAL: remaining connection slots are reserved, too many clients already on {peer}",
            "HikariPool-1 - Connection is not available, request timed out after 30000ms",
        ),
    ),
    "slow upstream": Failure(
        (
            "Warning  Unhealthy  {min}m (x{again})  kubelet  Readiness probe failed: statuscode: 504",
        ),
        "    State:  Running\n    Ready:  True",
        (
            "upstream request timeout: GET /quotes took 30012ms, 504 from {peer}",
            "request latency p99 9.8s exceeds 1s: context deadline exceeded calling {peer}",
        ),
        ready="1/1",
    ),
}

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


Style = Callable[[Failure, Names, Random], list[str]]
