"""What the approval server reads: bodies within their limits."""

import json
from difflib import get_close_matches
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from app.approvals.proposing import IncomingCommand, IncomingProposal
from app.approvals.ruling import CommandChoice, IncomingDecision
from app.domain.approval import CommandDecision, Decision

COMMANDS_LIMIT = 100
COMMAND_LIMIT_BYTES = 8 * 1024
METADATA_LIMIT_BYTES = 64 * 1024
TEXT_LIMIT = 16 * 1024
SHOWN_INPUT = 200
NEARLY = 0.8
"""Of one, for the same."""
NEARLY_LONG = 40


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
    """A key that is not known is a mistake, and is told; metadata is free."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class ChoiceBody(Body):
    """What a person says to one command."""

    number: int = Field(ge=0, lt=COMMANDS_LIMIT, strict=True)
    decision: Literal["approved", "rejected", "edited"]
    edited_to: Annotated[str, AfterValidator(_command_text)] | None = None
    reason: str | None = Field(default=None, max_length=TEXT_LIMIT)

    @model_validator(mode="after")
    def _has_its_text(self) -> Self:
        if (self.decision == "edited") != (self.edited_to is not None):
            raise ValueError("edited_to goes with the decision edited, and with no other.")
        return self

    def to_choice(self) -> CommandChoice:
        """The choice for the desk."""
        return CommandChoice(
            self.number, CommandDecision(self.decision), self.edited_to, self.reason
        )


class TolerantBody(Body):
    """An optional body; unknown keys are tolerated, as ever.

    A key that is nearly one of these is refused: without it, a decision would be about everything.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    reason: str | None = Field(default=None, max_length=TEXT_LIMIT)
    reviewer: str | None = Field(default=None, max_length=200)

    @model_validator(mode="before")
    @classmethod
    def _has_no_typo(cls, body: object) -> object:
        known = [*cls.model_fields]
        for key in body if isinstance(body, dict) else ():
            meant = get_close_matches(str(key).lower(), known, 1, NEARLY)
            if meant and key not in known:
                raise ValueError(
                    f"Unknown key {str(key)[:NEARLY_LONG]!r}: did you mean {meant[0]!r}?"
                )
        return body


class UndoBody(TolerantBody):
    """The optional body of undo."""

    confirm: bool | None = Field(default=None, strict=True)
    """Undo it although somebody changed the object since, or nobody knows what ran."""


class DecisionBody(TolerantBody):
    """The optional body of approve and reject."""

    seen: str | None = Field(default=None, max_length=64)
    confirm: list[Annotated[int, Field(ge=0, strict=True)]] | None = Field(
        default=None, max_length=COMMANDS_LIMIT
    )
    commands: list[ChoiceBody] | None = Field(default=None, max_length=COMMANDS_LIMIT)

    def to_decision(self, decision: Decision) -> IncomingDecision:
        """The decision for the desk."""
        return IncomingDecision(
            decision=decision,
            reviewer=self.reviewer,
            reason=(self.reason or "").strip() or None,
            seen=self.seen,
            confirm=self.confirm or (),
            choices=None
            if self.commands is None
            else [command.to_choice() for command in self.commands],
        )


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
