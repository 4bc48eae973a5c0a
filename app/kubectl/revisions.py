"""Revisions of a rollout: what `rollout undo` can go back to."""

from collections.abc import Iterable

from app.kubectl.cluster_object import ClusterObject

_NUMBER = "deployment.kubernetes.io/revision"


def revision_kind(found: ClusterObject) -> str:
    """The kind in which a workload's revisions are kept."""
    return "replicaset" if found.kind == "deployment" else "controllerrevision"


def newest_number(revisions: Iterable[ClusterObject]) -> int | None:
    """The number of the revision that runs now."""
    return max((number(each) for each in revisions), default=None)


def earlier_revision(revisions: Iterable[ClusterObject], wanted: int) -> ClusterObject | None:
    """The revision of a number; of 0, the one before the newest."""
    ordered = sorted(revisions, key=number)
    if wanted:
        return next((each for each in ordered if number(each) == wanted), None)
    return ordered[-2] if len(ordered) > 1 else None


def number(revision: ClusterObject) -> int:
    """Its number; 0 where it has none."""
    if revision.kind == "controllerrevision":
        return revision.number("revision")
    text = revision.annotations.get(_NUMBER, "")
    return int(text) if text.isdigit() else 0
