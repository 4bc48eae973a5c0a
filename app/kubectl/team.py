"""What a team adds to the product's policy, in a file of its own."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    StringConstraints,
)

from app.kubectl.grammar import grammar
from app.kubectl.policy_file import read_policy_file
from app.kubectl.windows import ChangeWindows

SETTING = "POLICY_FILE"

_NAME = re.compile(r"[a-z0-9-]{1,63}")
_GLOB = re.compile(r"[a-z0-9*?-]{1,63}")
_LABEL = re.compile(r"[\w./-]{1,317}(?:=[\w.-]{0,63})?", re.ASCII)


def _glob(text: str) -> str:
    if not _GLOB.fullmatch(text):
        raise ValueError(f"{text!r} is no name of namespaces; * stands for any text")
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is not the exact name of a namespace")
    return text


def _label(text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise ValueError(f"{text!r} is no label: write key or key=value")
    return text


def _verb(text: str) -> str:
    table = grammar().verbs.get(text)
    if table is None and text not in grammar().families:
        raise ValueError(f"kubectl has no verb {text!r}")
    return table.path if table else text


Glob = Annotated[str, AfterValidator(_glob)]
Name = Annotated[str, AfterValidator(_name)]
Label = Annotated[str, AfterValidator(_label)]
Verb = Annotated[str, AfterValidator(_verb)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=200)]


class TeamPolicy(BaseModel):
    """Limits beside the product's own; only `unprotected_namespaces` takes one away."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    allowed_namespaces: tuple[Glob, ...] | None = Field(default=None, min_length=1)
    """Commands of other namespaces, and of all at once, are refused."""
    verbs: dict[Glob, frozenset[Verb]] = {}
    """Nothing but these in the namespaces of this name; every name that fits counts."""
    protected_namespaces: dict[Glob, Reason] = {}
    unprotected_namespaces: dict[Name, Reason] = {}
    protected_labels: dict[Label, Reason] = {}
    """Objects with such a label are not changed, nor is the label given or taken."""
    max_replicas: dict[Glob, NonNegativeInt] = {}
    change_windows: ChangeWindows | None = None

    def is_in_allowed(self, namespace: str | None) -> bool:
        """Whether commands may name this namespace; None is all of them or an unknown one."""
        allowed = self.allowed_namespaces
        return allowed is None or (namespace is not None and is_named(namespace, allowed))

    def refuses_verb(self, path: str, namespace: str | None) -> str | None:
        """The name whose verbs do not have this one, if any; None is every namespace."""
        for name, verbs in self.verbs.items():
            if (namespace is None or is_named(namespace, [name])) and not any(
                path == verb or path.startswith(f"{verb} ") for verb in verbs
            ):
                return name
        return None

    def why_protected(self, namespace: str) -> str | None:
        """The team's own reason to only read there."""
        reasons = self.protected_namespaces.items()
        return next((why for name, why in reasons if is_named(namespace, [name])), None)

    def replicas_in(self, namespace: str) -> int | None:
        """The most pods that one object may be set to; every name that fits counts."""
        limits = self.max_replicas.items()
        return min((most for name, most in limits if is_named(namespace, [name])), default=None)


def is_named(namespace: str, names: Iterable[str]) -> bool:
    """Whether one of the names, in which * stands for any text, is meant."""
    return any(fnmatchcase(namespace, name) for name in names)


def load_team_policy(path: Path) -> TeamPolicy:
    """The team's file; raises StartupFailed with its line."""
    return read_policy_file(path, TeamPolicy, SETTING)
