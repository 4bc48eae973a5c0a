"""Judges a command: may it run at all, how risky is it, and does it name what was really seen?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from app.kubectl import patch_rules, rules, team_rules
from app.kubectl.case import NO_FACTS, Case, LiveFacts
from app.kubectl.command import ParsedCommand
from app.kubectl.evidence import Evidence
from app.kubectl.letters import refused_letters
from app.kubectl.parser import parse
from app.kubectl.policy import SOURCE, Policy, Risk
from app.kubectl.risks import risk_of
from app.kubectl.team import TeamPolicy
from app.kubectl.words import UnparseableCommand

RULES: Mapping[str, Callable[[Case], Iterator[str]]] = MappingProxyType(
    {
        "verb": rules.refused_verb,
        "flags": rules.refused_flags,
        "values": rules.refused_values,
        "waits": rules.refused_waits,
        "names": rules.refused_names,
        "letters": refused_letters,
        "secrets": rules.refused_secrets,
        "target": rules.refused_target,
        "namespace": rules.refused_namespace,
        "patch": patch_rules.refused_patch,
        "keys": patch_rules.refused_keys,
    }
)
TEAM_RULES: Mapping[str, Callable[[Case, TeamPolicy], Iterator[str]]] = MappingProxyType(
    {
        "allowed_namespaces": team_rules.refused_namespaces,
        "verbs": team_rules.refused_verbs,
        "protected_labels": team_rules.refused_labels,
        "max_replicas": team_rules.refused_replicas,
        "change_windows": team_rules.refused_time,
    }
)


class Finding(StrEnum):
    """What one rule says."""

    PASSED = "passed"
    RAISED = "raised"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One rule that was looked at."""

    rule: str
    source: str
    """The file that the rule is from."""
    finding: Finding
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says of one command."""

    risk: Risk
    reasons: tuple[str, ...]
    in_evidence: bool
    """Whether its namespace and every object stand in what the workflow has seen."""
    case: Case | None = field(default=None, repr=False, compare=False)
    """What was judged; None where the text is no command."""

    def steps(self) -> tuple[Step, ...]:
        """Every rule that was looked at, in order, with what it said."""
        if self.case is None:
            return (Step("parse", "kubectl", Finding.REFUSED, self.reasons),)
        return tuple(_steps(self.case))


def judge_text(
    text: str, policy: Policy, evidence: Evidence, facts: LiveFacts = NO_FACTS
) -> tuple[ParsedCommand | None, Verdict]:
    """Parse and judge; text that is no command is forbidden."""
    try:
        command = parse(text)
    except UnparseableCommand as error:
        return None, Verdict(Risk.FORBIDDEN, (str(error),), in_evidence=False)
    return command, judge(command, policy, evidence, facts)


def judge(
    command: ParsedCommand, policy: Policy, evidence: Evidence, facts: LiveFacts = NO_FACTS
) -> Verdict:
    """The risk with its reasons; what the policy does not name is forbidden."""
    case = Case(command, policy.rule(command.path), policy, evidence, facts)
    unseen = _unseen(case)
    if refusals := tuple(dict.fromkeys(_refusals(case))):
        return Verdict(Risk.FORBIDDEN, refusals, in_evidence=not unseen, case=case)
    risk, why = risk_of(case)
    return Verdict(risk, (why, *_notes(case, unseen)), in_evidence=not unseen, case=case)


def _refusals(case: Case) -> Iterator[str]:
    for refused in RULES.values():
        yield from refused(case)
    if case.policy.team is not None:
        for refused_by_team in TEAM_RULES.values():
            yield from refused_by_team(case, case.policy.team.policy)


def _unseen(case: Case) -> tuple[str, ...]:
    names = {name: kind for kind, name in case.command.resources if name}
    if namespace := case.command.namespace:
        names.setdefault(namespace, "namespace")
    return tuple([name for name, kind in names.items() if not case.evidence.names(name, kind)])


def _notes(case: Case, unseen: tuple[str, ...]) -> tuple[str, ...]:
    if not case.evidence.is_known:
        return ()
    return tuple([f"{name} is not in evidence" for name in unseen])


def _steps(case: Case) -> Iterator[Step]:
    found = [(name, SOURCE, tuple(refused(case))) for name, refused in RULES.items()]
    if team := case.policy.team:
        found += [
            (name, str(team.path), tuple(refused(case, team.policy)))
            for name, refused in TEAM_RULES.items()
        ]
    for name, source, reasons in found:
        yield Step(name, source, Finding.REFUSED if reasons else Finding.PASSED, reasons)
    if any(reasons for _, _, reasons in found):
        return
    risk, why = risk_of(case)
    yield Step("risk", SOURCE, Finding.PASSED if risk is Risk.SAFE else Finding.RAISED, (why,))
    if case.evidence.is_known:
        notes = _notes(case, _unseen(case))
        yield Step("evidence", "workflow", Finding.RAISED if notes else Finding.PASSED, notes)
