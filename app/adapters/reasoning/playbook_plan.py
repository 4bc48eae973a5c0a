"""RemediationAgent's question: what should be done about it?"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.adapters.reasoning.playbook_choice import Choice, choose
from app.adapters.reasoning.playbook_model import CommandTemplate, Library, Playbook, Remedy
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
from app.kubectl.contradiction import contradicts

MOST_READS = 6
ALL_REFUSED = "No command is proposed, because all that are known for this were rejected on incidents like it."

LEFT_OUT = "Not proposed: {}, which contradicts the plan for a more certain cause."


@dataclass(frozen=True, slots=True)
class Case:
    """A root cause with the playbook that knows it and what is known."""

    cause: RootCause
    playbook: Playbook
    known: Parameters


def plan_all(cases: Sequence[Case], library: Library, guidance: Guidance) -> Remediation:
    """A plan for each cause; what only follows from another cause gets none."""
    plans: list[Plan] = []
    for case in cases:
        plans.append(_plan(case, library, guidance, _changes(plans)))
    return Remediation(
        remediation_summary=RemediationSummary(
            total_issues=len(plans),
            critical_remediations=sum(plan.severity is Level.CRITICAL for plan in plans),
            automated_fixes=sum(not plan.requires_manual_intervention for plan in plans),
            manual_interventions=sum(plan.requires_manual_intervention for plan in plans),
            estimated_time_minutes=sum(plan.estimated_time_minutes for plan in plans),
        ),
        remediation_plans=tuple(plans),
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


def _changes(plans: Sequence[Plan]) -> tuple[str, ...]:
    """The commands by which these plans change something."""
    return tuple(one.command for plan in plans for one in plan.steps[1].commands)


def _plan(case: Case, library: Library, guidance: Guidance, before: Sequence[str]) -> Plan:
    book, cause, known = case.playbook, case.cause, case.known
    remedies, left_out = _apart(library.remedies_of(book), known, before)
    choice = choose(remedies, known, guidance, cause.error_message)
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
        steps=_steps(case, library, _change(choice, known, manual, left_out)),
        alternative_solutions=_alternatives(choice, manual),
        preventive_measures=book.prevent,
        blast_radius=cause.impact.blast_radius,
        requires_manual_intervention=chosen is None,
        manual_steps=manual,
        failure_mode=book.mode,
        entities=cause.entities,
    )


def _apart(
    remedies: Sequence[Remedy], known: Parameters, before: Sequence[str]
) -> tuple[list[Remedy], list[str]]:
    """The remedies that leave alone what earlier plans change, and the commands of the others."""
    possible: list[Remedy] = []
    left_out: list[str] = []
    for remedy in remedies:
        rendered = [render_command(template, known) for template in remedy.commands]
        contrary = [one.command for one in rendered if one and contradicts(one.command, before)]
        left_out += contrary
        if not contrary:
            possible.append(remedy)
    return possible, left_out


def _steps(case: Case, library: Library, change: Step) -> tuple[Step, ...]:
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
    return (look, change, again)


def _change(choice: Choice, known: Parameters, manual: str, left_out: Sequence[str]) -> Step:
    chosen = choice.chosen
    contrary = LEFT_OUT.format("; ".join(left_out)) if left_out else ""
    if chosen is None:
        refused = ALL_REFUSED if choice.offers else ""
        words = (f"By hand: {manual}", refused, contrary)
        return Step(phase=Phase.REMEDIATE, step_number=2, description=_joined(*words))
    remedy = chosen.remedy
    rollback = [render_command(template, known) for template in remedy.rollback]
    return Step(
        phase=Phase.REMEDIATE,
        step_number=2,
        description=_joined(chosen.does, chosen.reason, contrary),
        commands=chosen.commands,
        success_criteria=render_first([remedy.success], known) or "",
        rollback_commands=tuple(
            RollbackCommand(command=command.command, explanation=command.explanation)
            for command in rollback
            if command
        ),
    )


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _reads(
    references: Sequence[str | CommandTemplate], library: Library, known: Parameters
) -> tuple[Command, ...]:
    rendered = [render_command(library.command(item), known) for item in references]
    return tuple({item.command: item for item in rendered if item}.values())[:MOST_READS]


def _alternatives(choice: Choice, manual: str) -> tuple[Alternative, ...]:
    others = [
        Alternative(
            approach=_joined(offer.does, offer.reason),
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
