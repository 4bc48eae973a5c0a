"""The text that Prometheus scrapes."""

from prometheus_client.parser import text_string_to_metric_families

from app.observability.metrics import Metrics


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(metrics.render().decode()):
        for line in family.samples:
            if line.name == f"incident_agents_{name}" and line.labels == labels:
                return float(line.value)
    return None


def test_a_fresh_process_shows_zeros_rather_than_gaps():
    metrics = Metrics()

    assert sample(metrics, "workflows_started_total") == 0
    assert sample(metrics, "workflows_running") == 0
    assert sample(metrics, "streams_open") == 0


def test_workflows_are_counted_by_outcome():
    metrics = Metrics()

    metrics.workflow_started()
    metrics.workflow_started()
    metrics.workflow_finished("completed")
    metrics.workflows_now(running=1, queued=4)

    assert sample(metrics, "workflows_started_total") == 2
    assert sample(metrics, "workflows_finished_total", outcome="completed") == 1
    assert sample(metrics, "workflows_running") == 1
    assert sample(metrics, "workflows_queued") == 4


def test_agents_are_timed_and_failures_counted():
    metrics = Metrics()

    metrics.agent_answered("AnalysisAgent", "playbooks", 0.3)
    metrics.reasoner_failed("ReasonerRefusedKey")

    labels = {"agent": "AnalysisAgent", "engine": "playbooks"}
    assert sample(metrics, "agent_seconds_sum", **labels) == 0.3
    assert sample(metrics, "agent_seconds_bucket", le="0.1", **labels) == 0
    assert sample(metrics, "agent_seconds_bucket", le="0.5", **labels) == 1
    assert sample(metrics, "reasoner_failures_total", kind="ReasonerRefusedKey") == 1


def test_proposals_decisions_and_events_are_counted():
    metrics = Metrics()

    metrics.proposal_submitted()
    metrics.proposal_failed()
    metrics.decision_recorded("rejected")
    metrics.events_appended(7)

    assert sample(metrics, "proposals_submitted_total") == 1
    assert sample(metrics, "proposals_failed_total") == 1
    assert sample(metrics, "decisions_total", decision="rejected") == 1
    assert sample(metrics, "events_appended_total") == 7


def test_a_stream_counts_as_long_as_it_is_open():
    metrics = Metrics()

    with metrics.stream_open():
        assert sample(metrics, "streams_open") == 1

    assert sample(metrics, "streams_open") == 0


def test_strangers_cannot_make_new_label_values():
    metrics = Metrics()

    metrics.request_answered(None, "BREW", 404, 0.001)
    metrics.request_answered("/health", "GET", 200, 0.001)

    stranger = {"route": "unmatched", "method": "OTHER", "status": "404"}
    known = {"route": "/health", "method": "GET", "status": "200"}
    assert sample(metrics, "http_requests_total", **stranger) == 1
    assert sample(metrics, "http_requests_total", **known) == 1


def test_two_instances_share_nothing():
    first, second = Metrics(), Metrics()

    first.workflow_started()

    assert sample(second, "workflows_started_total") == 0
