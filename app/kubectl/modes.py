"""Whether a judged command may be executed in a mode."""

from app.domain.command_mode import CommandMode
from app.kubectl.guard import Verdict
from app.kubectl.policy import Risk


def why_not_executed(verdict: Verdict, mode: CommandMode) -> str | None:
    """The sentence that says what stands in the way; None when it may be executed."""
    if verdict.risk is Risk.FORBIDDEN:
        return f"Not executed: the policy refuses it ({'; '.join(verdict.reasons)})."
    return why_mode_refuses(verdict.risk, mode)


def why_mode_refuses(policy_risk: str, mode: CommandMode) -> str | None:
    """The same for a command that the policy allows; a risk that is not known counts as one."""
    match mode:
        case CommandMode.SUGGEST:
            return "Not executed: COMMAND_MODE=suggest only shows commands."
        case CommandMode.READ_ONLY if policy_risk != Risk.SAFE:
            return "Not executed: COMMAND_MODE=read-only only runs commands that just read."
        case CommandMode.READ_ONLY | CommandMode.APPROVE:
            return None
