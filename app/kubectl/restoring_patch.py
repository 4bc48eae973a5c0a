"""The patch that brings back exactly the fields that a change touches."""

from dataclasses import dataclass

from pydantic import JsonValue

from app.kubectl.field_diff import Fields, by_identity, is_told_apart

# Lists that a strategic patch merges by this field; every other list is replaced as a whole.
_MERGED_BY = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
}


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch and how it is to be read."""

    type: str
    """`merge` or `strategic`."""
    fields: Fields


def restoring_patch(before: Fields, after: Fields) -> Patch:
    """What turns `after` into `before` and leaves alone what others change meanwhile."""
    differ = _Difference()
    fields = differ.of(before, after)
    return Patch("strategic" if differ.names_items else "merge", fields)


class _Difference:
    """Notes whether an item of a list is named, which only a strategic patch can do."""

    def __init__(self) -> None:
        self.names_items = False

    def of(self, before: Fields, after: Fields) -> Fields:
        return {
            key: self._value(key, before.get(key), after.get(key))
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        }

    def _value(self, key: str, before: JsonValue, after: JsonValue) -> JsonValue:
        if isinstance(before, dict) and isinstance(after, dict):
            return self.of(before, after)
        old, new = _items_of(before), _items_of(after)
        if name := _merge_key(key, [*old, *new]):
            return self._items(name, old, new)
        return before

    def _items(self, name: str, before: list[Fields], after: list[Fields]) -> JsonValue:
        self.names_items = True
        if not all(is_told_apart(each, name) for each in (before, after)):
            return [{"$patch": "replace"}, *before]
        old, new = by_identity(before, name), by_identity(after, name)
        patch: list[JsonValue] = []
        for each in dict.fromkeys([*old, *new]):
            found = new[each][1] if each in new else old[each][1]
            if each not in old:
                patch.append({name: found[name], "$patch": "delete"})
            elif each not in new:
                patch.append(old[each][1])
            elif old[each][1] != found:
                patch.append({name: found[name], **self.of(old[each][1], found)})
        return patch


def _items_of(value: JsonValue) -> list[Fields]:
    listed = value if isinstance(value, list) else []
    return [item for item in listed if isinstance(item, dict)]


def _merge_key(key: str, items: list[Fields]) -> str | None:
    if key == "ports" and items:
        return "containerPort" if "containerPort" in items[0] else "port"
    return _MERGED_BY.get(key)
