"""What the cluster says about a proposed command before anybody decides, and what it said afterwards."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from pydantic import Field, JsonValue

from app.domain.answer import Answer


class ProofState(StrEnum):
    """Whether the cluster could be asked."""

    NO_CLUSTER = "no_cluster"
    READ_ONLY = "read_only"
    """The command changes nothing, so there is nothing to prove."""
    PROVEN = "proven"
    REFUSED = "refused"
    """The cluster itself would not take the command."""
    UNREACHABLE = "unreachable"


class FieldChange(Answer):
    """One field of the live object that the command would change; None stands for "not there"."""

    path: str
    """As `kubectl explain` writes it, with list positions: `spec.template.spec.containers[0].image`."""
    before: JsonValue
    after: JsonValue


class LiveObject(Answer):
    """The object as it was when it was looked at; a decision is bound to its version."""

    reference: str
    """`namespace/kind/name`; cluster-wide objects have no namespace before the first slash."""
    uid: str = ""
    resource_version: str
    replicas: int | None = None
    owner: str | None = None
    """`kind/name` of the controller that would bring it back."""
    disruption_budgets: tuple[str, ...] = ()
    """PodDisruptionBudgets over its pods, each in a sentence with how many may be disrupted now."""
    managed_by: str | None = None
    """The GitOps application that owns it and will revert a change made here."""


class UndoKind(StrEnum):
    """How a command is taken back."""

    COMMAND = "command"
    RECREATE = "recreate"
    """The object as it was is created again."""
    NONE = "none"


class Undo(Answer):
    """How to take one command back, computed before it runs."""

    kind: UndoKind
    command: str = ""
    """The inverse command, of the same language as every other one."""
    manifest: str = ""
    """JSON of the object as it was, without what the cluster fills in itself."""
    why: str = ""
    """What it does, or why nothing can or need be taken back."""
    fields: tuple[str, ...] = ()
    """What it sets of the object, with all below; the whole object where none is named."""


class LeftState(Answer):
    """The object as a command left it, to see before its undo whether somebody changed it since."""

    reference: str
    is_there: bool
    uid: str = ""
    salt: str = ""
    digests: Mapping[str, str] = Field(default_factory=dict)
    """By the field's path; no value can be read from it. Without what the cluster fills in itself."""


class Proof(Answer):
    """The proof card of one command."""

    state: ProofState
    at: datetime
    sentence: str
    """What a person should know first."""
    object: LiveObject | None = None
    """None for a command that makes a new object, or touches none."""
    others: tuple[LiveObject, ...] = ()
    """The further objects of a command that names several."""
    changes: tuple[FieldChange, ...] = ()
    warnings: tuple[str, ...] = ()
    """Such as: the change will be reverted by Argo CD; no disruption is allowed now."""
    undo: Undo = Undo(kind=UndoKind.NONE)
    left: LeftState | None = None
    """Once the command has run; None where nobody could look."""

    @property
    def versions(self) -> Mapping[str, str]:
        """By reference, the version of each object that a decision is bound to."""
        seen = () if self.object is None else (self.object, *self.others)
        return {each.reference: each.resource_version for each in seen}


class Recovery(StrEnum):
    """What the cluster looked like after the approved commands had run."""

    RECOVERED = "recovered"
    NOT_RECOVERED = "not_recovered"
    UNKNOWN = "unknown"


class Fact(Answer):
    """One thing that was looked at to tell whether it helped."""

    reference: str
    """The object, `namespace/kind/name`."""
    name: str
    """Such as `rollout complete`, `pods ready`, `no restarts`, `error gone`."""
    holds: bool | None
    """None when it could not be read."""
    detail: str = ""


class Verification(Answer):
    """The outcome, and the facts that it follows from."""

    recovery: Recovery
    at: datetime
    facts: tuple[Fact, ...] = ()
    sentence: str = ""
