"""The three kinds of patches, as an API server applies them."""

import copy
import json
from typing import Any

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON = "application/json-patch+json"
MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "ownerReferences": "uid",
    "conditions": "type",
    "secrets": "name",
}


class PatchRefused(Exception):
    """The patch does not apply; the API server answers 422."""


def patched(found: Any, patch: Any, content_type: str) -> Any:
    """A new object; the given one stays as it was."""
    if content_type == JSON:
        return _json_patched(copy.deepcopy(found), patch)
    if content_type == STRATEGIC:
        return _strategic(copy.deepcopy(found), patch)
    return _merged(copy.deepcopy(found), patch)


def _merged(found: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    found = found if isinstance(found, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = _merged(found.get(key), value)
    return found


def _strategic(found: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    found = found if isinstance(found, dict) else {}
    patch = dict(patch)
    if patch.pop("$patch", None) == "replace":
        return patch
    if (kept := patch.pop("$retainKeys", None)) is not None:
        found = {key: value for key, value in found.items() if key in kept}
    for key, value in patch.items():
        if key.startswith("$setElementOrder/"):
            continue
        if value is None:
            found.pop(key, None)
        elif isinstance(value, list) and (merge_key := _merge_key(key, value)):
            found[key] = _merged_list(found.get(key) or [], value, merge_key)
        else:
            found[key] = _strategic(found.get(key), value)
    return found


def _merge_key(name: str, items: list[Any]) -> str | None:
    if name == "ports":
        return "containerPort" if any("containerPort" in item for item in items) else "port"
    return MERGE_KEYS.get(name)


def _merged_list(found: list[Any], patch: list[Any], key: str) -> list[Any]:
    if any(item.get("$patch") == "replace" for item in patch):
        return [item for item in patch if "$patch" not in item]
    merged = {item[key]: item for item in found}
    for item in patch:
        if item.get("$patch") == "delete":
            merged.pop(item[key], None)
        else:
            merged[item[key]] = _strategic(merged.get(item[key]), item)
    return list(merged.values())


def _json_patched(found: Any, operations: list[Any]) -> Any:
    for operation in operations:
        *parents, last = [
            part.replace("~1", "/").replace("~0", "~") for part in operation["path"].split("/")[1:]
        ]
        try:
            target = found
            for part in parents:
                target = target[int(part)] if isinstance(target, list) else target[part]
            _operate(operation, target, last)
        except (KeyError, IndexError, ValueError) as error:
            raise PatchRefused(f"the path {operation['path']} does not exist") from error
    return found


def _operate(operation: Any, target: Any, last: str) -> None:
    key: Any = last
    if isinstance(target, list):
        key = len(target) if last == "-" else int(last)
    match operation["op"]:
        case "add" if isinstance(target, list):
            target.insert(key, operation["value"])
        case "add":
            target[key] = operation["value"]
        case "replace":
            assert target[key] is not ...
            target[key] = operation["value"]
        case "remove":
            del target[key]
        case "test" if json.dumps(target[key]) != json.dumps(operation["value"]):
            raise PatchRefused(f"testing path {operation['path']} failed")
        case "test":
            pass
        case other:
            raise PatchRefused(f"unknown operation {other}")
