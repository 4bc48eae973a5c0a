"""A diagnosis as text for people and as data for programs."""

import textwrap

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from app.cli.words import plain
from app.domain.answer import Answer
from app.domain.incident import ErrorFinding, Findings, RootCause, WarningFinding
from app.domain.plan import Plan, Remediation, Step
from app.workflow.graph import last_sentence
from app.workflow.state import State

INDENT = 2
SHOWN_LINES = 5


def to_result(state: State) -> dict[str, object]:
    """The four answers, null where an agent was not asked."""
    answers: dict[str, Answer | None] = {
        "findings": state.get("findings"),
        "analysis": state.get("analysis"),
        "remediation": state.get("remediation"),
        "submissions": state.get("report"),
    }
    result: dict[str, object] = {
        name: answer.model_dump(mode="json") if answer else None for name, answer in answers.items()
    }
    return {"outcome": last_sentence(state)} | result


def print_report(state: State, console: Console) -> None:
    """Findings with line numbers, causes with evidence, plans with risk and rollback."""
    _print_findings(state["findings"], console)
    for cause in state["analysis"].root_cause_analysis if "analysis" in state else ():
        _print_cause(cause, console)
    if "remediation" in state:
        _print_plans(state["remediation"], console)
    if "report" in state and state["report"].refused:
        console.print(Rule("Refused by the policy", align="left"))
        for refused in state["report"].refused:
            _line(console, f"{refused.command}: {'; '.join(refused.reasons)}")
    console.print()
    _line(console, last_sentence(state), style="bold")


def _print_findings(findings: Findings, console: Console) -> None:
    console.print(Rule("Findings", align="left"))
    shown: list[ErrorFinding | WarningFinding] = [*findings.errors, *findings.warnings]
    for finding in shown:
        lines = ", ".join(str(number) for number in finding.lines[:SHOWN_LINES])
        count = finding.additional_context.occurrence_count
        where = f"line {lines}" if lines else "no line"
        times = f", {count} times" if count > 1 else ""
        _line(console, f"{finding.priority} {finding.severity} {finding.service} ({where}{times})")
        _line(console, finding.message, indent=INDENT)
    if not shown:
        _line(console, "none")


def _print_cause(cause: RootCause, console: Console) -> None:
    title = "Follows from another cause" if cause.is_cascading_effect else "Root cause"
    console.print(Rule(f"{title} ({cause.failure_mode})", align="left"))
    _line(console, cause.root_cause, style="bold")
    _line(console, cause.explanation)
    for quote in cause.evidence:
        _line(console, f"> {quote}", indent=INDENT)


def _print_plans(remediation: Remediation, console: Console) -> None:
    for number, plan in enumerate(remediation.remediation_plans, 1):
        console.print(Rule(f"Plan {number}", align="left"))
        _line(console, plan.issue, style="bold")
        for step in plan.steps:
            _print_step(step, console)
        _print_rest(plan, console)


def _print_step(step: Step, console: Console) -> None:
    _line(console, f"{step.step_number}. {step.phase}: {step.description}")
    for command in step.commands:
        _line(console, f"[{command.safety_level}] {command.command}", indent=INDENT, style="cyan")
        _line(console, command.explanation, indent=2 * INDENT)
    for rollback in step.rollback_commands:
        _line(console, f"roll back with: {rollback.command}", indent=2 * INDENT)
    if step.success_criteria:
        _line(console, f"worked when: {step.success_criteria}", indent=INDENT)


def _print_rest(plan: Plan, console: Console) -> None:
    if plan.manual_steps:
        _line(console, f"By hand: {plan.manual_steps}")
    for measure in plan.preventive_measures:
        _line(console, f"Prevent: {measure}")


def _line(console: Console, text: str, *, indent: int = 0, style: str = "") -> None:
    if not text:
        return
    if console.is_terminal:
        console.print(Padding(Text(plain(text), style=style), (0, 0, 0, indent)))
    else:
        # A program, or a person with a pager, wants a command in one piece.
        console.print(Text(textwrap.indent(plain(text), " " * indent)), soft_wrap=True)
