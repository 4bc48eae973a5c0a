"""What the guard looks at when it judges one command."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.kubectl.command import ParsedCommand
from app.kubectl.evidence import Evidence
from app.kubectl.policy import Policy, Rule


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What is true at the moment; what is not known may only make the guard stricter."""

    at: datetime | None = None
    """Now, with its time zone."""
    labels: Mapping[str, str] | None = field(default=None, hash=False)
    """Of the object that the command names, as the cluster has it."""


NO_FACTS = LiveFacts()


@dataclass(frozen=True, slots=True)
class Case:
    """One command before the guard."""

    command: ParsedCommand
    rule: Rule
    """The policy's, of the command's verb."""
    policy: Policy
    evidence: Evidence
    facts: LiveFacts

    @property
    def is_change(self) -> bool:
        """Whether it changes something and its verb is allowed at all."""
        return self.rule.is_write and self.rule.is_allowed
