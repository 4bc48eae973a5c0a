"""What to ask the cluster to learn what a command would change, without changing it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from app.kubectl.cluster_object import ClusterObject, Target
from app.kubectl.command import ParsedCommand
from app.kubectl.field_diff import Fields
from app.kubectl.targets import targets

SERVER = "--dry-run=server"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
HASH_LABEL = "pod-template-hash"
_NO_LONGER = ("output", "dry-run", "template", "wait", "timeout")


@dataclass(frozen=True, slots=True)
class DryRun:
    """One question to the cluster."""

    argv: tuple[str, ...]
    shows_object: bool = True
    """Whether the answer is the object as it would be; else it is only taken or refused."""


def dry_run_of(
    command: ParsedCommand, revision: ClusterObject | None = None, now: datetime | None = None
) -> tuple[DryRun, ...]:
    """One question for each object; `revision` is the one that `rollout undo` goes back to."""
    if command.path == "delete":
        return (_native(command, {"wait": "false", "output": "name"}, shows_object=False),)
    if command.path == "rollout undo":
        if revision is None:
            return (_native(command, {}, shows_object=False),)
        return tuple(_back_to(target, revision) for target in targets(command))
    if fields := _merged_fields(command, now or datetime.now(UTC)):
        return tuple(_patch(target, fields) for target in targets(command))
    return (_native(command, {"output": "json"}, shows_object=True),)


def _native(command: ParsedCommand, more: Mapping[str, str], *, shows_object: bool) -> DryRun:
    """The command itself, without what says how its answer is printed and how long it may take.

    What is added are flags of the parsed command: added to the end, they could come to stand
    behind a `--`, where they mean nothing.
    """
    kept = {name: value for name, value in command.flags.items() if name not in _NO_LONGER}
    added = {name: (value,) for name, value in {"dry-run": "server", **more}.items()}
    flags = dict(sorted({**kept, **added}.items()))
    return DryRun(replace(command, flags=flags).argv(), shows_object)


def _merged_fields(command: ParsedCommand, now: datetime) -> Fields | None:
    """A patch with the same effect, for verbs that have no dry run or do not show its result."""
    match command.path:
        case "scale":
            spec: Fields = {"replicas": int(command.value("replicas") or 0)}
        case "rollout restart":
            annotations: Fields = {RESTARTED_AT: f"{now:%Y-%m-%dT%H:%M:%SZ}"}
            spec = {"template": {"metadata": {"annotations": annotations}}}
        case "rollout pause" | "rollout resume":
            spec = {"paused": True if command.subverb == "pause" else None}
        case "cordon" | "drain" | "uncordon":
            spec = {"unschedulable": None if command.verb == "uncordon" else True}
        case _:
            return None
    return {"spec": spec}


def _back_to(target: Target, revision: ClusterObject) -> DryRun:
    """As `rollout undo` does it: the whole template of the revision."""
    if revision.kind == "controllerrevision":
        data = revision.at("data")
        return _patch(target, data if isinstance(data, dict) else {}, "strategic")
    template = revision.at("spec", "template")
    assert isinstance(template, dict)
    metadata = template.get("metadata")
    fields = dict(metadata) if isinstance(metadata, dict) else {}
    labels = fields.get("labels")
    if isinstance(labels, dict):
        fields["labels"] = {name: labels[name] for name in labels if name != HASH_LABEL}
    replacement: Fields = {**template, "metadata": fields, "$patch": "replace"}
    return _patch(target, {"spec": {"template": replacement}}, "strategic")


def _patch(target: Target, fields: Fields, patch_type: str = "merge") -> DryRun:
    return DryRun(
        (
            "patch",
            target.kind,
            target.name,
            *target.place,
            f"--type={patch_type}",
            f"--patch={json.dumps(fields)}",
            SERVER,
            "--output=json",
        )
    )
