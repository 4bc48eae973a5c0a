"""Judges a command: may it run at all, how risky is it, and does it name what was really seen?"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.kubectl.command import ParsedCommand
from app.kubectl.evidence import Evidence
from app.kubectl.grammar import FlagType, grammar
from app.kubectl.parser import parse
from app.kubectl.patches import UnreadablePatch, patch_fields
from app.kubectl.policy import Policy, Risk, Rule
from app.kubectl.words import UnparseableCommand

_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.:]{0,251}[a-z0-9])?")
_NUMBER = re.compile(r"0|-?[1-9]\d{0,8}")
_DRY_RUNS = frozenset({"client", "server"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says of one command."""

    risk: Risk
    reasons: tuple[str, ...]
    in_evidence: bool
    """Whether its namespace and every object stand in what the workflow has seen."""


def judge_text(
    text: str, policy: Policy, evidence: Evidence
) -> tuple[ParsedCommand | None, Verdict]:
    """Parse and judge; text that is no command is forbidden."""
    try:
        command = parse(text)
    except UnparseableCommand as error:
        return None, Verdict(Risk.FORBIDDEN, (str(error),), in_evidence=False)
    return command, judge(command, policy, evidence)


def judge(command: ParsedCommand, policy: Policy, evidence: Evidence) -> Verdict:
    """The risk with its reasons; what the policy does not name is forbidden."""
    unseen = _unseen(command, evidence)
    rule = policy.rule(command.path)
    if rule is None:
        reasons = (f"{command.path} is not in the policy",)
        return Verdict(Risk.FORBIDDEN, reasons, in_evidence=not unseen)
    if refusals := tuple(dict.fromkeys(_refusals(command, rule, policy))):
        return Verdict(Risk.FORBIDDEN, refusals, in_evidence=not unseen)
    risk, why = _risk(command, rule, policy)
    named = unseen if evidence.is_known else ()
    notes = tuple(f"{name} is not in evidence" for name in named)
    return Verdict(risk, (why, *notes), in_evidence=not unseen)


def _unseen(command: ParsedCommand, evidence: Evidence) -> tuple[str, ...]:
    names = {name: kind for kind, name in command.resources if name}
    if namespace := command.namespace:
        names.setdefault(namespace, "namespace")
    return tuple([name for name, kind in names.items() if not evidence.names(name, kind)])


def _refusals(command: ParsedCommand, rule: Rule, policy: Policy) -> Iterator[str]:
    if not rule.is_allowed:
        yield f"{command.path}: {rule.why}"
    yield from _refused_flags(command, rule, policy)
    yield from _refused_names(command, policy)
    yield from _refused_secrets(command, rule, policy)
    if rule.is_write and rule.is_allowed:
        yield from _refused_targets(command, rule, policy)
        yield from _refused_patch(command, policy)


def _refused_flags(command: ParsedCommand, rule: Rule, policy: Policy) -> Iterator[str]:
    for name, values in command.flags.items():
        if reason := policy.forbidden_flags.get(name):
            if not _is_off(command, name):
                yield f"--{name}: {reason}"
        elif name not in rule.flags and rule.is_allowed and not _is_off(command, name):
            reason = policy.forbidden_flags_of_writes.get(name, "the policy does not allow it")
            yield f"--{name} with {command.path}: {reason}"
        least = policy.least_numbers.get(name)
        if least and (not _NUMBER.fullmatch(values[0]) or int(values[0]) < least.least):
            yield f"--{name}={values[0]}: {least.reason}"
    yield from _refused_values(command, policy)


def _is_off(command: ParsedCommand, name: str) -> bool:
    """A switch that is off by default and is switched off does nothing."""
    if command.flags[name] != ("false",):
        return False
    return grammar().verbs[command.path].flags[name].type is FlagType.SWITCH


def _refused_values(command: ParsedCommand, policy: Policy) -> Iterator[str]:
    output = _output(command)
    if output not in policy.outputs:
        yield f"--output={output}: the policy does not allow it"
    dry_run = command.value("dry-run")
    if dry_run is not None and dry_run not in _DRY_RUNS and dry_run != "none":
        yield f"--dry-run={dry_run}: it is none, client or server"


def _output(command: ParsedCommand) -> str:
    value = command.value("output")
    return value.partition("=")[0].lower() if value else ""


def _refused_names(command: ParsedCommand, policy: Policy) -> Iterator[str]:
    namespace = command.namespace
    if namespace is not None and not _is_name(namespace, _NAMESPACE, policy):
        yield f"{namespace!r} is not the name of a namespace, or a placeholder"
    for kind, name in command.resources:
        if name is not None and not _is_name(name, _NAME, policy):
            yield f"{name!r} is not the name of a {kind}, or a placeholder"
    for value in _values(command, policy):
        if match := policy.placeholder_values.search(value):
            yield f"{match.group().lstrip('=')!r} is a placeholder"


def _is_name(name: str, pattern: re.Pattern[str], policy: Policy) -> bool:
    return bool(pattern.fullmatch(name)) and not policy.placeholder_names.fullmatch(name)


def _values(command: ParsedCommand, policy: Policy) -> Iterator[str]:
    yield from command.args
    for name, values in command.flags.items():
        if name in policy.flags_without_placeholders:
            yield from values


def _refused_secrets(command: ParsedCommand, rule: Rule, policy: Policy) -> Iterator[str]:
    secret = policy.secret_kinds
    kinds = {kind.partition(".")[0] for kind, _ in command.resources} & secret.kinds
    if not kinds or (rule.is_write and not kinds & rule.kinds):
        return
    is_listed = command.path in secret.verbs and _output(command) in secret.outputs
    if not is_listed or secret.refused_flags & command.flags.keys():
        yield f"{command.path} {', '.join(sorted(kinds))}: {secret.reason}"


def _refused_targets(command: ParsedCommand, rule: Rule, policy: Policy) -> Iterator[str]:
    if not command.resources or any(name is None for _, name in command.resources):
        yield "it names no exact object"
    for flag in rule.needs - command.flags.keys():
        yield f"{command.path} means nothing without --{flag}"
    kinds = dict.fromkeys(kind for kind, _ in command.resources)
    for kind in kinds:
        if kind not in rule.kinds:
            reason = policy.forbidden_kinds.get(kind, "the policy does not allow it")
            yield f"{command.path} {kind}: {reason}"
    namespace = command.namespace
    if namespace:
        if policy.protected_namespaces.pattern.fullmatch(namespace):
            yield f"{namespace}: {policy.protected_namespaces.reason}"
    elif not kinds.keys() <= grammar().cluster_kinds:
        yield "a change needs a namespace (--namespace)"


def _refused_patch(command: ParsedCommand, policy: Policy) -> Iterator[str]:
    patch = command.value("patch")
    if patch is None:
        return
    try:
        fields = patch_fields(patch)
    except UnreadablePatch as error:
        yield str(error)
        return
    for name, value in fields:
        reason = policy.forbidden_fields.get(name)
        if reason and value is not False:
            yield f"patch of {name}: {reason}"


def _risk(command: ParsedCommand, rule: Rule, policy: Policy) -> tuple[Risk, str]:
    if not rule.is_write:
        return _risk_of_read(command, rule)
    if command.value("dry-run") in _DRY_RUNS:
        return Risk.CAUTION, "a dry run: nothing is changed"
    risk, why = rule.risk, rule.why
    for raised, reason in _raises(command, policy):
        if raised.rank >= risk.rank:
            risk, why = raised, reason
    return risk, why


def _risk_of_read(command: ParsedCommand, rule: Rule) -> tuple[Risk, str]:
    known = grammar().kinds
    for kind, _ in command.resources:
        if kind not in known:
            return Risk.CAUTION, f"reads the unknown kind {kind}, which may hold secrets"
    return rule.risk, rule.why


def _raises(command: ParsedCommand, policy: Policy) -> Iterator[tuple[Risk, str]]:
    for each in policy.raises:
        if each.verb == command.path:
            values = command.flags.get(each.flag, ()) if each.flag else command.args
            if any(each.pattern.fullmatch(value) for value in values):
                yield each.risk, each.why
    patch = command.value("patch")
    for name, value in patch_fields(patch) if patch else ():
        if value in policy.stopping_fields.get(name, ()):
            yield Risk.DESTRUCTIVE, f"sets {name} to {json.dumps(value)}, which stops pods"
