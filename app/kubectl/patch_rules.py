"""The rules that refuse what a patch or an annotation would set or take away."""

import json
from collections.abc import Iterator

from app.kubectl.case import Case
from app.kubectl.patches import Patch, UnreadablePatch, read_patch
from app.kubectl.policy import Policy

_KEYED_VERBS = frozenset({"annotate", "label", "taint"})


def refused_patch(case: Case) -> Iterator[str]:
    """A patch that cannot be judged, or that sets what must not be set."""
    text = case.command.value("patch")
    if text is None or not case.is_change:
        return
    try:
        patch = read_patch(text)
    except UnreadablePatch as error:
        yield str(error)
        return
    for name in patch.repeated:
        yield f"the patch names {name} twice in one object"
    yield from _refused_fields(patch, case.policy)
    yield from _refused_removals(patch, case.policy)
    for pointer in patch.pointers:
        for each in case.policy.forbidden_pointers:
            if each.refuses(pointer):
                yield f"patch of {pointer}: {each.reason}"
    if patch.open_tolerations:
        yield case.policy.open_toleration


def _refused_fields(patch: Patch, policy: Policy) -> Iterator[str]:
    for name, value in patch.fields:
        if name not in policy.judged_fields:
            continue
        reason = policy.forbidden_fields.get(name)
        if reason and value is not False:
            yield f"patch of {name}: {reason}"
        for each in policy.forbidden_values:
            if name == each.field and value in each.values:
                yield f"patch of {name} to {json.dumps(value)}: {each.reason}"
        if name in policy.pods.fields and _is_number(value) and value > policy.pods.most:
            yield f"patch of {name} to {value}: more than {policy.pods.most} pods of one object"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _refused_removals(patch: Patch, policy: Policy) -> Iterator[str]:
    for name in (*patch.removed, *patch.replaced):
        if reason := policy.kept_fields.get(name):
            yield f"patch that removes or replaces {name}: {reason}"


def refused_keys(case: Case) -> Iterator[str]:
    """Annotations, labels and taints that open or take away more than they seem to."""
    if not case.is_change:
        return
    for key, value in _keys(case):
        for each in case.policy.forbidden_keys:
            if each.refuses(key, value):
                yield f"{key}: {each.reason}"


def _keys(case: Case) -> Iterator[tuple[str, object]]:
    """Annotations, labels and taints of a domain, with their values; None where they are taken away."""
    command = case.command
    words = command.args if command.path in _KEYED_VERBS else ()
    for word in (*words, *command.flags.get("annotation", ())):
        key, equals, value = word.partition("=")
        if "/" in key:
            yield (key, value) if equals else (key.removesuffix("-"), None)
    if patch := command.value("patch"):
        try:
            yield from (field for field in read_patch(patch).fields if "/" in field[0])
        except UnreadablePatch:
            return
