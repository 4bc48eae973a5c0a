"""What may be done to a cluster, as validated data; what it does not name is forbidden."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Self

import yaml
from pydantic import ValidationError, model_validator

from app.domain.errors import StartupFailed
from app.domain.plan import SafetyLevel
from app.kubectl.grammar import grammar
from app.kubectl.policy_parts import (
    BareValues,
    ForbiddenPattern,
    ForbiddenValues,
    FreeText,
    LeastNumber,
    Part,
    Pods,
    ProtectedNamespaces,
    SecretKinds,
    Waits,
)
from app.kubectl.team import TeamPolicy, load_team_policy

DEFAULT = Path(__file__).parent / "policy.yaml"
SOURCE = "app/kubectl/policy.yaml"


class Risk(StrEnum):
    """What a command may do, from harmless to not allowed at all."""

    SAFE = "SAFE"
    CAUTION = "CAUTION"
    DESTRUCTIVE = "DESTRUCTIVE"
    FORBIDDEN = "FORBIDDEN"

    @property
    def rank(self) -> int:
        """Place in the order of risk, from 0."""
        return _ORDER[self]


_ORDER = {risk: rank for rank, risk in enumerate(Risk)}


def higher_risk(risk: Risk, label: SafetyLevel) -> Risk:
    """The guard's risk and the author's label: the higher one counts."""
    return max(risk, Risk(label.value), key=lambda each: each.rank)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the policy says of one verb."""

    risk: Risk
    why: str
    is_write: bool
    kinds: frozenset[str]
    """Kinds that a write may touch; a read may touch any."""
    flags: frozenset[str]
    needs: frozenset[str]
    """Flags that the verb means nothing without."""

    @property
    def is_allowed(self) -> bool:
        """Whether the verb may be used at all."""
        return self.risk is not Risk.FORBIDDEN


_NONE: frozenset[str] = frozenset()
UNNAMED = Rule(
    Risk.FORBIDDEN,
    "the policy does not name it",
    is_write=True,
    kinds=_NONE,
    flags=_NONE,
    needs=_NONE,
)


class WriteRule(Part):
    """A verb that changes something."""

    risk: Risk
    why: str
    kinds: frozenset[str]
    flags: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()


class Raise(Part):
    """A value or a kind that makes a verb riskier."""

    verb: str
    kind: str | None = None
    flag: str | None = None
    """None for the words beside the objects."""
    pattern: re.Pattern[str] | None = None
    risk: Risk
    why: str


@dataclass(frozen=True, slots=True)
class TeamFile:
    """A team's policy and where it was read."""

    path: Path
    policy: TeamPolicy


class Policy(Part):
    """The whole policy; policy.yaml explains each part."""

    flags_of_reads: frozenset[str]
    reads: dict[str, frozenset[str]]
    secret_kinds: SecretKinds
    bare_values: BareValues
    outputs: frozenset[str]
    kind_groups: dict[str, frozenset[str]]
    flags_of_writes: frozenset[str]
    writes: dict[str, WriteRule]
    raises: tuple[Raise, ...]
    forbidden_verbs: dict[str, str]
    forbidden_flags: dict[str, str]
    forbidden_flags_of_writes: dict[str, str]
    forbidden_flags_of_reads: dict[str, str]
    waits: Waits
    least_numbers: dict[str, LeastNumber]
    forbidden_kinds: dict[str, str]
    protected_namespaces: ProtectedNamespaces
    pods: Pods
    forbidden_fields: dict[str, str]
    forbidden_values: tuple[ForbiddenValues, ...]
    kept_fields: dict[str, str]
    forbidden_pointers: tuple[ForbiddenPattern, ...]
    open_toleration: str
    forbidden_keys: tuple[ForbiddenPattern, ...]
    whole_fields: frozenset[str]
    deciding_fields: dict[str, str]
    stopping_fields: dict[str, tuple[bool | int, ...]]
    free_text: FreeText
    placeholder_names: re.Pattern[str]
    placeholder_values: re.Pattern[str]
    flags_without_placeholders: frozenset[str]
    team: TeamFile | None = None

    @model_validator(mode="after")
    def _names_what_exists(self) -> Self:
        flags = self.reads | {path: rule.flags | rule.needs for path, rule in self.writes.items()}
        for path, names in flags.items():
            if path not in grammar().verbs:
                raise ValueError(f"kubectl has no verb {path!r}")
            if unknown := names - grammar().verbs[path].flags.keys():
                raise ValueError(f"{path} has no flag {', '.join(sorted(unknown))}")
        if both := (self.reads.keys() & self.writes.keys()) | (flags.keys() & self.forbidden_verbs):
            raise ValueError(f"two rules for {', '.join(sorted(both))}")
        return self

    def rule(self, path: str) -> Rule:
        """The rule of a verb with its subverb; where the policy says nothing, it is forbidden."""
        return self._rules.get(path, UNNAMED)

    @property
    def protects_labels(self) -> bool:
        """Whether labels of live objects decide about commands."""
        return self.team is not None and bool(self.team.policy.protected_labels)

    def why_protected(self, namespace: str) -> str | None:
        """Why this namespace is only read, if it is."""
        if self.team is not None:
            if why := self.team.policy.why_protected(namespace):
                return why
            if namespace in self.team.policy.unprotected_namespaces:
                return None
        is_protected = self.protected_namespaces.pattern.fullmatch(namespace)
        return self.protected_namespaces.reason if is_protected else None

    @cached_property
    def judged_fields(self) -> frozenset[str]:
        """Fields of patches that must not have some value, or any."""
        names = {each.field for each in self.forbidden_values}
        return self.pods.fields.union(self.forbidden_fields, names)

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        rules = {
            path: Rule(Risk.FORBIDDEN, why, is_write=True, kinds=_NONE, flags=_NONE, needs=_NONE)
            for path in {table.path for table in grammar().verbs.values()}
            if (why := self._why_forbidden(path))
        }
        for path, flags in self.reads.items():
            allowed = flags | self.flags_of_reads
            rules[path] = Rule(
                Risk.SAFE, "only reads", is_write=False, kinds=_NONE, flags=allowed, needs=_NONE
            )
        for path, write in self.writes.items():
            kinds = frozenset(
                kind for name in write.kinds for kind in self.kind_groups.get(name, {name})
            )
            allowed = write.flags | self.flags_of_writes
            rules[path] = Rule(
                write.risk, write.why, is_write=True, kinds=kinds, flags=allowed, needs=write.needs
            )
        return rules

    def _why_forbidden(self, path: str) -> str:
        """The reason for the verb with its subverb, or else for all of the verb's."""
        longest_first = (path, path.rpartition(" ")[0], path.partition(" ")[0])
        found = (self.forbidden_verbs.get(part) for part in longest_first)
        return next(filter(None, found), "")


def load_policy(team_file: Path | None = None, file: Path = DEFAULT) -> Policy:
    """The product's policy with what a team adds to it; raises StartupFailed."""
    policy = _load(file)
    if team_file is None:
        return policy
    team = TeamFile(team_file, load_team_policy(team_file))
    return policy.model_copy(update={"team": team})


def _load(file: Path) -> Policy:
    try:
        return Policy.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, problem["loc"])) or "policy"
        raise StartupFailed(f"{file} cannot be used: {where}: {problem['msg']}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise StartupFailed(f"{file} cannot be used: {reason}") from error
