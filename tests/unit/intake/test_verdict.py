"""A line is a problem when its level, a code or a phrase says so, and only then."""

import pytest

from app.domain.logbatch import LineSeverity
from app.intake.batch import read_batch
from app.intake.lexicon import read_lexicon_data
from app.intake.verdict import judge

CRITICAL, ERROR, WARNING = LineSeverity.CRITICAL, LineSeverity.ERROR, LineSeverity.WARNING

PROBLEMS = [
    (ERROR, "2024-05-01T10:00:00Z ERROR [main] c.acme.Orders - cannot store order"),
    (WARNING, "2024-05-01 10:00:00,123 WARN  [main] c.acme.Orders - pool is nearly empty"),
    (CRITICAL, "2024-05-01 10:00:00 FATAL startup aborted"),
    (ERROR, "[Wed May 01 10:00:00 2024] [error] child 17 is gone"),
    (WARNING, "[10:00:00 WRN] cache is cold"),
    (ERROR, "[10:00:00 ERR] cache is gone"),
    (ERROR, '{"level":"error","msg":"order lost"}'),
    (ERROR, '{"msg":"INFO is not its level","severity":"ERROR"}'),
    (WARNING, '{"log":{"level":"warn"},"message":"disk at 85%"}'),
    (WARNING, '{"log.level":"warn","message":"disk at 85%"}'),
    (ERROR, '{"level":50,"time":1714557600000,"msg":"order lost"}'),
    (WARNING, '{"level":40,"msg":"slow"}'),
    (CRITICAL, '{"level":60,"msg":"gone"}'),
    (ERROR, '{"t":{"$date":"2024-05-01"},"s":"E","c":"STORAGE","msg":"no journal"}'),
    (ERROR, '{"PRIORITY":"3","MESSAGE":"unit gone"}'),
    (ERROR, '{"log":"{\\"level\\":\\"error\\",\\"msg\\":\\"order lost\\"}\\n"}'),
    (ERROR, 'ts=2024-05-01T10:00:00Z level=error msg="order lost"'),
    (WARNING, "time=10:00 lvl=warn msg=slow"),
    (ERROR, "E0501 10:00:00.123456       1 pod_workers.go:951] pod is stuck"),
    (WARNING, "W0501 10:00:00.123456       1 client.go:12] no kubeconfig"),
    (CRITICAL, "F0501 10:00:00.123456       1 main.go:12] bye"),
    (ERROR, "May  1 10:00:00 node-1 kubelet[688]: E0501 10:00:00.123456 688 x.go:1] stuck"),
    (ERROR, "05-01 10:00:00.123  1702  2395 E WindowManager: no window"),
    (WARNING, "05-01 10:00:00.123  1702  2395 W WindowManager: late window"),
    (ERROR, "2019-05-01 10:00:00.123456 E | etcdserver: member is gone"),
    (ERROR, "fail: Microsoft.AspNetCore.Server[13] request ended"),
    (WARNING, "WARNING:root:this is late"),
    (ERROR, "2024-05-01 10:00:00 UTC [71] ERROR:  relation is gone"),
    (WARNING, "  Warning  DNSConfigForming  2m  kubelet  Nameserver limits were exceeded"),
    (ERROR, "  Warning  FailedScheduling  2m  default-scheduler  0/3 nodes are available"),
    (WARNING, "2m   Warning   Unhealthy   pod/web-1   Readiness check late"),
    (CRITICAL, "  Warning  BackOff  2m  kubelet  Back-off restarting failed container"),
    (ERROR, '10.0.0.1 - - [01/May/2024:10:00:00 +0000] "GET / HTTP/1.1" 503 190 "-" "x"'),
    (ERROR, '{"level":"info","msg":"request completed","status":500}'),
    (ERROR, "level=info msg=done status=502"),
    (ERROR, "[GIN] 2024/05/01 - 10:00:00 | 500 |  1.2ms | 10.0.0.1 | GET /"),
    (ERROR, "INFO worker exited with code 137"),
    (ERROR, "      Exit Code:    1"),
    (ERROR, "process terminated: exit status 2"),
    (CRITICAL, "INFO container state: OOMKilled"),
    (CRITICAL, "web-1   0/1   CrashLoopBackOff   5   3m"),
    (CRITICAL, "Killed"),
    (CRITICAL, "/app/run.sh: line 3:    17 Killed                  python train.py"),
    (CRITICAL, "panic: runtime error: index out of range"),
    (CRITICAL, "write /data/x: no space left on device"),
    (ERROR, "INFO dial tcp 10.0.0.5:5432: connect: connection refused"),
    (ERROR, "Get https://api: x509: certificate has expired or is not yet valid"),
    (ERROR, "dial tcp: lookup db on 10.96.0.10:53: no such host"),
    (ERROR, "Error: listen EADDRINUSE: address already in use :::3000"),
    (ERROR, 'pods is forbidden: User "x" cannot list resource "pods"'),
    (ERROR, "web-1   0/1   ImagePullBackOff   0   3m"),
    (WARNING, "web-1   0/1   Pending   0   7m"),
    (WARNING, "node-1   NotReady   <none>   10d   v1.29.1"),
    (ERROR, "java.lang.IllegalStateException: no such order"),
    (ERROR, "Traceback (most recent call last):"),
    (ERROR, "could not connect, giving it another go"),
    (WARNING, "Invalid user admin from 10.0.0.9"),
    (WARNING, "option x is deprecated, use y"),
    (ERROR, 'caller=main.go:1 err="no database"'),
]

HEALTHY = [
    "",
    "2024-05-01T10:00:00Z INFO started in 3.2 seconds",
    "2024-05-01T10:00:00Z INFO errors=0 warnings=0 failed=0",
    "done: 12 passed, 0 failed, 0 errors",
    "finished without errors",
    "No errors or warnings found",
    '{"level":"info","msg":"request completed","status":200,"error":null}',
    '{"level":"info","msg":"ok","error":"","err":{},"failures":[]}',
    '{"level":30,"time":1714557600000,"msg":"ready","responseTime":500}',
    '{"error": null}',
    "level=info msg=synced err=<nil> status=200 duration=500ms",
    '10.0.0.1 - - [01/May/2024:10:00:00 +0000] "GET / HTTP/1.1" 200 500 "-" "x"',
    '10.0.0.1 - - [01/May/2024:10:00:00 +0000] "GET /errors/failed.html HTTP/1.1" 200 19 "-" "x"',
    "I0501 10:00:00.123456       1 main.go:12] error handling is enabled",
    "05-01 10:00:00.123  1702  2395 D ErrorReporter: idle",
    "container exited with code 0",
    "    Exit Code:    0",
    "log level set to ERROR",
    "open log file /var/log/nginx/error.log",
    "using --fail-fast and --error-format=json",
    "Replicas: 3 desired | 3 updated | 3 total | 3 available | 0 unavailable",
    "RollingUpdateStrategy:  25% max unavailable, 25% max surge",
    "    Liveness:   http-get http://:8080/ delay=0s timeout=1s period=10s #success=1 #failure=3",
    "Tolerations:  node.kubernetes.io/unreachable:NoExecute op=Exists for 300s",
    "  Normal  Pulled  2m  kubelet  Successfully pulled image",
    "web-1   1/1   Running     0   3m",
    "job-1   0/1   Completed   0   3m",
    "MemoryPressure   False   KubeletHasSufficientMemory   kubelet has sufficient memory",
    "restartPolicy: OnFailure",
    "2024-05-01 10:00:00 UTC [71] LOG:  database system is ready to accept connections",
    "[notice] 1#1: start worker processes",
    "terminationMessagePolicy: FallbackToLogsOnError",
    "connection pool ready: size 500, timeout 30s, retries 3",
]


@pytest.mark.parametrize(("severity", "line"), PROBLEMS)
def test_a_problem_is_recognised(severity: LineSeverity, line: str):
    assert judge(line.encode()) is severity


@pytest.mark.parametrize(("severity", "line"), PROBLEMS)
def test_a_problem_is_found_between_healthy_lines(severity: LineSeverity, line: str):
    healthy = "2024-05-01T10:00:00Z INFO all is well"

    batch = read_batch(f"{healthy}\n{line}\n{healthy}\n")

    assert [(p.severity, p.count) for p in batch.patterns] == [(severity, 1)]
    assert batch.patterns[0].samples[0].number == 2


@pytest.mark.parametrize("line", HEALTHY)
def test_a_healthy_line_is_no_problem(line: str):
    assert judge(line.encode()) is None


def test_a_healthy_log_has_no_findings():
    assert read_batch("\n".join(HEALTHY * 50)).patterns == ()


@pytest.mark.parametrize("reason", read_lexicon_data().event_errors)
def test_warning_events_with_grave_reasons_are_errors(reason: str):
    line = f"  Warning  {reason}  2m (x3 over 5m)  kubelet  something happened to pod web-1"

    assert judge(line.encode()) in {ERROR, CRITICAL}
