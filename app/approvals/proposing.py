"""A proposal as it comes in, and what its metadata says about its commands."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import JsonValue

from app.approvals.judging import CommandJudge
from app.domain.ids import ApprovalId
from app.domain.plan import Phase
from app.domain.review import Approval, ReviewedCommand


@dataclass(frozen=True, slots=True)
class IncomingCommand:
    """A command as its proposer words it."""

    text: str
    explanation: str
    safety_level: str


@dataclass(frozen=True, slots=True)
class IncomingProposal:
    """A proposal, parsed and within the limits."""

    action: str
    commands: Sequence[IncomingCommand]
    metadata: Mapping[str, JsonValue]


def to_approval(
    proposal: IncomingProposal, judge: CommandJudge, at: datetime, expires_at: datetime
) -> Approval:
    """The proposal with the policy's verdicts, waiting for a decision."""
    namespace = namespace_of(proposal.metadata)
    phases = _phases(proposal)
    return Approval(
        approval_id=ApprovalId(secrets.token_hex(16)),
        action=proposal.action,
        commands=tuple(
            replace(
                _reviewed(judge, command, namespace),
                phase=phase,
                in_evidence=is_in_evidence(proposal.metadata, command.text),
            )
            for command, phase in zip(proposal.commands, phases, strict=True)
        ),
        metadata=proposal.metadata,
        proposed_at=at,
        expires_at=expires_at,
    )


def namespace_of(metadata: Mapping[str, JsonValue]) -> str | None:
    """The namespace a proposal is about, for commands that name none."""
    namespace = metadata.get("namespace")
    return namespace if isinstance(namespace, str) and namespace else None


def is_in_evidence(metadata: Mapping[str, JsonValue], text: str) -> bool | None:
    """Whether the workflow saw the object of a proposed command; None when nobody said."""
    unseen = metadata.get("not_in_evidence")
    return text not in unseen if isinstance(unseen, list) else None


def _reviewed(
    judge: CommandJudge, command: IncomingCommand, namespace: str | None
) -> ReviewedCommand:
    return judge.review(command.text, command.explanation, command.safety_level, namespace)


def _phases(proposal: IncomingProposal) -> Sequence[str]:
    """One for each command; empty words for what a foreign proposer says in another way."""
    phases = proposal.metadata.get("phases")
    if not isinstance(phases, list) or len(phases) != len(proposal.commands):
        return [""] * len(proposal.commands)
    known = set(Phase)
    return [phase if isinstance(phase, str) and phase in known else "" for phase in phases]
