"""How the failures of the public-door bench show: templates with names to fill in."""

from collections.abc import Mapping
from dataclasses import dataclass


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
