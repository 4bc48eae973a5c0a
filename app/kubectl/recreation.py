"""An object that was deleted is made again from what it was."""

import json
from collections.abc import Mapping

from pydantic import JsonValue

from app.domain.proof import Undo, UndoKind
from app.kubectl.cluster_object import ClusterObject
from app.security.redaction import redact

LONGEST_MANIFEST = 256 * 1024
_FILLED_IN = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
_NOT_AGAIN = {
    "event": "An event only tells of something; nothing depends on it.",
    "job": "Made again, the job would run again.",
    "secret": "Secrets are not kept here.",
}


def recreation(found: ClusterObject) -> Undo:
    """The saved object, or why it is not made again."""
    if owner := found.controller:
        return _none(f"{owner.short} makes a new one by itself.")
    if reason := _NOT_AGAIN.get(found.kind):
        return _none(reason)
    text = json.dumps(manifest(found), indent=1, sort_keys=True)
    if redact(text).counts:
        return _none("It holds secrets, which are not kept here: save it yourself before.")
    if len(text) > LONGEST_MANIFEST:
        return _none("It is too large to be kept here: save it yourself before.")
    why = f"Creates {found.target.short} again as it was."
    return Undo(kind=UndoKind.RECREATE, manifest=text, why=why)


def manifest(found: ClusterObject) -> Mapping[str, JsonValue]:
    """The object without what the cluster fills in itself."""
    fields = {key: value for key, value in found.json.items() if key != "status"}
    metadata = found.at("metadata")
    if isinstance(metadata, dict):
        fields["metadata"] = {key: metadata[key] for key in metadata if key not in _FILLED_IN}
    spec = found.at("spec")
    if found.kind == "pod" and isinstance(spec, dict):
        fields["spec"] = {key: spec[key] for key in spec if key != "nodeName"}
    return fields


def _none(why: str) -> Undo:
    return Undo(kind=UndoKind.NONE, why=why)
