"""What a change would change, field by field and without secrets."""

import json
from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from app.domain.proof import FieldChange
from app.kubectl.cluster_object import ClusterObject
from app.security.redaction import redact

Fields = dict[str, JsonValue]

MOST_CHANGES = 100
LONGEST_TEXT = 500
HIDDEN = "(hidden)"
_FILLED_IN = frozenset(
    {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp", "selfLink"}
)
_BOOKKEEPING = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
    }
)
_IDENTITIES = ("name", "mountPath", "containerPort", "port", "type", "key", "ip")


def comparable(found: ClusterObject | None) -> Fields:
    """What people decide about an object: without its status and what the cluster fills in."""
    if found is None:
        return {}
    fields = {key: value for key, value in found.json.items() if key != "status"}
    metadata = found.at("metadata")
    if isinstance(metadata, dict):
        annotations: Fields = {
            key: value for key, value in found.annotations.items() if key not in _BOOKKEEPING
        }
        kept = {key: value for key, value in metadata.items() if key not in _FILLED_IN}
        fields["metadata"] = {**kept, "annotations": annotations}
    return _without_nothing(fields)


def shown_changes(
    before: ClusterObject | None, after: ClusterObject | None
) -> tuple[FieldChange, ...]:
    """Every field that differs, at most so many; secrets are replaced on both sides."""
    old, new = _redacted(_unsecret(comparable(before)), _unsecret(comparable(after)))
    found = _changes("", old, new)
    return tuple(_shortened(change) for _, change in zip(range(MOST_CHANGES), found, strict=False))


def by_identity(items: Sequence[JsonValue], name: str) -> dict[str, tuple[int, Fields]]:
    """The objects of a list and their places, by a field that tells them apart."""
    return {
        json.dumps(item[name]): (place, item)
        for place, item in enumerate(items)
        if isinstance(item, dict) and name in item
    }


def is_told_apart(items: Sequence[JsonValue], name: str) -> bool:
    """Whether every item is an object with another value of that field."""
    return len(by_identity(items, name)) == len(items)


def identity_of(*lists: Sequence[JsonValue]) -> str | None:
    """The field that tells the objects of each list apart; None where none does."""
    for name in _IDENTITIES:
        if all(is_told_apart(each, name) for each in lists):
            return name
    return None


def _without_nothing(value: Fields) -> Fields:
    """An API server's types write what is empty in one place and leave it out in another."""
    kept = {key: _clean(each) for key, each in value.items()}
    return {key: each for key, each in kept.items() if each is not None and each not in ({}, [])}


def _clean(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _without_nothing(value)
    return [_clean(each) for each in value] if isinstance(value, list) else value


def _unsecret(fields: Fields) -> Fields:
    if fields.get("kind") != "Secret":
        return fields
    return {key: HIDDEN if key in {"data", "stringData"} else fields[key] for key in fields}


def _redacted(old: Fields, new: Fields) -> tuple[Fields, Fields]:
    """Both as one text: the same secret is then called the same, and another one is not."""
    text = redact(json.dumps([old, new], indent=1, sort_keys=True)).text
    try:
        found = json.loads(text)
    except ValueError:
        found = [{"": HIDDEN}, {"": f"{HIDDEN}, it holds secrets"}]
    return found[0], found[1]


def _changes(path: str, old: JsonValue, new: JsonValue) -> Iterator[FieldChange]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _changes(_joined(path, key), old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and (name := identity_of(old, new)):
        yield from _changes_of_items(path, by_identity(old, name), by_identity(new, name))
    else:
        yield FieldChange(path=path, before=old, after=new)


def _changes_of_items(
    path: str, old: Mapping[str, tuple[int, Fields]], new: Mapping[str, tuple[int, Fields]]
) -> Iterator[FieldChange]:
    for key in dict.fromkeys([*old, *new]):
        place, after = new.get(key, (old[key][0] if key in old else 0, None))
        _, before = old.get(key, (0, None))
        yield from _changes(f"{path}[{place}]", before, after)


def _joined(path: str, key: str) -> str:
    if "." in key or "/" in key:
        return f"{path}[{key}]"
    return f"{path}.{key}" if path else key


def _shortened(change: FieldChange) -> FieldChange:
    return change.model_copy(
        update={"before": _short(change.before), "after": _short(change.after)}
    )


def _short(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        text = value
    elif isinstance(value, dict | list):
        text = json.dumps(value)
    else:
        return value
    return value if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} …"
