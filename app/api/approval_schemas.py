"""What the approval server reads and writes: bodies within their limits, approvals as JSON."""

import json
from datetime import UTC, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
)

from app.approvals.desk import IncomingCommand, IncomingProposal
from app.domain.review import Approval, ReviewedCommand

COMMANDS_LIMIT = 100
COMMAND_LIMIT_BYTES = 8 * 1024
METADATA_LIMIT_BYTES = 64 * 1024
TEXT_LIMIT = 16 * 1024
SHOWN_INPUT = 200


def _command_text(text: str) -> str:
    if not text.strip():
        raise ValueError("A command cannot be empty.")
    if len(text.encode()) > COMMAND_LIMIT_BYTES:
        raise ValueError(f"A command cannot be longer than {COMMAND_LIMIT_BYTES // 1024} KiB.")
    return text


def _metadata(metadata: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
    if len(json.dumps(metadata, allow_nan=False)) > METADATA_LIMIT_BYTES:
        raise ValueError(f"metadata cannot be over {METADATA_LIMIT_BYTES // 1024} KiB.")
    return metadata


class Body(BaseModel):
    """Unknown keys are tolerated: clients send more than we read."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class CommandBody(Body):
    """One proposed command."""

    command: Annotated[str, AfterValidator(_command_text)]
    explanation: str | None = Field(default=None, max_length=TEXT_LIMIT)
    safety_level: str | None = Field(default=None, max_length=64)


class ProposalBody(Body):
    """`POST /api/approvals/propose`."""

    action: str = Field(max_length=TEXT_LIMIT)
    commands: list[CommandBody] = Field(min_length=1, max_length=COMMANDS_LIMIT)
    metadata: Annotated[dict[str, JsonValue] | None, AfterValidator(_metadata)] = None

    def to_proposal(self) -> IncomingProposal:
        """The proposal for the desk."""
        return IncomingProposal(
            action=self.action,
            commands=[
                IncomingCommand(
                    command.command, command.explanation or "", command.safety_level or "CAUTION"
                )
                for command in self.commands
            ],
            metadata=self.metadata or {},
        )


class KubectlArguments(Body):
    """The arguments of the MCP tool `execute_kubectl`."""

    command: Annotated[str, AfterValidator(_command_text)]
    namespace: str = Field(default="default", max_length=253)


class DecisionBody(Body):
    """The optional body of approve and reject."""

    reason: str | None = Field(default=None, max_length=TEXT_LIMIT)
    reviewer: str | None = Field(default=None, max_length=200)


def validation_details(error: ValidationError) -> list[dict[str, object]]:
    """Place and reason of each problem, in the shape of the contract."""
    return [
        {
            "type": problem["type"],
            "loc": ["body", *problem["loc"]],
            "msg": problem["msg"].removeprefix("Value error, "),
            "input": _shown(problem["input"]),
        }
        for problem in error.errors(include_url=False, include_context=False)
    ]


def problem_sentence(problem: dict[str, object]) -> str:
    """One problem in one line, for clients that read only `error`."""
    place = problem["loc"]
    where = ".".join(map(str, place)) if isinstance(place, list | tuple) else "body"
    return f"{where}: {problem['msg']}"


def _shown(value: object) -> str:
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return text[:SHOWN_INPUT]


def approval_view(approval: Approval) -> dict[str, object]:
    """An approval as pages and scripts see it; the first five keys are the contract's."""
    return {
        "id": approval.approval_id,
        "action": approval.action,
        "commands": [_command_view(command) for command in approval.commands],
        "timestamp": iso(approval.proposed_at),
        "metadata": approval.metadata,
        "status": approval.status,
        "decided_at": iso(approval.decided_at),
        "reviewer": approval.reviewer,
        "reason": approval.reason,
        "approved_count": approval.approved_count,
        "rejected_count": approval.rejected_count,
    }


def iso(moment: datetime | None) -> str | None:
    """UTC with milliseconds, as the earlier server wrote it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _command_view(command: ReviewedCommand) -> dict[str, object]:
    return {
        "command": command.text,
        "explanation": command.explanation,
        "safety_level": command.safety_level,
        "risk": command.risk,
        "reasons": command.reasons,
        "is_refused": command.is_refused,
        "status": command.status,
        "output": command.output,
    }
