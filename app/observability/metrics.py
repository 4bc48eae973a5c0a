"""What operators count: every Prometheus metric of the product, with labels of few values."""

from contextlib import AbstractContextManager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

AGENT_SECONDS = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 20, 40, 80, 160)
REQUEST_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
ENDS = frozenset({"succeeded", "failed", "unknown", "skipped", "recorded"})
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
UNMATCHED = "unmatched"


class Metrics:
    """One per process, passed to whoever counts."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        """Every metric is registered at once, so that a scrape shows zeros rather than gaps."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._workflow_metrics()
        self._agent_metrics()
        self._approval_metrics()
        self._http_metrics()

    def _workflow_metrics(self) -> None:
        self._started = self._counter("workflows_started", "Workflows accepted.")
        self._finished = self._counter("workflows_finished", "Workflows ended.", "outcome")
        self._running = self._gauge("workflows_running", "Workflows that run now.")
        self._queued = self._gauge("workflows_queued", "Workflows that wait for a place.")
        self._events = self._counter("events_appended", "Events written to the event log.")
        self._streams = self._gauge("streams_open", "Event streams that clients hold open.")

    def _agent_metrics(self) -> None:
        self._agent_seconds = Histogram(
            "incident_agents_agent_seconds",
            "Time for one agent's answer.",
            ("agent", "engine"),
            buckets=AGENT_SECONDS,
            registry=self.registry,
        )
        self._reasoner_failures = self._counter(
            "reasoner_failures", "Answers that could not be had or used.", "kind"
        )

    def _approval_metrics(self) -> None:
        self._submitted = self._counter(
            "proposals_submitted", "Proposals the approval server has taken."
        )
        self._failed = self._counter(
            "proposals_failed", "Attempts to hand over a proposal that failed."
        )
        self._decisions = self._counter(
            "decisions", "Decisions of people, and that nobody decided in time.", "decision"
        )
        self._judged = self._counter(
            "commands_judged", "Planned commands, by what the policy made of them.", "verdict"
        )
        self._ended = self._counter(
            "commands_ended", "Approved commands that came to an end.", "status"
        )
        self._outcomes = self._counter(
            "outcomes", "What the cluster looked like after a plan was carried out.", "outcome"
        )
        self._refused = self._counter(
            "webhooks_refused", "Webhooks without a signature that is right."
        )

    def _http_metrics(self) -> None:
        labels = ("route", "method", "status")
        self._requests = self._counter("http_requests", "Requests answered.", *labels)
        self._request_seconds = Histogram(
            "incident_agents_http_request_seconds",
            "Time to the end of an answer; for streams, how long they were open.",
            ("route", "method"),
            buckets=REQUEST_SECONDS,
            registry=self.registry,
        )

    def workflow_started(self) -> None:
        """A workflow was accepted."""
        self._started.inc()

    def workflow_finished(self, outcome: str) -> None:
        """A workflow ended; `outcome` is one of few fixed words."""
        self._finished.labels(outcome).inc()

    def workflows_now(self, *, running: int, queued: int) -> None:
        """How many run and how many wait."""
        self._running.set(running)
        self._queued.set(queued)

    def events_appended(self, count: int) -> None:
        """Events were written."""
        self._events.inc(count)

    def stream_open(self) -> AbstractContextManager[None]:
        """A client holds a stream open as long as the block lasts."""
        return self._streams.track_inprogress()

    def agent_answered(self, agent: str, engine: str, seconds: float) -> None:
        """An agent's answer was had."""
        self._agent_seconds.labels(agent, engine).observe(seconds)

    def reasoner_failed(self, kind: str) -> None:
        """An answer failed; `kind` is the error's class name."""
        self._reasoner_failures.labels(kind).inc()

    def proposal_submitted(self) -> None:
        """The approval server has a proposal."""
        self._submitted.inc()

    def proposal_failed(self) -> None:
        """The approval server did not take a proposal."""
        self._failed.inc()

    def decision_recorded(self, decision: str) -> None:
        """A person decided: approved or rejected; or nobody did: expired."""
        self._decisions.labels(decision).inc()

    def command_judged(self, verdict: str) -> None:
        """The policy judged a planned command: accepted, repaired or refused."""
        self._judged.labels(verdict).inc()

    def command_ended(self, status: str) -> None:
        """A command came to its end at the approval server."""
        if status in ENDS:
            self._ended.labels(status).inc()

    def outcome_measured(self, outcome: str) -> None:
        """The cluster was looked at after a plan was carried out."""
        self._outcomes.labels(outcome).inc()

    def webhook_refused(self) -> None:
        """A webhook was not signed as it must be."""
        self._refused.inc()

    def request_answered(self, route: str | None, method: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is the template, never the path with its ids."""
        route, method = route or UNMATCHED, method if method in METHODS else "OTHER"
        self._requests.labels(route, method, str(status)).inc()
        self._request_seconds.labels(route, method).observe(seconds)

    def render(self) -> bytes:
        """The text that Prometheus scrapes."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"incident_agents_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(f"incident_agents_{name}", meaning, registry=self.registry)
