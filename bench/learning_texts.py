"""The simulated world's vocabulary: failure modes with their texts, commands, names."""

COMMANDS = {
    "restart": "kubectl rollout restart {kind}/{name} -n {ns}",
    "undo": "kubectl rollout undo {kind}/{name} -n {ns}",
    "scale": "kubectl scale {kind}/{name} --replicas={number} -n {ns}",
    "limits": "kubectl set resources {kind}/{name} --limits=memory={number}Gi -n {ns}",
    "image": "kubectl set image {kind}/{name} {name}=registry.local/{name}:1.{number} -n {ns}",
    "env": "kubectl set env {kind}/{name} POOL_SIZE={number}0 -n {ns}",
    "delete": "kubectl delete pod {pod} -n {ns}",
    "config": 'kubectl patch configmap {name}-config -n {ns} -p \'{{"data":{{"level":"{number}"}}}}\'',
    "service": 'kubectl patch service {name} -n {ns} -p \'{{"spec":{{"type":"ClusterIP"}}}}\'',
    "autoscale": "kubectl autoscale {kind}/{name} --min=2 --max={number}0 -n {ns}",
    "annotate": "kubectl annotate {kind}/{name} reviewed={number} -n {ns}",
    "volume": 'kubectl patch pvc {name}-data -n {ns} -p \'{{"spec":{{"volumeName":"v{number}"}}}}\'',
}
"""By remedy the command that carries it out."""

MODES = {
    "oom_killed": (
        "container {name} in pod {pod} was OOMKilled: exit code 137, memory limit reached; rss {number}Ki",
        "Memory cgroup out of memory: killed process {number} in {pod}; limit too small",
    ),
    "image_pull": (
        "Failed to pull image registry.local/{name}@sha256:{id}: manifest unknown; ImagePullBackOff",
        "Back-off pulling image for {pod}: repository does not exist or access denied; id {id}",
    ),
    "crash_loop": (
        "Back-off restarting failed container {name} in pod {pod}; CrashLoopBackOff after {number}s",
        "{pod} terminated with exit code 1 at startup; restart count {number}",
    ),
    "bad_config": (
        "invalid configuration key in /etc/{name}/config.yaml: cannot parse value; line {number}",
        "fatal: required setting missing from configmap of {name}; configuration rejected {id}",
    ),
    "unbound_volume": (
        "pod {pod} has unbound immediate PersistentVolumeClaims; no storage class found {id}",
        "waiting for volume claim of {name} to be bound; provisioning failed {number}",
    ),
    "disk_full": (
        "write /var/lib/{name}/{id}: no space left on device; {number} bytes wanted",
        "database of {name} cannot extend file: disk usage full; free {number} inodes",
    ),
    "dns": (
        "lookup {name}.{ns}.svc.cluster.local on {ip}:53: no such host; resolver timeout",
        "temporary failure in name resolution from {pod}; query {id} dropped",
    ),
    "tls_expired": (
        "x509: certificate has expired or is not yet valid; handshake with {ip} refused",
        "TLS handshake error from {ip}:{number}: remote certificate expired",
    ),
    "unauthorized": (
        "401 Unauthorized: token rejected for service account of {name}; request {id}",
        "authentication failed with invalid credentials for {name}; attempt {number}",
    ),
    "connection_refused": (
        "dial tcp {ip}:{number}: connect: connection refused; upstream {name} unreachable",
        "no healthy upstream endpoints for {name}; connection reset by peer {ip}",
    ),
    "pool_exhausted": (
        "connection pool exhausted: {number} clients waiting; database of {name} saturated",
        "timeout acquiring connection from pool of {name}; too many clients already {id}",
    ),
    "deadlock": (
        "deadlock detected: process {number} waits for lock; transaction of {name} aborted",
        "thread {id} blocked forever waiting for monitor; lock order violated in {name}",
    ),
    "cpu_throttled": (
        "cpu throttled {number} periods in {pod}; latency budget exceeded, quota too small",
        "container {name} exceeds its processor quota; throttling slows requests {id}",
    ),
    "readiness": (
        "Readiness probe failed for {pod}: HTTP probe failed with statuscode 503; path /ready {number}",
        "{name} never became ready: probe deadline exceeded; endpoint removed {ip}",
    ),
    "bad_release": (
        "panic: nil pointer dereference in {name} after deploy of revision {number}; goroutine {id}",
        "NullPointerException in handler of {name} since released version; trace {id}",
    ),
    "queue_backlog": (
        "consumer lag of {name} grows: {number} messages behind; partition rebalance",
        "message broker backlog exceeds threshold; slow consumer {pod} dropped",
    ),
    "rate_limited": (
        "429 Too Many Requests from payment gateway; {name} backs off {number} ms",
        "request quota of external provider exceeded; throttled until reset {id}",
    ),
    "node_pressure": (
        "pod {pod} evicted: node was low on ephemeral resource; threshold {number}",
        "0/{number} nodes are available: insufficient schedulable capacity; preemption not helpful",
    ),
}
"""By failure mode its texts, with identifiers that no two incidents share."""

NAMES = ("checkout", "cart", "payments", "search", "catalog", "mailer", "ledger", "gateway")
NAMESPACES = {
    "production": ("shop-prod", "pay-production", "live-eu", "shop"),
    "staging": ("shop-staging", "preprod-pay"),
    "development": ("shop-dev", "sandbox-team", "ci-jobs"),
}
"""Not every name tells how careful people are there."""
