"""How a command is taken back: computed from the object before and after it, before it runs."""

import json
from collections.abc import Callable, Iterator, Mapping

from app.domain.proof import Undo, UndoKind
from app.kubectl.cluster_object import ClusterObject, Target
from app.kubectl.command import ParsedCommand
from app.kubectl.field_diff import comparable
from app.kubectl.left_state import differing_fields
from app.kubectl.recreation import recreation
from app.kubectl.restoring_patch import restoring_patch
from app.kubectl.targets import makes_new, targets
from app.security.redaction import redact

NOTHING_CHANGES = "It changes nothing as things are now."
SEVERAL = "It changes several objects; propose one command for each to have them taken back."
SECRET = "It would need a secret's old value, and secrets are not kept here."  # noqa: S105


def undo_of(
    command: ParsedCommand,
    before: ClusterObject | None,
    after: ClusterObject | None,
    revision: int | None = None,
) -> Undo:
    """The inverse of a change to one object; `revision` is the rollout's current one."""
    if len(targets(command)) != 1:
        return _none(SEVERAL)
    if makes_new(command):
        return _delete_again(command, after)
    if before is None:
        return _none("The object is not there.")
    if command.path == "delete":
        return recreation(before)
    return _inverse(command, before, after, revision)


def _inverse(
    command: ParsedCommand,
    before: ClusterObject,
    after: ClusterObject | None,
    revision: int | None,
) -> Undo:
    if reason := _NOTHING_TO_TAKE_BACK.get(command.path):
        return _none(reason)
    if command.path == "rollout undo":
        return _to_revision(command, revision)
    if after is None or comparable(before) == comparable(after):
        return _none(_WITHOUT_A_CHANGE.get(command.path, NOTHING_CHANGES))
    inverse = _INVERSES.get(command.path, _patched_back)
    undo = inverse(command, before, after)
    return _without_secrets(undo.model_copy(update={"fields": differing_fields(before, after)}))


_NOTHING_TO_TAKE_BACK = {
    "rollout restart": "A restart makes the same pods anew; there is nothing to take back.",
}
_WITHOUT_A_CHANGE = {
    "drain": "The node is cordoned already, and evicted pods come back on other nodes.",
}


def _none(why: str) -> Undo:
    return Undo(kind=UndoKind.NONE, why=why)


def _without_secrets(undo: Undo) -> Undo:
    return _none(SECRET) if redact(undo.command).counts else undo


def _delete_again(command: ParsedCommand, after: ClusterObject | None) -> Undo:
    target = targets(command)[0]
    if after is not None:
        target = Target(target.namespace, after.kind, after.name)
    return _undo("delete", target, why=f"Deletes {target.short} again.")


def _to_revision(command: ParsedCommand, revision: int | None) -> Undo:
    target = targets(command)[0]
    if revision is None:
        return _none("The cluster does not say which revision runs now.")
    flags = {"to-revision": str(revision)}
    why = f"Goes back to revision {revision}, which runs now."
    undo = _undo("rollout undo", target, flags, why=why)
    return undo.model_copy(update={"fields": ("spec.template",)})


def _scaled_back(command: ParsedCommand, before: ClusterObject, after: ClusterObject) -> Undo:
    replicas = before.number("spec", "replicas")
    why = f"Sets the replicas back to {replicas}."
    return _undo("scale", before.target, {"replicas": str(replicas)}, why=why)


def _images_back(command: ParsedCommand, before: ClusterObject, after: ClusterObject) -> Undo:
    old, new = _images(before), _images(after)
    changes = tuple(f"{name}={old[name]}" for name in old if old[name] != new.get(name))
    words = " and ".join(change.partition("=")[2] for change in changes)
    return _undo("set image", before.target, args=changes, why=f"Sets the image back to {words}.")


def _images(found: ClusterObject) -> Mapping[str, str]:
    """By container."""
    path: tuple[str, ...] = ("spec", "template", "spec")
    if found.kind == "cronjob":
        path = ("spec", "jobTemplate", "spec", "template", "spec")
    return {
        str(container.get("name")): str(container.get("image"))
        for listed in ("initContainers", "containers")
        for container in found.items(*path, listed)
    }


def _labels_back(command: ParsedCommand, before: ClusterObject, after: ClusterObject) -> Undo:
    return _words_back(command, before, before.labels, after.labels)


def _annotations_back(command: ParsedCommand, before: ClusterObject, after: ClusterObject) -> Undo:
    return _words_back(command, before, before.annotations, after.annotations)


def _words_back(
    command: ParsedCommand, before: ClusterObject, old: Mapping[str, str], new: Mapping[str, str]
) -> Undo:
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    changes = tuple(f"{name}={old[name]}" if name in old else f"{name}-" for name in names)
    why = f"Restores {', '.join(names)}."
    return _undo(command.path, before.target, {"overwrite": "true"}, changes, why)


def _taints_back(command: ParsedCommand, before: ClusterObject, after: ClusterObject) -> Undo:
    changes = tuple(_taint_changes(_taints(before), _taints(after)))
    flags = {"overwrite": "true"}
    return _undo("taint", before.target, flags, changes, "Restores the node's taints.")


def _taint_changes(
    old: Mapping[tuple[str, str], str], new: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    for key, effect in sorted(old.keys() | new.keys()):
        value = old.get((key, effect))
        if value is None:
            yield f"{key}:{effect}-"
        elif value != new.get((key, effect)):
            yield f"{key}={value}:{effect}"


def _taints(node: ClusterObject) -> Mapping[tuple[str, str], str]:
    return {
        (str(taint.get("key")), str(taint.get("effect"))): str(taint.get("value") or "")
        for taint in node.items("spec", "taints")
    }


def _opposite(path: str, why: str) -> "Inverse":
    def inverse(command: ParsedCommand, before: ClusterObject, after: ClusterObject) -> Undo:
        return _undo(path, before.target, why=why)

    return inverse


def _patched_back(command: ParsedCommand, before: ClusterObject, after: ClusterObject) -> Undo:
    patch = restoring_patch(comparable(before), comparable(after))
    flags = {"patch": json.dumps(patch.fields), "type": patch.type}
    why = "Restores exactly the fields that it changes."
    return _undo("patch", before.target, flags, why=why)


Inverse = Callable[[ParsedCommand, ClusterObject, ClusterObject], Undo]
_INVERSES: Mapping[str, Inverse] = {
    "annotate": _annotations_back,
    "cordon": _opposite("uncordon", "Lets new pods onto the node again."),
    "drain": _opposite("uncordon", "Lets new pods onto the node again; evicted ones stay away."),
    "label": _labels_back,
    "rollout pause": _opposite("rollout resume", "Changes are rolled out again."),
    "rollout resume": _opposite("rollout pause", "Later changes wait again."),
    "scale": _scaled_back,
    "set image": _images_back,
    "taint": _taints_back,
    "uncordon": _opposite("cordon", "Keeps new pods off the node again."),
}


def _undo(
    path: str,
    target: Target,
    flags: Mapping[str, str] | None = None,
    args: tuple[str, ...] = (),
    why: str = "",
) -> Undo:
    place = {"namespace": target.namespace} if target.namespace else {}
    verb, _, subverb = path.partition(" ")
    command = ParsedCommand(
        verb=verb,
        subverb=subverb or None,
        resources=((target.kind, target.name),),
        flags={name: (value,) for name, value in sorted({**(flags or {}), **place}.items())},
        args=args,
        after_dashes=(),
    )
    return Undo(kind=UndoKind.COMMAND, command=command.render(), why=why)
