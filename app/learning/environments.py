"""What a namespace's name says about how careful people are there: a team's rules, then our own."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from app.domain.feedback import Environment
from app.kubectl.policy_file import read_policy_file
from app.learning.words import words

SETTING = "ENVIRONMENTS_FILE"
_GLOB = re.compile(r"[a-z0-9*?-]{1,63}")
_ANY = re.compile(r"[*?]")


def _glob(text: str) -> str:
    if not _GLOB.fullmatch(text):
        raise ValueError(f"{text!r} is no name of namespaces; * stands for any text")
    return text


Names = tuple[Annotated[str, AfterValidator(_glob)], ...]


class TeamEnvironments(BaseModel):
    """A team's file; in this order where several names fit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    production: Names = ()
    staging: Names = ()
    development: Names = ()

    def rules(self) -> list[tuple[str, Environment]]:
        """Exact names before those that stand for several."""
        found = [
            (name, environment)
            for environment in (
                Environment.PRODUCTION,
                Environment.STAGING,
                Environment.DEVELOPMENT,
            )
            for name in getattr(self, environment)
        ]
        return sorted(found, key=lambda rule: bool(_ANY.search(rule[0])))


@dataclass(frozen=True, slots=True)
class Environments:
    """Tells namespaces apart."""

    team: tuple[tuple[str, Environment], ...] = ()

    def of(self, namespace: str | None) -> Environment:
        """The environment; unknown when the name gives nothing away."""
        name = namespace or ""
        for pattern, environment in self.team:
            if fnmatchcase(name, pattern):
                return environment
        # In the file's order: staging first, because `preprod` is no production.
        parts = set(re.split(r"[^a-z]+", name.lower()))
        known = words().environments.items()
        return next((found for found, names in known if parts & names), Environment.UNKNOWN)


OUR_OWN = Environments()


def load_environments(path: Path | None) -> Environments:
    """With a team's rules, where there is a file; raises StartupFailed with its line."""
    if path is None:
        return OUR_OWN
    return Environments(tuple(read_policy_file(path, TeamEnvironments, SETTING).rules()))
