"""What the product itself costs per workflow, when answers cost nothing.

Everything is real but the answers: storage, graph, policy, events, and the approval server, which
is a process of its own and gets one proposal per workflow.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from app.bootstrap.backend import open_services
from app.domain.answer import AgentName, Answer, Entities
from app.domain.incident import Analysis, ErrorFinding, Findings, RootCause
from app.domain.plan import Command, Phase, Plan, Remediation, SafetyLevel, Step
from app.domain.ports import A
from app.domain.questions import Question, Teller
from app.services import Services
from app.settings import read_settings
from bench.figures import Figure, percentile, say
from tests.fakes.servers import product_environment

LOG = Path(__file__).parents[1] / "data" / "samples" / "oom-killed.log"
ONE_BY_ONE = 100
AT_ONCE = 400
LIMIT_SECONDS = 60.0

CAUSE = RootCause(
    service="thumbnailer",
    root_cause="The worker needs more memory than its limit.",
    failure_mode="oom_killed",
    entities=Entities(namespace="media", workload_kind="deployment", workload="thumbnailer"),
)
PLAN = Plan(
    service="thumbnailer",
    issue="Killed for its memory",
    steps=(
        Step(
            phase=Phase.INVESTIGATE,
            commands=(Command(command="kubectl -n media get pods", safety_level=SafetyLevel.SAFE),),
        ),
        Step(
            phase=Phase.REMEDIATE,
            commands=(
                Command(
                    command="kubectl -n media set resources deployment/thumbnailer "
                    "--limits=memory=512Mi"
                ),
            ),
        ),
    ),
    entities=CAUSE.entities,
)
ANSWERS: Mapping[AgentName, Answer] = {
    AgentName.MONITORING: Findings(
        errors=(ErrorFinding(service="thumbnailer", message="OOMKilled"),)
    ),
    AgentName.ANALYSIS: Analysis(root_cause_analysis=(CAUSE,)),
    AgentName.REMEDIATION: Remediation(remediation_plans=(PLAN,)),
}


class InstantReasoner:
    """Knows every answer beforehand."""

    name = "instant"

    async def ask(self, question: Question[A], teller: Teller) -> A:
        answer = ANSWERS[question.agent]
        assert isinstance(answer, question.answer_type)
        return answer

    async def trouble(self) -> str | None:
        return None


def measure() -> list[Figure]:
    """Sequential time per workflow, then the rate with eight at once."""
    return asyncio.run(_measure())


async def _measure() -> list[Figure]:
    with TemporaryDirectory() as folder:
        # The approval server is a child that reads the same environment.
        os.environ.update(product_environment(Path(folder), {"LOG_LEVEL": "WARNING"}))
        settings = read_settings()
        async with (
            open_services(settings, InstantReasoner()) as services,
            services.runner.running(),
        ):
            return await _figures(services, LOG.read_bytes())


async def _figures(services: Services, body: bytes) -> list[Figure]:
    await _run(services, body)
    say(f"overhead: {ONE_BY_ONE} workflows one by one")
    one_by_one = [await _run(services, body) for _ in range(ONE_BY_ONE)]
    say(f"overhead: {AT_ONCE} workflows, eight at once")
    started, processor = time.perf_counter(), time.process_time()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(_run(services, body))
    seconds = time.perf_counter() - started
    processor = time.process_time() - processor
    return [
        Figure("overhead of a workflow, median", percentile(one_by_one, 0.5) * 1000, "ms"),
        Figure("overhead of a workflow, p99", percentile(one_by_one, 0.99) * 1000, "ms"),
        Figure("workflows per second, eight at once", AT_ONCE / seconds, ""),
        Figure("processor time of a workflow", processor / AT_ONCE * 1000, "ms"),
    ]


async def _run(services: Services, body: bytes) -> float:
    started = time.perf_counter()
    async with asyncio.timeout(LIMIT_SECONDS):
        workflow_id = await services.runner.start(body)
        last = None
        async for batch in services.events.follow(workflow_id, 0, LIMIT_SECONDS):
            last = batch[-1] if batch else last
    assert last is not None
    assert b'"COMPLETED"' in last.frame, last.frame
    return time.perf_counter() - started


if __name__ == "__main__":
    print(*measure(), sep="\n")
