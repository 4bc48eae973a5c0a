"""Proof cards, and a cluster that is only a table of versions."""

from collections.abc import Collection, Mapping

from pydantic import JsonValue

from app.domain.proof import (
    LiveObject,
    Proof,
    ProofState,
    Recovery,
    Undo,
    UndoKind,
    Verification,
)
from app.kubectl.cluster_object import ClusterObject, Target
from app.kubectl.command import ParsedCommand
from tests.fakes.approvals import NOON

CHECKOUT = "shop/deployment/checkout"
RECOVERED = Verification(recovery=Recovery.RECOVERED, at=NOON, sentence="All of it holds.")


def proof(version: str = "1", *, undo: str = "") -> Proof:
    """What the cluster says of a command on the deployment checkout."""
    return Proof(
        state=ProofState.PROVEN,
        at=NOON,
        sentence="The cluster takes it.",
        object=LiveObject(reference=CHECKOUT, resource_version=version),
        undo=Undo(kind=UndoKind.COMMAND if undo else UndoKind.NONE, command=undo),
    )


def live(version: str = "1") -> ClusterObject:
    """The deployment checkout."""
    metadata: dict[str, JsonValue] = {
        "name": "checkout",
        "namespace": "shop",
        "labels": {"version": version},
    }
    return ClusterObject({"kind": "Deployment", "metadata": metadata})


class TableCluster:
    """Proving against versions that a test sets; it raises `trouble` when there is one."""

    def __init__(self, version: str = "1") -> None:
        """Start with one object."""
        self.version: str | None = version
        self.trouble: Exception | None = None

    async def prove(self, command: ParsedCommand) -> Proof:
        """The object as it is now."""
        if self.trouble is not None:
            raise self.trouble
        return proof(self.version or "gone")

    async def refusal(self, command: ParsedCommand) -> str | None:
        return None

    async def look_at(self, target: Target) -> ClusterObject | None:
        """The object of that version."""
        if self.trouble is not None:
            raise self.trouble
        return live(self.version) if self.version else None

    async def versions(self, references: Collection[str]) -> Mapping[str, str | None]:
        """All of them have the same version."""
        if self.trouble is not None:
            raise self.trouble
        return dict.fromkeys(references, self.version)
