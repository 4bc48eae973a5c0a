"""AnalysisAgent: findings in, root causes out."""

from app.agents.evidence import checked_evidence
from app.domain.answer import AgentName, Level
from app.domain.incident import Analysis, AnalysisSummary, Findings, RootCause
from app.domain.logbatch import LogBatch
from app.domain.ports import Reasoner
from app.domain.questions import AnalysisFacts, Question, Teller


async def find_causes(
    batch: LogBatch, findings: Findings, reasoner: Reasoner, teller: Teller
) -> Analysis:
    """Root causes whose evidence stands in the text, with counts that agree with the lists."""
    question = Question(AgentName.ANALYSIS, AnalysisFacts(batch, findings), Analysis)
    analysis = checked_evidence(await reasoner.ask(question, teller), batch)
    causes = tuple(_labelled(cause, batch) for cause in analysis.root_cause_analysis)
    services = [cause.service for cause in causes]
    services += [warning.service for warning in analysis.warning_analysis]
    summary = AnalysisSummary(
        total_issues_analyzed=len(findings.errors) + len(findings.warnings),
        root_causes_identified=len(causes),
        critical_issues=sum(cause.severity is Level.CRITICAL for cause in causes),
        cascading_failures_detected=sum(cause.is_cascading_effect for cause in causes),
        services_affected=tuple(dict.fromkeys(services)),
    )
    return analysis.model_copy(update={"analysis_summary": summary, "root_cause_analysis": causes})


def _labelled(cause: RootCause, batch: LogBatch) -> RootCause:
    """With the labels that the whole text tells, which no reasoner need repeat."""
    return cause.model_copy(update={"entities": cause.entities.with_labels_of(batch.entities)})
