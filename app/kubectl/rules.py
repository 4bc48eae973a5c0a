"""The rules that refuse a command by the product's policy; each says why, or nothing."""

import re
from collections.abc import Iterator

from app.kubectl.case import Case
from app.kubectl.command import ParsedCommand
from app.kubectl.durations import seconds_of
from app.kubectl.grammar import FlagType, grammar
from app.kubectl.policy import Policy
from app.kubectl.policy_parts import SecretKinds

DRY_RUNS = frozenset({"client", "server"})

_NAMESPACE = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.:]{0,251}[a-z0-9])?")
_NUMBER = re.compile(r"0|-?[1-9]\d{0,8}", re.ASCII)


def refused_verb(case: Case) -> Iterator[str]:
    """Verbs that the policy forbids or does not name."""
    if not case.rule.is_allowed:
        yield f"{case.command.path}: {case.rule.why}"


def refused_flags(case: Case) -> Iterator[str]:
    """Flags that are forbidden everywhere, or not allowed for this verb."""
    policy, rule, command = case.policy, case.rule, case.command
    for name in command.flags:
        if reason := policy.forbidden_flags.get(name):
            if not _is_off(command, name):
                yield f"--{name}: {reason}"
        elif name not in rule.flags and rule.is_allowed and not _is_off(command, name):
            reasons = (
                policy.forbidden_flags_of_writes
                if rule.is_write
                else policy.forbidden_flags_of_reads
            )
            reason = reasons.get(name, "the policy does not allow it")
            yield f"--{name} with {command.path}: {reason}"


def _is_off(command: ParsedCommand, name: str) -> bool:
    """A switch that is off by default and is switched off does nothing."""
    if command.flags[name] != ("false",):
        return False
    return grammar().verbs[command.path].flags[name].type is FlagType.SWITCH


def refused_values(case: Case) -> Iterator[str]:
    """Values of flags that are too small, or mean something that is not allowed."""
    for name, values in case.command.flags.items():
        least = case.policy.least_numbers.get(name)
        if least and (not _NUMBER.fullmatch(values[0]) or int(values[0]) < least.least):
            yield f"--{name}={values[0]}: {least.reason}"
    for name in _given(case.command, case.policy.pods.flags):
        value = case.command.flags[name][0]
        if _NUMBER.fullmatch(value) and int(value) > case.policy.pods.most:
            yield f"--{name}={value}: more than {case.policy.pods.most} pods of one object"
    output = _output(case.command)
    if output not in case.policy.outputs:
        yield f"--output={output}: the policy does not allow it"
    dry_run = case.command.value("dry-run")
    if dry_run is not None and dry_run not in DRY_RUNS and dry_run != "none":
        yield f"--dry-run={dry_run}: it is none, client or server"


def _output(command: ParsedCommand) -> str:
    value = command.value("output")
    return value.partition("=")[0].lower() or value if value else ""


def refused_waits(case: Case) -> Iterator[str]:
    """Waiting longer than the policy allows."""
    waits, command = case.policy.waits, case.command
    for name in _given(command, waits.flags):
        value = command.flags[name][0]
        seconds = seconds_of(value)
        if seconds is None:
            yield f"--{name}={value}: it is no length of time such as 90s or 2m"
        elif seconds > waits.most_seconds:
            yield f"--{name}={value}: it is longer than {waits.most_seconds}s"


def _given(command: ParsedCommand, flags: frozenset[str]) -> list[str]:
    """Those of the flags that the command has; mostly none, which is fast."""
    return [] if flags.isdisjoint(command.flags) else sorted(flags & command.flags.keys())


def refused_names(case: Case) -> Iterator[str]:
    """Names that no object can have, and placeholders."""
    command, policy = case.command, case.policy
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


def refused_secrets(case: Case) -> Iterator[str]:
    """Reading what must stay hidden."""
    secret, command = case.policy.secret_kinds, case.command
    kinds = dict.fromkeys(kind for kind, _ in command.resources if _plain(kind) in secret.kinds)
    if not kinds or (case.rule.is_write and not kinds.keys() & case.rule.kinds):
        return
    if prints_contents(command, secret):
        yield f"{command.path} {', '.join(sorted(kinds))}: {secret.reason}"


def _plain(kind: str) -> str:
    """The kind without a group that is not known; its first word may be a plural."""
    if "." not in kind:
        return kind
    first = kind.partition(".")[0]
    return grammar().kinds.get(first, first)


def prints_contents(command: ParsedCommand, secret: SecretKinds) -> bool:
    """Whether it prints more than the names of objects and their table."""
    is_listed = command.path in secret.verbs and _output(command) in secret.outputs
    return not is_listed or bool(secret.refused_flags & command.flags.keys())


def refused_target(case: Case) -> Iterator[str]:
    """A change without one exact object, or of a kind that is not changed like this."""
    if not case.is_change:
        return
    command, rule = case.command, case.rule
    if not command.resources or any(name is None for _, name in command.resources):
        yield "it names no exact object"
    for flag in rule.needs - command.flags.keys():
        yield f"{command.path} means nothing without --{flag}"
    for kind in dict.fromkeys(kind for kind, _ in command.resources):
        if kind not in rule.kinds:
            reason = case.policy.forbidden_kinds.get(kind, "the policy does not allow it")
            yield f"{command.path} {kind}: {reason}"
    if command.after_dashes:
        yield f"{command.path}: a command after -- runs what nobody has reviewed"


def refused_namespace(case: Case) -> Iterator[str]:
    """A change without a namespace, or in one that is only read."""
    if not case.is_change:
        return
    if namespace := case.command.namespace:
        if why := case.policy.why_protected(namespace):
            yield f"{namespace}: {why}"
    elif not {kind for kind, _ in case.command.resources} <= grammar().cluster_kinds:
        yield "a change needs a namespace (--namespace)"
