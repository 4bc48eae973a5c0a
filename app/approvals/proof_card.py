"""The words of a proof card: what a person reads of what was looked at."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from app.domain.proof import FieldChange, LiveObject, Proof, ProofState, Undo, UndoKind
from app.kubectl.budgets import allows_none, sentence
from app.kubectl.cluster_object import ClusterObject
from app.kubectl.command import ParsedCommand
from app.kubectl.field_diff import MOST_CHANGES, shown_changes
from app.kubectl.gitops import gitops_owner
from app.kubectl.inverse import undo_of
from app.kubectl.revisions import newest_number
from app.kubectl.targets import makes_new, targets

_STOPS_PODS = frozenset(
    {"delete", "drain", "rollout restart", "rollout undo", "scale", "set image"}
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that was looked at for one command."""

    live: tuple[ClusterObject, ...]
    owners: tuple[ClusterObject, ...]
    """The first object's controller, and that one's."""
    budgets: tuple[ClusterObject, ...] | None
    """Over the first object's pods; None when they cannot be read."""
    revisions: tuple[ClusterObject, ...]
    """Of the first object, where the command goes back to one of them."""
    would_be: tuple[ClusterObject, ...]
    """The objects after a dry run, where it shows them."""
    refusal: str | None
    """Why the cluster would not take the command."""

    def undo_of(self, command: ParsedCommand) -> Undo:
        """How the command is taken back."""
        if self.refusal:
            return Undo(kind=UndoKind.NONE, why="The cluster does not take the command.")
        live = self.live[0] if self.live else None
        after = self.would_be[0] if self.would_be else None
        return undo_of(command, live, after, newest_number(self.revisions))


def card_of(command: ParsedCommand, seen: Seen, undo: Undo, at: datetime) -> Proof:
    """The card of a change to what is there."""
    changes = _changes(seen)
    return Proof(
        state=ProofState.REFUSED if seen.refusal else ProofState.PROVEN,
        at=at,
        sentence=seen.refusal or _sentence(command, seen, changes),
        object=_live_object(seen) if seen.live else None,
        others=tuple(_plain_object(each) for each in seen.live[1:]),
        changes=changes,
        warnings=tuple(_warnings(command, seen, changes)),
        undo=undo,
    )


def _changes(seen: Seen) -> tuple[FieldChange, ...]:
    if len(seen.live) <= 1:
        after = seen.would_be[0] if seen.would_be else None
        before = seen.live[0] if seen.live else None
        return shown_changes(before, after) if after else ()
    by_target = {each.target: each for each in seen.would_be}
    return tuple(
        change.model_copy(update={"path": f"{each.target.short}: {change.path}"})
        for each in seen.live
        if (after := by_target.get(each.target))
        for change in shown_changes(each, after)
    )[:MOST_CHANGES]


def _sentence(command: ParsedCommand, seen: Seen, changes: Sequence[FieldChange]) -> str:
    names = ", ".join(target.short for target in targets(command))
    if makes_new(command):
        return f"It makes {names}."
    match command.path:
        case "delete":
            owner = seen.live[0].controller if len(seen.live) == 1 else None
            return f"It removes {names}" + (f"; {owner.short} makes a new one." if owner else ".")
        case "drain":
            return f"It evicts the pods of {names} and keeps new ones off."
        case "rollout restart":
            return f"It replaces the pods of {names}, one after the other."
        case _:
            return _what_changes(names, seen, changes)


def _what_changes(names: str, seen: Seen, changes: Sequence[FieldChange]) -> str:
    if not changes:
        is_shown = bool(seen.would_be)
        return (
            f"It changes nothing: {names} is like that already."
            if is_shown
            else (f"It changes {names}; the cluster takes it and does not show what follows.")
        )
    if len(changes) > 1:
        return f"It changes {len(changes)} fields of {names}."
    change = changes[0]
    if isinstance(change.after, dict | list) or isinstance(change.before, dict | list):
        return f"It changes {change.path} of {names}."
    before, after = (_word(value) for value in (change.before, change.after))
    return f"It changes {change.path} of {names} from {before} to {after}."


def _word(value: JsonValue) -> str:
    if value is None:
        return "nothing"
    return value if isinstance(value, str) else json.dumps(value)


def _warnings(command: ParsedCommand, seen: Seen, changes: Sequence[FieldChange]) -> Iterator[str]:
    if not seen.live:
        return
    first = seen.live[0]
    yield from _revertings(command, first, seen)
    if command.path in _STOPS_PODS and not _scales_up(command, first):
        yield from (f"{sentence(each)}." for each in seen.budgets or () if allows_none(each))
    if seen.budgets is None:
        yield "PodDisruptionBudgets cannot be read."
    if first.at("spec", "paused") is True and command.path != "rollout resume":
        yield f"{first.target.short} is paused: nothing is rolled out until it is resumed."
    if len(changes) >= MOST_CHANGES:
        yield f"Only the first {MOST_CHANGES} changes are shown."


def _scales_up(command: ParsedCommand, found: ClusterObject) -> bool:
    wanted = command.value("replicas")
    return bool(wanted) and int(wanted or 0) >= found.number("spec", "replicas")


def _revertings(command: ParsedCommand, first: ClusterObject, seen: Seen) -> Iterator[str]:
    """Who would change it back."""
    name, controller = first.target.short, first.controller
    is_lasting = command.path != "rollout restart" and not (
        command.path == "delete" and controller is not None
    )
    if owner := gitops_owner((*seen.live, *seen.owners)):
        yield (
            f"{owner} manages {name}: the change will be reverted. It belongs in git."
            if is_lasting
            else f"{owner} manages {name}: a change that is to last belongs in git."
        )
    elif controller and is_lasting and first.kind != "pod":
        yield f"{controller.short} manages {name} and may change it back."


def _plain_object(found: ClusterObject) -> LiveObject:
    replicas = found.at("spec", "replicas")
    owner = found.controller
    return LiveObject(
        reference=found.target.reference,
        uid=found.uid,
        resource_version=found.version,
        replicas=replicas if isinstance(replicas, int) else None,
        owner=owner.short if owner else None,
    )


def _live_object(seen: Seen) -> LiveObject:
    return _plain_object(seen.live[0]).model_copy(
        update={
            "disruption_budgets": tuple(sentence(each) for each in seen.budgets or ()),
            "managed_by": gitops_owner((seen.live[0], *seen.owners)),
        }
    )
