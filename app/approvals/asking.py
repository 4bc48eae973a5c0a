"""Who asks for something over MCP, and what nobody has to be asked about because it never runs."""

from dataclasses import asdict, dataclass

from pydantic import JsonValue

from app.approvals.judging import CommandJudge, RefusedByPolicy
from app.approvals.ports import AuditNotes
from app.approvals.proposing import IncomingProposal, to_approval
from app.domain.audit import AuditFact, AuditType
from app.domain.ports import Clock
from app.domain.review import ReviewedCommand

TOLD = 5
SHOWN_TEXT = 200


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants something, as it says itself; nothing of it is proved."""

    name: str | None = None
    version: str | None = None
    user_agent: str | None = None
    address: str | None = None
    """Where the request came from."""
    session: str | None = None

    def view(self) -> dict[str, JsonValue]:
        """For the audit trail."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ForbiddenProposals:
    """Proposals of which the policy refuses every command: no decision could let them run."""

    judge: CommandJudge
    notes: AuditNotes
    clock: Clock

    async def refuse(self, proposal: IncomingProposal, asker: Asker) -> None:
        """Audit it and raise RefusedByPolicy, if it is one; raises StorageFailed."""
        now = self.clock.now()
        commands = to_approval(proposal, self.judge, now, now).commands
        if not all(command.is_refused for command in commands):
            return
        facts: dict[str, JsonValue] = {
            "action": proposal.action,
            "client": asker.view(),
            "commands": [
                {"command": command.text, "reasons": [*command.reasons]} for command in commands
            ],
        }
        await self.notes.note(AuditFact(AuditType.PROPOSAL_REFUSED, None, asker.name, facts))
        raise RefusedByPolicy(_sentence(commands))


def _sentence(commands: tuple[ReviewedCommand, ...]) -> str:
    told = [
        f"{command.text[:SHOWN_TEXT]}: {', '.join(command.reasons)}" for command in commands[:TOLD]
    ]
    if len(commands) > TOLD:
        told.append(f"and {len(commands) - TOLD} more")
    return f"Refused by policy, so nobody was asked and nothing runs. {'; '.join(told)}."
