"""The graph's nodes: each asks one agent, unless the events have its answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import orjson
from langgraph.runtime import Runtime

from app.agents.agent import conduct
from app.agents.analysis import find_causes
from app.agents.monitoring import find_problems
from app.agents.remediation import plan_remedies
from app.domain.answer import AgentName
from app.domain.approval import SubmissionReport
from app.domain.events import Event, EventStatus, EventType
from app.domain.guidance import Guidance
from app.domain.incident import Analysis
from app.domain.plan import Remediation
from app.domain.ports import Reasoner
from app.domain.questions import Teller
from app.domain.words import counted
from app.learning.holdout import HoldoutSelector, sentence_of
from app.workflow.state import Run, State

SILENT_SECONDS = 1.0
READING = "Reading what people decided on earlier incidents; after an update this takes a while."

Submit = Callable[[Run, State, Teller], Awaitable[SubmissionReport]]
"""What is done with the plans at the end."""


@dataclass(frozen=True, slots=True)
class Specialists:
    """The agents with everything they need."""

    reasoner: Reasoner
    selector: HoldoutSelector
    submit: Submit
    limit_seconds: float

    async def monitor(self, state: State, runtime: Runtime[Run]) -> State:
        """Find errors and warnings."""
        run = runtime.context
        if "findings" in run.answers:
            return {"findings": run.answers["findings"]}
        findings = await conduct(
            run.voice,
            AgentName.MONITORING,
            counted(run.batch.total_lines, "line") + " of logs",
            self.limit_seconds,
            lambda teller: find_problems(run.batch, self.reasoner, teller),
        )
        return {"findings": findings}

    async def analyse(self, state: State, runtime: Runtime[Run]) -> State:
        """Find root causes."""
        run, findings = runtime.context, state["findings"]
        if "analysis" in run.answers:
            return {"analysis": run.answers["analysis"]}
        analysis = await conduct(
            run.voice,
            AgentName.ANALYSIS,
            f"{counted(len(findings.errors), 'error')} and {counted(len(findings.warnings), 'warning')}",
            self.limit_seconds,
            lambda teller: find_causes(run.batch, findings, self.reasoner, teller),
        )
        return {"analysis": analysis}

    async def remediate(self, state: State, runtime: Runtime[Run]) -> State:
        """Plan, with what people decided on incidents like this one."""
        run, analysis = runtime.context, state["analysis"]
        if "remediation" in run.answers:
            return {"remediation": run.answers["remediation"]}
        guidance = await self._guide(run, state)
        remediation = await conduct(
            run.voice,
            AgentName.REMEDIATION,
            f"{counted(len(analysis.root_cause_analysis), 'root cause')} and "
            f"{counted(len(guidance.examples), 'earlier example')}",
            self.limit_seconds,
            lambda teller: self._plan(run, analysis, guidance, teller),
        )
        return {"remediation": remediation, "guidance": guidance}

    async def propose(self, state: State, runtime: Runtime[Run]) -> State:
        """Judge the commands and submit what may be proposed."""
        run, plans = runtime.context, state["remediation"].remediation_plans
        if "report" in run.answers:
            return {"report": run.answers["report"]}
        report = await conduct(
            run.voice,
            AgentName.KUBECTL_COMMAND,
            counted(len(plans), "plan"),
            self.limit_seconds,
            lambda teller: self.submit(run, state, teller),
        )
        return {"report": report}

    async def _guide(self, run: Run, state: State) -> Guidance:
        """What is known; a long log that was written anew is read for minutes."""
        known = run.voice.workflow_id, state["analysis"], state["findings"], run.batch.entities
        try:
            async with asyncio.timeout(SILENT_SECONDS):
                return await self.selector.guide(*known)
        except TimeoutError:
            await run.voice.say(AgentName.REMEDIATION, EventStatus.INFO, READING)
        return await self.selector.guide(*known)

    async def _plan(
        self, run: Run, analysis: Analysis, guidance: Guidance, teller: Teller
    ) -> Remediation:
        if guidance.is_held_out:
            await run.voice.append(_held_out(guidance))
        if not guidance.is_empty:
            await run.voice.append([_known(guidance)])
        for example in guidance.examples:
            await run.voice.say(
                AgentName.REMEDIATION,
                EventStatus.INFO,
                orjson.dumps(example).decode(),
                event_type=EventType.EXAMPLE_USED,
            )
        return await plan_remedies(run.batch, analysis, guidance, self.reasoner, teller)


def _known(guidance: Guidance) -> Event:
    """What is known beside the examples, which have events of their own."""
    known = {
        "note": guidance.note,
        "lessons": guidance.lessons,
        "just_rejected": guidance.just_rejected,
        "scoreboard": guidance.scoreboard,
    }
    data = orjson.dumps({"agent": AgentName.REMEDIATION, "guidance": known}).decode()
    return Event(AgentName.REMEDIATION, EventStatus.INFO, data, EventType.PROGRESS)


def _held_out(guidance: Guidance) -> list[Event]:
    """That nothing learned is used, for people and for programs."""
    agent, sentence = AgentName.REMEDIATION, sentence_of(guidance)
    fact = {
        "agent": agent,
        "is_held_out": True,
        "sentence": sentence,
        "holdout_share": guidance.holdout_share,
        "withheld_examples": guidance.withheld,
    }
    data = orjson.dumps(fact).decode()
    return [
        Event(agent, EventStatus.THINKING, sentence),
        Event(agent, EventStatus.INFO, data, EventType.PROGRESS),
    ]
