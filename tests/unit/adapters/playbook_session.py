"""The three questions of a workflow, put to the playbooks one after another."""

from dataclasses import dataclass

from app.adapters.reasoning.playbook import PlaybookReasoner
from app.domain.answer import AgentName
from app.domain.guidance import Guidance
from app.domain.incident import Analysis, Findings
from app.domain.logbatch import LogBatch
from app.domain.plan import Remediation
from app.domain.questions import (
    AnalysisFacts,
    MonitoringFacts,
    Question,
    RemediationFacts,
    Usage,
)


@dataclass(frozen=True, slots=True)
class Session:
    """The three answers."""

    findings: Findings
    analysis: Analysis
    remediation: Remediation

    @property
    def modes(self) -> list[str]:
        """The failure modes, best first."""
        return [cause.failure_mode for cause in self.analysis.root_cause_analysis]


async def investigate(
    reasoner: PlaybookReasoner, batch: LogBatch, guidance: Guidance | None = None
) -> Session:
    """Ask for findings, causes and plans."""
    findings = await reasoner.ask(
        Question(AgentName.MONITORING, MonitoringFacts(batch), Findings), Silent()
    )
    analysis = await reasoner.ask(
        Question(AgentName.ANALYSIS, AnalysisFacts(batch, findings), Analysis), Silent()
    )
    facts = RemediationFacts(batch, analysis, guidance or Guidance())
    remediation = await reasoner.ask(Question(AgentName.REMEDIATION, facts, Remediation), Silent())
    return Session(findings, analysis, remediation)


class Silent:
    """Hears nothing."""

    async def progress(self, text: str) -> None: ...

    async def token(self, text: str) -> None: ...

    async def usage(self, usage: Usage) -> None: ...
