"""What a user reads as the diagnosis, and the same as one line of an evaluation."""

from app.domain.answer import Entities
from app.domain.incident import Analysis, Findings, RootCause
from app.domain.plan import Remediation

MOST_CHARACTERS = 1500
MOST_CAUSES = 6
GENERIC_MODE = "crashloop_app_error"
"""What an evaluation calls a failure that is real and unexplained."""


def diagnosis_text(findings: Findings, analysis: Analysis | None) -> str:
    """One paragraph for each root cause, the decisive facts first."""
    causes = analysis.root_cause_analysis[:MOST_CAUSES] if analysis else ()
    if not causes:
        return _without_cause(findings)
    summaries = [cause.root_cause for cause in causes]
    room = MOST_CHARACTERS - sum(len(text) + 2 for text in summaries[1:])
    paragraphs = [_cut(_paragraph(causes[0]), max(room, MOST_CHARACTERS // 3))]
    left = MOST_CHARACTERS - len(paragraphs[0])
    for index, cause in enumerate(causes[1:], 1):
        reserved = sum(len(text) + 2 for text in summaries[index + 1 :])
        text = _cut(_paragraph(cause), max(left - reserved - 2, len(cause.root_cause)))
        paragraphs.append(text)
        left -= len(text) + 2
    return _cut("\n\n".join(paragraphs), MOST_CHARACTERS)


def prediction(
    case_id: str, findings: Findings, analysis: Analysis | None, remediation: Remediation | None
) -> dict[str, object]:
    """One line of an evaluation: what was diagnosed and which commands would be proposed."""
    causes = analysis.root_cause_analysis[:MOST_CAUSES] if analysis else ()
    named = causes[0].entities if causes else Entities()
    modes = [GENERIC_MODE if c.failure_mode == "unknown" else c.failure_mode for c in causes]
    return {
        "id": case_id,
        "incident": bool(causes),
        "failure_modes": list(dict.fromkeys(modes)) or ["none"],
        "namespace": named.namespace,
        "workload": named.workload,
        "pod": named.pod,
        "container": named.container,
        "text": diagnosis_text(findings, analysis),
        "commands": _commands(remediation) if causes else [],
    }


def _without_cause(findings: Findings) -> str:
    if findings.is_empty:
        return "No incident: the input shows no error or warning that needs anyone; all is normal."
    count = len(findings.errors) + len(findings.warnings)
    return (
        f"No incident now: {count} finding(s) were seen, and nothing shows that they still "
        "do harm; no action is needed while they do not come back."
    )


def _paragraph(cause: RootCause) -> str:
    text = f"{cause.root_cause} {cause.explanation}".strip()
    if cause.is_cascading_effect and cause.related_to:
        return f"Following from {cause.related_to}: {text}"
    return text


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: max(0, limit - 1)].rstrip()}…"


def _commands(remediation: Remediation | None) -> list[str]:
    plans = remediation.remediation_plans if remediation else ()
    return list(
        dict.fromkeys(
            command.command for plan in plans for step in plan.steps for command in step.commands
        )
    )
