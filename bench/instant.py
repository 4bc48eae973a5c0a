"""The product with answers that cost nothing: what is left is the product itself.

Everything is real but the answers: storage, queue, graph, policy, events, and the approval server,
which is a process of its own and gets one proposal per workflow.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from app.bootstrap.backend import open_services
from app.domain.answer import AgentName, Answer, Entities
from app.domain.events import Recorded
from app.domain.ids import WorkflowId
from app.domain.incident import Analysis, ErrorFinding, Findings, RootCause
from app.domain.plan import Command, Phase, Plan, Remediation, SafetyLevel, Step
from app.domain.ports import A
from app.domain.questions import Question, Teller
from app.services import Services
from app.settings import read_settings
from tests.fakes.postgres import Postgres
from tests.fakes.servers import product_environment, start_process, stop

LOG = Path(__file__).parents[1] / "data" / "samples" / "oom-killed.log"
DATABASES = ("sqlite", "postgresql")
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


@asynccontextmanager
async def instant_services(database: str) -> AsyncIterator[Services]:
    """A working process on a fresh database, and its approval server beside it."""
    async with AsyncExitStack() as stack:
        root = Path(stack.enter_context(TemporaryDirectory()))
        settings = {"LOG_LEVEL": "WARNING", "MAX_QUEUED_WORKFLOWS": "100000"}
        if database == "postgresql":
            folder = stack.enter_context(TemporaryDirectory(prefix="pg", dir="/tmp"))
            cluster = Postgres(Path(folder))
            cluster.start()
            stack.callback(cluster.stop)
            settings["DATABASE_URL"] = stack.enter_context(cluster.database())
        environment = product_environment(root, settings)
        os.environ.update(environment)
        command = [sys.executable, "-m", "app", "approval-server"]
        stack.callback(stop, start_process(command, root, environment))
        await _answering(f"http://127.0.0.1:{environment['APPROVAL_PORT']}/")
        services = await stack.enter_async_context(
            open_services(read_settings(), InstantReasoner())
        )
        await stack.enter_async_context(services.process.running())
        yield services


async def run_one(services: Services, body: bytes) -> None:
    """Start a workflow and wait for its terminal event."""
    async with asyncio.timeout(LIMIT_SECONDS):
        workflow_id = await services.admission.start(body)
        last = await _last_of(services, workflow_id)
    assert b'"COMPLETED"' in last.frame, last.frame


async def _last_of(services: Services, workflow_id: WorkflowId) -> Recorded:
    ended: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()

    def listen(batch: Sequence[Recorded]) -> None:
        if batch[-1].is_terminal and not ended.done():
            ended.set_result(batch[-1])

    with services.events.subscribe(workflow_id, listen):
        bounds = await services.events.bounds(workflow_id)
        if bounds.terminal:
            return (await services.events.read(workflow_id, bounds.terminal - 1, 1))[0]
        return await ended


async def _answering(address: str) -> None:
    async with asyncio.timeout(LIMIT_SECONDS), httpx.AsyncClient() as client:
        while True:
            try:
                (await client.get(address)).raise_for_status()
            except httpx.HTTPError:
                await asyncio.sleep(0.1)
            else:
                return
