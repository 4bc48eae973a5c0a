"""A decision as it comes in, and what it makes of each command."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.approvals.judging import CommandJudge
from app.approvals.proposing import namespace_of
from app.domain.approval import CommandDecision, Decision
from app.domain.errors import Conflict, InvalidField
from app.domain.review import REJECTED, RUNS, UNCONFIRMED, Approval, ReviewedCommand
from app.security.words import name_without_secrets, without_secrets

NOT_CHOSEN = "Not run: nobody decided about it."
NOTHING_CHOSEN = (
    "No command is named, so nothing would run: name those that may run, or reject the request."
)
ONLY_REJECTED = (
    "Commands are rejected and none is approved, so nothing would run: approve some of the others,"
    " reject them as well, or reject the request."
)
NOTHING_APPROVED = (
    "Nothing was approved: what is not in evidence runs only when it is confirmed. Confirm commands"
    " by their number, or reject the request."
)
ALL_REFUSED = (
    "Nothing was approved: the policy refuses every command of this request. Reject it, or edit a"
    " command to what the policy allows."
)
UNSEEN = (
    "The workflow has not seen what this edit changes: it runs only when that is confirmed, by"
    ' "confirm": [{0}], in the terminal by `--confirm {1}`.'
)


class NotInEvidence(InvalidField):
    """An edit to what the workflow has not seen, and nobody confirmed it."""

    kind = "not_in_evidence"


@dataclass(frozen=True, slots=True)
class CommandChoice:
    """What a person says to one command."""

    number: int
    decision: CommandDecision
    edited_to: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class IncomingDecision:
    """What a person says to a request, parsed and within the limits."""

    decision: Decision
    reviewer: str | None = None
    reason: str | None = None
    seen: str | None = None
    """The version that was looked at; None from clients that know of none."""
    confirm: Sequence[int] = ()
    """The commands that may run although they are not in evidence."""
    choices: Sequence[CommandChoice] | None = None
    """None: one word for all."""


def discreet(incoming: IncomingDecision) -> IncomingDecision:
    """The decision as it may be kept and told: what runs is as it was edited, words are redacted."""
    choices = incoming.choices and [
        replace(choice, reason=without_secrets(choice.reason)) for choice in incoming.choices
    ]
    return replace(
        incoming,
        reviewer=name_without_secrets(incoming.reviewer),
        reason=without_secrets(incoming.reason),
        choices=choices,
    )


def rule(
    approval: Approval, incoming: IncomingDecision, judge: CommandJudge
) -> tuple[ReviewedCommand, ...]:
    """The commands with a decision each; raises InvalidField, or Conflict when none could run."""
    _refuse_unknown(len(approval.commands), incoming)
    if incoming.choices is not None and not incoming.choices and not incoming.confirm:
        raise InvalidField("body.commands", NOTHING_CHOSEN)
    ruling = _Ruling(incoming, judge, namespace_of(approval.metadata))
    ruled = tuple(ruling.of(number, one) for number, one in enumerate(approval.commands))
    decisions = {command.decision for command in ruled}
    if not decisions & RUNS:
        if CommandDecision.UNDECIDED not in decisions:
            raise Conflict(ALL_REFUSED)
        if incoming.choices is not None:
            raise InvalidField("body.commands", ONLY_REJECTED)
        raise Conflict(NOTHING_APPROVED)
    return ruled


def rejects_all(approval: Approval, incoming: IncomingDecision) -> bool:
    """Whether a person rejected every command that could have run."""
    if incoming.decision is Decision.REJECTED:
        return True
    rejected = {
        choice.number
        for choice in incoming.choices or ()
        if choice.decision is CommandDecision.REJECTED
    }
    runnable = {number for number, one in enumerate(approval.commands) if not one.is_refused}
    return bool(rejected) and runnable <= rejected


def reject_each(approval: Approval, incoming: IncomingDecision) -> tuple[ReviewedCommand, ...]:
    """The commands, each rejected for its own reason, else for that of all of it."""
    own = {choice.number: choice.reason for choice in incoming.choices or ()}
    return tuple(
        command.reject(own.get(number) or incoming.reason, REJECTED)
        for number, command in enumerate(approval.commands)
    )


def reason_of(incoming: IncomingDecision) -> str | None:
    """Why it was rejected: of all of it, else of its commands."""
    if incoming.reason:
        return incoming.reason
    reasons = (choice.reason for choice in incoming.choices or ())
    return "; ".join(dict.fromkeys(reason for reason in reasons if reason)) or None


class _Ruling:
    """Says for each command what the decision makes of it."""

    def __init__(
        self, incoming: IncomingDecision, judge: CommandJudge, namespace: str | None
    ) -> None:
        self._incoming = incoming
        self._judge = judge
        self._namespace = namespace
        self._choices = {
            choice.number: (place, choice) for place, choice in enumerate(incoming.choices or ())
        }

    def of(self, number: int, command: ReviewedCommand) -> ReviewedCommand:
        if number in self._choices:
            return self._chosen(command, *self._choices[number])
        if command.is_refused or number in self._incoming.confirm:
            return command.approve()
        if self._incoming.choices is not None:
            return command.leave(NOT_CHOSEN)
        return command.leave(UNCONFIRMED) if command.in_evidence is False else command.approve()

    def _chosen(
        self, command: ReviewedCommand, place: int, choice: CommandChoice
    ) -> ReviewedCommand:
        if choice.decision is CommandDecision.REJECTED:
            return command.reject(choice.reason)
        if choice.edited_to is None or choice.edited_to.strip() == command.text.strip():
            return command.approve()
        edited = self._judge.edited(command, choice.edited_to, self._namespace)
        if edited.is_refused:
            why = f"The policy refuses this edit: {'; '.join(edited.reasons)}"
            raise InvalidField(f"body.commands.{place}.edited_to", why)
        if edited.in_evidence is False and choice.number not in self._incoming.confirm:
            sentence = UNSEEN.format(choice.number, choice.number + 1)
            raise NotInEvidence(f"body.commands.{place}.edited_to", sentence)
        return replace(edited.approve(), reason=choice.reason)


def _refuse_unknown(count: int, incoming: IncomingDecision) -> None:
    seen: set[int] = set()
    for place, choice in enumerate(incoming.choices or ()):
        field = f"body.commands.{place}.number"
        if choice.number >= count:
            raise InvalidField(field, f"There is no command {choice.number}; the first one is 0.")
        if choice.number in seen:
            raise InvalidField(field, f"Command {choice.number} is decided twice.")
        seen.add(choice.number)
    for place, number in enumerate(incoming.confirm):
        if number >= count:
            field = f"body.confirm.{place}"
            raise InvalidField(field, f"There is no command {number}; the first one is 0.")
