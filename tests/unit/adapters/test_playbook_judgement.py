"""How the playbooks weigh what they read: what is over, what is proven, whose it is."""

from pathlib import Path

import pytest

from app.adapters.reasoning.playbook import PlaybookReasoner
from app.adapters.reasoning.playbook_shapes import is_plausible
from app.intake.batch import read_batch
from tests.unit.adapters.playbook_session import Session, investigate


@pytest.fixture(scope="module")
def reasoner() -> PlaybookReasoner:
    return PlaybookReasoner()


async def _read(reasoner: PlaybookReasoner, text: str) -> Session:
    return await investigate(reasoner, read_batch(text))


CRASH_LOOP = """NAME                     READY  STATUS            RESTARTS     AGE
tariff-0                 0/1    CrashLoopBackOff  9 (40s ago)  22m
"""


@pytest.mark.parametrize(
    "remark",
    [
        "INFO schema is current, nothing to do",
        "INFO all services are healthy",
        "the incident has been resolved",
        "INFO no action required",
        "INFO tariff server is ready",
    ],
)
async def test_a_remark_never_outweighs_a_pod_that_is_left_in_a_crash_loop(
    reasoner: PlaybookReasoner, remark: str
):
    seen = await _read(reasoner, f"{CRASH_LOOP}\nERROR rates file is empty\n{remark}\n")

    assert seen.modes == ["crashloop_app_error"]


async def test_a_row_that_shows_the_pod_running_again_ends_its_crash_loop(
    reasoner: PlaybookReasoner,
):
    later = "tariff-0                 1/1    Running           9 (3h ago)   4h\n"
    seen = await _read(reasoner, f"{CRASH_LOOP}\n{later}the incident has been resolved\n")

    assert not seen.modes


@pytest.mark.parametrize(
    ("text", "is_over"),
    [
        ("ERROR order 7 lost: bad sum\nthe incident is resolved\n", True),
        ("the incident is resolved\nERROR order 7 lost: bad sum\n", False),
        ("ERROR redis: connection refused\nthe incident is resolved\n", True),
        ("the incident is resolved\nERROR redis: connection refused\n", False),
    ],
)
async def test_a_remark_counts_for_what_came_before_it(
    reasoner: PlaybookReasoner, text: str, is_over: bool
):
    seen = await _read(reasoner, text)

    assert (not seen.modes) is is_over


WAITING = (
    "Warning  FailedScheduling  8m  default-scheduler  pod/bulk-0  0/2 nodes are available:"
    " 2 Insufficient cpu.\n"
)


@pytest.mark.parametrize(
    ("row", "is_over"),
    [("bulk-0   1/1   Running   0   8m", True), ("other-0  1/1   Running   0   8m", False)],
)
async def test_readiness_ends_what_the_same_pod_waited_for(
    reasoner: PlaybookReasoner, row: str, is_over: bool
):
    pending = "bulk-0   0/1   Pending   0   1m\n"
    seen = await _read(reasoner, f"{pending}{WAITING}{row}\n")

    assert (not seen.modes) is is_over


@pytest.mark.parametrize(
    ("recovery", "is_over"),
    [
        ("INFO connection to postgres re-established", True),
        ("INFO connection established", True),
        ("INFO reconnected to redis", False),
    ],
)
async def test_only_the_target_that_failed_can_recover(
    reasoner: PlaybookReasoner, recovery: str, is_over: bool
):
    failure = "ERROR cannot connect to postgres: connection refused\n"
    seen = await _read(reasoner, f"{failure}{recovery}\n")

    assert (not seen.modes) is is_over


async def test_a_failure_after_the_recovery_is_present(reasoner: PlaybookReasoner):
    seen = await _read(
        reasoner,
        "INFO connection to postgres established\n"
        "ERROR cannot connect to postgres: connection refused\n",
    )

    assert seen.modes == ["dependency_unreachable"]


async def test_a_pod_that_was_told_to_stop_need_not_be_ready(reasoner: PlaybookReasoner):
    seen = await _read(
        reasoner,
        "2m  Normal   Killing    pod/till-5c7d8f6b9-2xkqz  Stopping container till\n"
        "2m  Warning  Unhealthy  pod/till-5c7d8f6b9-2xkqz  Readiness probe failed:"
        ' Get "http://10.1.1.1:8080/": connection refused\n',
    )

    assert not seen.modes


async def test_a_weaker_reading_of_a_recovered_line_is_over_too(reasoner: PlaybookReasoner):
    seen = await _read(
        reasoner,
        'E0601 leaderelection.go:332] error retrieving resource lock: Get "https://10.96.0.1:443/x":'
        " context deadline exceeded\n"
        "I0601 leaderelection.go:258] successfully acquired lease ops/leader\n",
    )

    assert not seen.modes


@pytest.mark.parametrize(
    "text",
    [
        "planned chaos experiment EXP-3 on staging\nWARN upstream timeout after 900ms\n",
        "mysql> show variables like 'max_connections';\nmax_connections 500\n",
        "Scan finished. Total: 0 (HIGH: 0, CRITICAL: 0)\n",
        "status: resolved\nalertname: KubePodCrashLooping\n",
    ],
)
async def test_announcements_settings_and_zeros_are_no_incident(
    reasoner: PlaybookReasoner, text: str
):
    assert not (await _read(reasoner, text)).modes


@pytest.mark.parametrize(
    "line",
    [
        "INFO dispute 7 status=resolved",
        "INFO promise state: resolved",
        "INFO gameday discount is on",
        "INFO scheduled test suite started",
    ],
)
async def test_words_of_daily_business_declare_nothing_over(reasoner: PlaybookReasoner, line: str):
    seen = await _read(reasoner, f"{line}\nERROR cannot connect to postgres: connection refused\n")

    assert seen.modes == ["dependency_unreachable"]


async def test_a_line_proves_one_cause(reasoner: PlaybookReasoner):
    seen = await _read(
        reasoner,
        'Warning Failed kubelet Failed to pull image "acme/till:2.4.0-rc1": rpc error: code = NotFound'
        ' desc = failed to resolve reference "docker.io/acme/till:2.4.0-rc1":'
        " docker.io/acme/till:2.4.0-rc1: not found\n"
        "Normal BackOff kubelet Back-off pulling image\n"
        "Warning ReplicaSet has timed out progressing, DeadlineExceeded\n",
    )

    assert seen.modes == ["image_pull_not_found"]


async def test_two_proven_causes_both_stand(reasoner: PlaybookReasoner):
    seen = await _read(
        reasoner,
        'Failed to pull image "acme/till:9": manifest for acme/till:9 not found\n'
        "0/2 nodes are available: 2 Insufficient memory.\n",
    )

    assert set(seen.modes) == {"image_pull_not_found", "scheduling_insufficient_resources"}
    assert len(seen.remediation.remediation_plans) == 2


async def test_the_lines_of_a_log_belong_to_the_pod_whose_log_was_asked_for(
    reasoner: PlaybookReasoner,
):
    seen = await _read(
        reasoner,
        "$ kubectl -n bank get pods\n"
        "NAME          READY  STATUS   RESTARTS  AGE\n"
        "web-0         0/1    Running  0         9d\n"
        "web-1         0/1    Running  0         9d\n"
        "$ kubectl -n bank logs ledger-0\n"
        "ERROR write /data/wal/7: no space left on device\n",
    )
    first = seen.analysis.root_cause_analysis[0]

    assert first.failure_mode == "disk_full"
    assert (first.entities.namespace, first.entities.pod) == ("bank", "ledger-0")
    assert "ledger" in {finding.service for finding in seen.findings.errors}


async def test_an_event_is_about_its_object_and_not_about_who_reports_it(
    reasoner: PlaybookReasoner,
):
    seen = await _read(
        reasoner,
        "Warning  BackOff  9s (x7 over 2m)  kubelet  Back-off restarting failed container api"
        " in pod till-6c5f8d7b9-9xk2p_bank(0a1b2c3d)\n",
    )

    assert [finding.service for finding in seen.findings.errors] == ["till"]


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("path", "/var/lib/data", True),
        ("path", "is", False),
        ("pvc", "data-till-0", True),
        ("pvc", "in", False),
        ("command", "/app/start.sh", True),
        ("command", "2.41.0-hotfix1", False),
        ("image", "acme/till:1.0", True),
        ("image", "1.0.3", False),
        ("host", "till.bank.svc", True),
        ("host", "10.0.0.1:5432", True),
        ("host", "server", False),
        ("port", "5432", True),
        ("port", "99999", False),
        ("file", "/etc/till/till.yaml", True),
        ("file", "is", False),
        ("variable", "DB_PORT", True),
        ("variable", "the", False),
        ("reason", "anything at all", True),
    ],
)
def test_a_value_has_to_look_like_what_it_claims(name: str, value: str, fits: bool):
    assert is_plausible(name, value) is fits


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ("ModuleNotFoundError: No module named 'till'\n", "crashloop_app_error"),
        ("ERROR worker: KeyError: 'till_id'\n", "crashloop_app_error"),
        ("KeyError: 'TILL_PORT'\n", "config_error"),
        (
            'E0101 event.go:307] "Event occurred" type="Warning" reason="ProvisioningFailed"'
            ' message="storageclass.storage.k8s.io \\"gold\\" not found"\n',
            "storageclass_invalid",
        ),
        (
            'I0101 prober.go:107] "Probe failed" probeType="Readiness" pod="bank/till-0"'
            ' containerName="till" probeResult="failure" output="Get: connection refused"\n',
            "readiness_probe_failing",
        ),
        (
            "Readiness probe of container till errored, 9 consecutive failures\n",
            "readiness_probe_failing",
        ),
        ("Liveness probe for till-0 has timed out\n", "liveness_probe_failing"),
        (
            "node-controller: Node worker-3 condition Ready=Unknown, pod bank/till-0 unreachable\n",
            "node_not_ready",
        ),
        (
            "NAME READY STATUS\netl-scheduler-0  0/1  CrashLoopBackOff  9  1h\n",
            "crashloop_app_error",
        ),
    ],
)
async def test_words_inside_words_prove_nothing_and_quoted_quotes_hide_nothing(
    reasoner: PlaybookReasoner, text: str, mode: str
):
    assert (await _read(reasoner, text)).modes == [mode]


@pytest.mark.parametrize(
    "line",
    [
        "Readiness probe of container till succeeded after 9 failures",
        "node-controller: Node worker-3 condition Ready=True",
        "Node worker-3 is ready: unknown flags were ignored",
    ],
)
async def test_a_probe_that_succeeds_and_a_node_that_is_ready_are_no_incident(
    reasoner: PlaybookReasoner, line: str
):
    assert not (await _read(reasoner, f"{line}\n")).modes


@pytest.mark.parametrize(("restarts", "is_over"), [("0", True), ("6", False)])
async def test_a_probe_that_failed_at_the_start_is_over_where_nothing_was_restarted(
    reasoner: PlaybookReasoner, restarts: str, is_over: bool
):
    seen = await _read(
        reasoner,
        "Warning  Unhealthy  50s (x2 over 1m)  kubelet  Startup probe failed: connection refused\n"
        f"till-6c5f8d7b9-9xk2p   1/1   Running   {restarts}   5m\n",
    )

    assert (not seen.modes) is is_over


async def test_a_proof_is_not_explained_away_by_a_closing_remark(reasoner: PlaybookReasoner):
    seen = await _read(
        reasoner,
        "pod/till-0 container till: OOMKilled, exit code 137\nINFO all services are healthy\n",
    )

    assert seen.modes[0] == "oom_killed"


@pytest.mark.parametrize(
    "line",
    [
        "ERROR payment failed, no errors in dead letter queue",
        "pod cart OOMKilled exit code 137, no errors",
        "FATAL out of memory; no warnings issued",
    ],
)
async def test_good_news_in_a_line_does_not_hide_its_bad_news(
    reasoner: PlaybookReasoner, line: str
):
    seen = await _read(reasoner, line)

    assert seen.findings.errors
    assert seen.modes


@pytest.mark.parametrize("closing", ["no action required", '"firing": false'])
async def test_an_error_that_is_declared_over_is_still_shown(
    reasoner: PlaybookReasoner, closing: str
):
    seen = await _read(reasoner, f"ERROR payment failed with code 7\n{closing}\n")

    assert not seen.modes
    assert seen.findings.warnings[0].message == "Declared over: payment failed with code 7"


@pytest.mark.parametrize(
    "line", ["08:00:01 worker: the peer is unreachable", "08:00:01 sync is unhealthy since noon"]
)
async def test_trouble_that_no_playbook_knows_and_no_level_claims_is_still_shown(
    reasoner: PlaybookReasoner, line: str
):
    seen = await _read(reasoner, f"{line}\n")

    assert not seen.modes
    assert [warning.message in line for warning in seen.findings.warnings] == [True]


async def test_two_incidents_in_one_text_keep_their_namespaces(reasoner: PlaybookReasoner):
    samples = Path(__file__).parents[3] / "data" / "samples"
    texts = [(samples / f"{name}.log").read_text() for name in ("oom-killed", "image-pull")]

    seen = await _read(reasoner, "\n".join(texts))

    places = {
        (c.entities.namespace, c.entities.workload) for c in seen.analysis.root_cause_analysis
    }
    assert places == {("media", "thumbnailer"), ("billing", "invoice-renderer")}
