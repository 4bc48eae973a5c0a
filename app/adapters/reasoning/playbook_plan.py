"""RemediationAgent's question: what should be done about it?"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.adapters.reasoning.playbook_choice import Choice, choose
from app.adapters.reasoning.playbook_model import CommandTemplate, Library, Playbook
from app.adapters.reasoning.playbook_text import (
    Parameters,
    render_command,
    render_first,
)
from app.domain.answer import Level
from app.domain.guidance import Guidance
from app.domain.incident import RootCause
from app.domain.plan import (
    Alternative,
    Command,
    ExecutionOrder,
    Phase,
    Plan,
    Remediation,
    RemediationSummary,
    RollbackCommand,
    Step,
)

MOST_READS = 6
ALL_REFUSED = "No command is proposed, because all that are known for this were rejected on incidents like it."


@dataclass(frozen=True, slots=True)
class Case:
    """A root cause with the playbook that knows it and what is known."""

    cause: RootCause
    playbook: Playbook
    known: Parameters


def plan_all(cases: Sequence[Case], library: Library, guidance: Guidance) -> Remediation:
    """A plan for each cause; what only follows from another cause gets none."""
    plans = tuple(_plan(case, library, guidance) for case in cases)
    return Remediation(
        remediation_summary=RemediationSummary(
            total_issues=len(plans),
            critical_remediations=sum(plan.severity is Level.CRITICAL for plan in plans),
            automated_fixes=sum(not plan.requires_manual_intervention for plan in plans),
            manual_interventions=sum(plan.requires_manual_intervention for plan in plans),
            estimated_time_minutes=sum(plan.estimated_time_minutes for plan in plans),
        ),
        remediation_plans=plans,
        execution_order=tuple(
            ExecutionOrder(
                order=number,
                issue_id=f"{plan.failure_mode}-{number}",
                reason="The most certain cause first." if number == 1 else "Independent of it.",
                can_run_parallel=number > 1,
            )
            for number, plan in enumerate(plans, 1)
        ),
    )


def _plan(case: Case, library: Library, guidance: Guidance) -> Plan:
    book, cause, known = case.playbook, case.cause, case.known
    choice = choose(library.remedies_of(book), known, guidance, cause.error_message)
    chosen = choice.chosen
    manual = render_first(book.manual, known) or ""
    return Plan(
        timestamp=cause.timestamp,
        service=cause.service,
        issue=book.title,
        root_cause=cause.root_cause,
        severity=cause.severity,
        priority=cause.priority,
        estimated_time_minutes=book.minutes,
        steps=_steps(case, library, choice, manual),
        alternative_solutions=_alternatives(choice, manual),
        preventive_measures=book.prevent,
        blast_radius=cause.impact.blast_radius,
        requires_manual_intervention=chosen is None,
        manual_steps=manual,
        failure_mode=book.mode,
        entities=cause.entities,
    )


def _steps(case: Case, library: Library, choice: Choice, manual: str) -> tuple[Step, ...]:
    book, known = case.playbook, case.known
    look = Step(
        phase=Phase.INVESTIGATE,
        step_number=1,
        description=f"Confirm that this is: {case.cause.root_cause}",
        commands=_reads(book.investigate, library, known),
        success_criteria="What is seen fits the root cause; if it does not, stop here.",
    )
    again = Step(
        phase=Phase.VERIFY,
        step_number=3,
        description="See whether it is over.",
        commands=_reads(book.verify, library, known),
        success_criteria=render_first([book.success], known) or "",
    )
    return (look, _change(choice, known, manual), again)


def _change(choice: Choice, known: Parameters, manual: str) -> Step:
    chosen = choice.chosen
    if chosen is None:
        refused = f" {ALL_REFUSED}" if choice.offers else ""
        return Step(phase=Phase.REMEDIATE, step_number=2, description=f"By hand: {manual}{refused}")
    remedy = chosen.remedy
    rollback = [render_command(template, known) for template in remedy.rollback]
    return Step(
        phase=Phase.REMEDIATE,
        step_number=2,
        description=" ".join(part for part in (chosen.does, chosen.reason) if part),
        commands=chosen.commands,
        success_criteria=render_first([remedy.success], known) or "",
        rollback_commands=tuple(
            RollbackCommand(command=command.command, explanation=command.explanation)
            for command in rollback
            if command
        ),
    )


def _reads(
    references: Sequence[str | CommandTemplate], library: Library, known: Parameters
) -> tuple[Command, ...]:
    rendered = [render_command(library.command(item), known) for item in references]
    return tuple({item.command: item for item in rendered if item}.values())[:MOST_READS]


def _alternatives(choice: Choice, manual: str) -> tuple[Alternative, ...]:
    others = [
        Alternative(
            approach=" ".join(part for part in (offer.does, offer.reason) if part),
            pros=offer.pros,
            cons=offer.cons,
            commands=tuple(command.command for command in offer.commands),
        )
        for offer in choice.offers
        if offer is not choice.chosen
    ]
    if choice.chosen:
        others.append(
            Alternative(
                approach=manual, pros=("Removes the cause at its source",), cons=("Manual",)
            )
        )
    return tuple(others)
