"""Every command is judged when it is proposed and once more before it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.domain.errors import BadInput
from app.domain.plan import SafetyLevel
from app.domain.ports import Clock
from app.domain.review import ReviewedCommand
from app.kubectl.case import LiveFacts
from app.kubectl.command import ParsedCommand
from app.kubectl.evidence import Evidence
from app.kubectl.grammar import grammar
from app.kubectl.guard import Verdict, judge, judge_text
from app.kubectl.namespaces import in_namespace, lacks_namespace
from app.kubectl.policy import Policy, Risk, higher_risk
from app.kubectl.targets import targets


class RefusedByPolicy(BadInput):
    """The command may not run, whoever approves it."""


@dataclass(frozen=True, slots=True)
class CommandJudge:
    """Judges without knowing what the workflow saw; the proposer's notes say that."""

    policy: Policy
    clock: Clock | None = None
    """Without it nothing is changed where a policy has change windows."""

    def review(
        self, text: str, explanation: str, safety_level: str, namespace: str | None
    ) -> ReviewedCommand:
        """The command with its verdict; `namespace` is the proposal's, for commands without one."""
        command, verdict = self._judge(text, namespace)
        return ReviewedCommand(
            text=text,
            explanation=explanation,
            safety_level=safety_level,
            risk=higher_risk(verdict.risk, _label(safety_level)),
            reasons=self._reasons(text, command, verdict),
            is_refused=verdict.risk is Risk.FORBIDDEN,
            policy_risk=verdict.risk,
            object_reference=_changed_object(command, verdict),
        )

    def edited(
        self, proposed: ReviewedCommand, text: str, namespace: str | None
    ) -> ReviewedCommand:
        """The command as a reviewer words it; the proposer's label says nothing about that.

        What the workflow has seen are the objects of the command that was proposed.
        """
        command, verdict = self._judge(text, namespace)
        before, _ = self._judge(proposed.text, namespace)
        is_elsewhere = verdict.risk is not Risk.SAFE and not _is_within(command, before)
        return replace(
            proposed,
            edited_to=text,
            risk=verdict.risk,
            reasons=self._reasons(text, command, verdict),
            is_refused=verdict.risk is Risk.FORBIDDEN,
            policy_risk=verdict.risk,
            object_reference=_changed_object(command, verdict),
            in_evidence=False if proposed.in_evidence and is_elsewhere else proposed.in_evidence,
        )

    def as_proposed(self, decided: ReviewedCommand, namespace: str | None) -> ReviewedCommand:
        """The command before anybody decided, and before the cluster was looked at.

        Whether its object was seen is for the proposer's notes to say.
        """
        reviewed = self.review(decided.text, decided.explanation, decided.safety_level, namespace)
        return replace(reviewed, phase=decided.phase)

    def runnable(self, text: str, namespace: str | None) -> ParsedCommand:
        """The command as it is run; raises RefusedByPolicy."""
        command, verdict = self._judge(text, namespace)
        if command is None or verdict.risk is Risk.FORBIDDEN:
            raise RefusedByPolicy(f"refused by policy: {'; '.join(verdict.reasons)}")
        return command

    def refusal_of(self, command: ParsedCommand, labels: Mapping[str, str]) -> str | None:
        """Why the policy refuses a command on what has these labels; None when it does not."""
        facts = LiveFacts(self.clock.now() if self.clock else None, labels)
        verdict = judge(command, self.policy, Evidence.unknown(), facts)
        if verdict.risk is not Risk.FORBIDDEN:
            return None
        return f"refused by policy: {'; '.join(verdict.reasons)}"

    def safe_read(self, text: str, namespace: str | None) -> ParsedCommand | None:
        """The command as it is run when it needs nobody's approval, else None."""
        command, verdict = self._judge(text, namespace)
        return command if verdict.risk is Risk.SAFE else None

    def _reasons(
        self, text: str, command: ParsedCommand | None, verdict: Verdict
    ) -> tuple[str, ...]:
        if command is None or command.namespace == _written_namespace(text, self.policy):
            return verdict.reasons
        return (
            *verdict.reasons,
            f"runs in namespace {command.namespace}, which the proposal names",
        )

    def _judge(self, text: str, namespace: str | None) -> tuple[ParsedCommand | None, Verdict]:
        facts = LiveFacts(at=self.clock.now() if self.clock else None)
        command, verdict = judge_text(text, self.policy, Evidence.unknown(), facts)
        if command is None or not lacks_namespace(command):
            return command, verdict
        if namespace is None:
            reason = "neither the command nor the proposal names a namespace"
            refused = Verdict(Risk.FORBIDDEN, (*verdict.reasons, reason), in_evidence=False)
            return command, verdict if verdict.risk is Risk.FORBIDDEN else refused
        command = in_namespace(command, namespace)
        return command, judge(command, self.policy, Evidence.unknown(), facts)


def _is_within(command: ParsedCommand | None, other: ParsedCommand | None) -> bool:
    """Whether it touches some of the objects that the other one names, and nothing else."""
    if command is None or other is None:
        return False
    objects = set(targets(command))
    is_named = all(name is not None for _, name in command.resources)
    return bool(objects) and is_named and objects <= set(targets(other))


def _changed_object(command: ParsedCommand | None, verdict: Verdict) -> str | None:
    """The one object that a command changes, so that no other command runs on it meanwhile."""
    if command is None or verdict.risk is Risk.SAFE or len(command.resources) != 1:
        return None
    ((kind, name),) = command.resources
    if name is None:
        return None
    is_cluster_wide = kind in grammar().cluster_kinds
    return f"{'' if is_cluster_wide else command.namespace or ''}/{kind}/{name}"


def _written_namespace(text: str, policy: Policy) -> str | None:
    command, _ = judge_text(text, policy, Evidence.unknown())
    return command.namespace if command else None


def _label(safety_level: str) -> SafetyLevel:
    """An unknown label counts as CAUTION."""
    known = safety_level.strip().upper()
    return SafetyLevel(known) if known in set(SafetyLevel) else SafetyLevel.CAUTION
