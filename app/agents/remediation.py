"""RemediationAgent: root causes and past examples in, a plan out."""

from app.agents.contradictions import consistent
from app.agents.repeats import explained
from app.domain.answer import AgentName, Level
from app.domain.guidance import Guidance
from app.domain.incident import Analysis
from app.domain.logbatch import LogBatch
from app.domain.plan import Phase, Plan, Remediation, RemediationSummary
from app.domain.ports import Reasoner
from app.domain.questions import Question, RemediationFacts, Teller


async def plan_remedies(
    batch: LogBatch,
    analysis: Analysis,
    guidance: Guidance,
    reasoner: Reasoner,
    teller: Teller,
) -> Remediation:
    """Plans with steps numbered from 1, and counts that agree with the lists."""
    facts = RemediationFacts(batch, analysis, guidance)
    question = Question(AgentName.REMEDIATION, facts, Remediation)
    repeats = explained(await reasoner.ask(question, teller), guidance.just_rejected)
    if repeats.note:
        await teller.progress(repeats.note)
    answer = repeats.answer
    plans = tuple(_numbered(plan) for plan in consistent(answer.remediation_plans))
    summary = RemediationSummary(
        total_issues=len(plans),
        critical_remediations=sum(plan.severity is Level.CRITICAL for plan in plans),
        automated_fixes=sum(_changes_something(plan) for plan in plans),
        manual_interventions=sum(plan.requires_manual_intervention for plan in plans),
        estimated_time_minutes=sum(plan.estimated_time_minutes for plan in plans),
    )
    return answer.model_copy(update={"remediation_summary": summary, "remediation_plans": plans})


def _numbered(plan: Plan) -> Plan:
    steps = tuple(
        step.model_copy(update={"step_number": number}) for number, step in enumerate(plan.steps, 1)
    )
    return plan.model_copy(update={"steps": steps})


def _changes_something(plan: Plan) -> bool:
    return any(step.phase is Phase.REMEDIATE and step.commands for step in plan.steps)
