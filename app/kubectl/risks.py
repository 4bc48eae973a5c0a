"""How risky a command is that nothing refuses."""

import json
from collections.abc import Iterator

from app.kubectl.case import Case
from app.kubectl.command import ParsedCommand
from app.kubectl.grammar import grammar
from app.kubectl.patches import Patch, read_patch
from app.kubectl.policy import Policy, Raise, Risk
from app.kubectl.rules import DRY_RUNS, prints_contents
from app.kubectl.templates import prints_bare


def risk_of(case: Case) -> tuple[Risk, str]:
    """The risk and why."""
    if not case.rule.is_write:
        return _risk_of_read(case)
    if case.command.value("dry-run") in DRY_RUNS:
        return Risk.CAUTION, "a dry run: nothing is changed"
    risk, why = case.rule.risk, case.rule.why
    for raised, reason in _raises(case):
        if raised.rank >= risk.rank:
            risk, why = raised, reason
    return risk, why


def _risk_of_read(case: Case) -> tuple[Risk, str]:
    known, secret = grammar().kinds, case.policy.secret_kinds
    for kind, _ in case.command.resources:
        if kind not in known:
            return Risk.CAUTION, f"reads the unknown kind {kind}, which may hold secrets"
        if kind in secret.mixed and prints_contents(case.command, secret):
            why = f"reads everything that calls itself a part of {kind}, which may hold secrets"
            return Risk.CAUTION, why
    bare = case.policy.bare_values
    if prints_bare(case.command, bare.fields):
        return Risk.CAUTION, bare.why
    return case.rule.risk, case.rule.why


def _raises(case: Case) -> Iterator[tuple[Risk, str]]:
    command, policy = case.command, case.policy
    for each in policy.raises:
        if each.verb == command.path and _is_meant(each, command):
            yield each.risk, each.why
    if patch := command.value("patch"):
        for why in _raised_by_patch(read_patch(patch), command.value("type") or "", policy):
            yield Risk.DESTRUCTIVE, why


def _is_meant(each: Raise, command: ParsedCommand) -> bool:
    if each.kind is not None:
        return any(kind == each.kind for kind, _ in command.resources)
    values = command.flags.get(each.flag, ()) if each.flag else command.args
    return each.pattern is not None and any(map(each.pattern.fullmatch, values))


def _raised_by_patch(patch: Patch, patch_type: str, policy: Policy) -> Iterator[str]:
    """Why a patch is destructive; the last reason is the one that is said."""
    lists = patch.lists if patch_type.lower() == "merge" else ()
    for name in sorted(policy.whole_fields.intersection((*patch.replaced, *lists))):
        yield f"replaces all of {name}; what the patch does not show is gone"
    for name in sorted(policy.whole_fields.intersection(patch.numbered)):
        yield f"removes or replaces an item of {name} by its number"
    for name in sorted(policy.whole_fields.intersection(patch.removed)):
        yield f"removes all of {name}"
    for name, _ in patch.fields:
        if meaning := policy.deciding_fields.get(name):
            yield f"sets {name}, which {meaning}"
    for name, value in patch.fields:
        if value in policy.stopping_fields.get(name, ()):
            yield f"sets {name} to {json.dumps(value)}, which stops pods"
