"""The playbook engine: answers every agent's question from the facts alone, without a model."""

import asyncio
from typing import TypeVar

from app.adapters.reasoning.playbook_analysis import analyse
from app.adapters.reasoning.playbook_derived import object_parameters
from app.adapters.reasoning.playbook_diagnosis import Verdict, diagnose
from app.adapters.reasoning.playbook_findings import find
from app.adapters.reasoning.playbook_model import Library, shipped_library
from app.adapters.reasoning.playbook_parameters import FactReader
from app.adapters.reasoning.playbook_plan import Case, plan_all
from app.adapters.reasoning.playbook_scan import Scanner
from app.adapters.reasoning.playbook_text import Parameters
from app.adapters.reasoning.playbook_unknown import unknown_playbook
from app.domain.answer import Answer
from app.domain.errors import ReasonerFailed
from app.domain.incident import Analysis, Findings, RootCause
from app.domain.logbatch import LogBatch
from app.domain.plan import Remediation, RepairedCommands
from app.domain.questions import (
    AnalysisFacts,
    MonitoringFacts,
    Question,
    RemediationFacts,
    RepairFacts,
    Teller,
)

MOST_PLANS = 4

A = TypeVar("A", bound=Answer)


class PlaybookReasoner:
    """Implements the Reasoner port with failure knowledge as data."""

    def __init__(self, library: Library | None = None) -> None:
        """Load and compile the playbooks; raises StartupFailed when they cannot be used."""
        self._library = library or shipped_library()
        self._scanner = Scanner(self._library)
        self._facts = FactReader(self._library.background)
        self._last: tuple[LogBatch, Verdict] | None = None

    @property
    def name(self) -> str:
        """What users see."""
        return "playbooks"

    async def trouble(self) -> str | None:
        """Never: everything it needs was loaded at the start."""
        return None

    async def ask(self, question: Question[A], teller: Teller) -> A:
        """Answer from the facts; raises ReasonerFailed for a question it has no type for."""
        facts = question.facts
        answer: Answer
        match facts:
            case MonitoringFacts():
                answer = await self._findings(facts, teller)
            case AnalysisFacts():
                answer = await self._analysis(facts, teller)
            case RemediationFacts():
                answer = await self._remediation(facts, teller)
            case RepairFacts():
                answer = _repaired(facts)
        if not isinstance(answer, question.answer_type):
            raise ReasonerFailed(
                f"the playbooks cannot answer with {question.answer_type.__name__}"
            )
        return answer

    async def _findings(self, facts: MonitoringFacts, teller: Teller) -> Findings:
        batch = facts.batch
        lines = "1 line" if batch.total_lines == 1 else f"{batch.total_lines} lines"
        await teller.progress(f"Reading {lines} with {len(self._library.playbooks)} playbooks")
        verdict = await self._verdict(batch)
        if verdict.diagnoses:
            titles = ", ".join(item.playbook.title for item in verdict.diagnoses)
            await teller.progress(f"Symptoms point at: {titles}")
        elif verdict.recovered:
            await teller.progress("Something failed and works again; nothing is wrong now")
        return await asyncio.to_thread(find, batch, verdict, self._scanner)

    async def _analysis(self, facts: AnalysisFacts, teller: Teller) -> Analysis:
        verdict = await self._verdict(facts.batch)
        for item in verdict.diagnoses[1:]:
            if item.caused_by:
                await teller.progress(f"{item.playbook.title} follows from {item.caused_by}")
        answer = await asyncio.to_thread(
            analyse, facts.batch, facts.findings, verdict, self._scanner, self._facts
        )
        if answer.root_cause_analysis:
            await teller.progress(answer.root_cause_analysis[0].root_cause)
        return answer

    async def _remediation(self, facts: RemediationFacts, teller: Teller) -> Remediation:
        verdict = await self._verdict(facts.batch)
        cases = await asyncio.to_thread(self._cases, facts, verdict)
        for lesson in facts.guidance.lessons[:3]:
            await teller.progress(f"Lesson: {lesson.sentence}")
        answer = plan_all(cases, self._library, facts.guidance)
        for plan in answer.remediation_plans:
            await teller.progress(f"Planned for {plan.issue}: {plan.steps[1].description}")
        return answer

    async def _verdict(self, batch: LogBatch) -> Verdict:
        last = self._last
        if last is not None and last[0] is batch:
            return last[1]
        verdict = await asyncio.to_thread(diagnose, batch, self._library, self._scanner)
        self._last = (batch, verdict)
        return verdict

    def _cases(self, facts: RemediationFacts, verdict: Verdict) -> list[Case]:
        causes = [c for c in facts.analysis.root_cause_analysis if not c.is_cascading_effect]
        return [self._case(cause, verdict, facts.batch) for cause in causes[:MOST_PLANS]]

    def _case(self, cause: RootCause, verdict: Verdict, batch: LogBatch) -> Case:
        found = next((item for item in verdict.diagnoses if item.mode == cause.failure_mode), None)
        if found:
            return Case(cause, found.playbook, self._facts.read(found, verdict, batch))
        book = self._library.of(cause.failure_mode) or unknown_playbook()
        return Case(cause, book, _of_entities(cause))


def _of_entities(cause: RootCause) -> Parameters:
    from_objects = object_parameters(cause.entities)
    return Parameters({name: (value,) for name, value in from_objects}, cause.entities.namespace)


def _repaired(facts: RepairFacts) -> RepairedCommands:
    """Adds the namespace that the evidence names; everything else stays refused."""
    return RepairedCommands(
        commands=tuple(
            _with_namespace(command, reason, facts.batch.entities.namespace)
            for command, reason in facts.refused
        )
    )


def _with_namespace(command: str, reason: str, namespace: str | None) -> str:
    has_one = any(word.startswith(("-n", "--namespace")) for word in command.split())
    if namespace and not has_one and "needs a namespace" in reason.lower():
        return f"{command} -n {namespace}"
    return ""
