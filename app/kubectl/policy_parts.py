"""The parts of the policy that are more than a name with a reason."""

import re
from fnmatch import translate
from functools import cached_property

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """A frozen part of the policy; a key that means nothing is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SecretKinds(Part):
    """Kinds whose contents must not be printed, and how they can be looked at nevertheless."""

    kinds: frozenset[str]
    mixed: frozenset[str]
    verbs: frozenset[str]
    outputs: frozenset[str]
    refused_flags: frozenset[str]
    reason: str


class BareValues(Part):
    """Fields whose values must not be printed alone without approval."""

    fields: re.Pattern[str]
    why: str


class LeastNumber(Part):
    """The smallest number that a flag may have."""

    least: int
    reason: str


class Waits(Part):
    """How long a command may wait."""

    most_seconds: int
    flags: frozenset[str]


class Pods(Part):
    """The most pods that one object may be set to."""

    most: int
    flags: frozenset[str]
    fields: frozenset[str]


class ForbiddenValues(Part):
    """Values that a field of a patch must not have."""

    field: str
    values: tuple[bool | int | str, ...]
    reason: str


class ForbiddenPattern(Part):
    """What a whole text must not be, unless its value is one of these."""

    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    reason: str

    def refuses(self, text: str, value: object = None) -> bool:
        """Whether the text fits and its value is none of those that may be."""
        if not self.pattern.fullmatch(text):
            return False
        return not (self.unless and isinstance(value, str) and self.unless.fullmatch(value))


class ProtectedNamespaces(Part):
    """Namespaces that are only read."""

    names: tuple[str, ...]
    reason: str

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """All names as one expression."""
        return re.compile("|".join(translate(name) for name in self.names))


class FreeText(Part):
    """Where a command may hold other letters than ASCII."""

    verbs: frozenset[str]
    """Behind the `=` of the words beside the objects."""
    flags: frozenset[str]
    """Behind the `=` of the value."""
    whole_flags: frozenset[str]
    naming_fields: frozenset[str]
    """Fields of a patch that hold a name, so that it may not."""
