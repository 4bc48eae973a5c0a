"""How careful people are where something happens: a team's rules, labels, then a namespace's name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict

from app.domain.feedback import Environment
from app.kubectl.policy_file import read_policy_file
from app.learning.words import words

SETTING = "ENVIRONMENTS_FILE"
LABEL = "label:"
"""Begins a rule about a label in a team's file: `label:stage=live`."""
CAREFUL_FIRST = (Environment.PRODUCTION, Environment.STAGING, Environment.DEVELOPMENT)
_GLOB = re.compile(r"[a-z0-9*?-]{1,63}")
_LABEL_GLOB = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,316}=[A-Za-z0-9_.*?-]{1,63}")
_ANY = re.compile(r"[*?]")


def _glob(text: str) -> str:
    label = text.removeprefix(LABEL)
    if label != text:
        if not _LABEL_GLOB.fullmatch(label):
            raise ValueError(f"{text!r} is no label; it is written as {LABEL}key=value")
        return text.lower()
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
            for environment in CAREFUL_FIRST
            for name in getattr(self, environment)
        ]
        return sorted(found, key=lambda rule: bool(_ANY.search(rule[0])))


@dataclass(frozen=True, slots=True)
class Environments:
    """Tells by a namespace and the labels of what runs there.

    What a team's file says of the namespace goes first: somebody wrote it for just this place. Then
    its rules about labels, then labels whose keys are known: somebody has put them there to tell.
    Then the namespace's own name.
    """

    team: tuple[tuple[str, Environment], ...] = ()

    def of(self, namespace: str | None, labels: Iterable[str] = ()) -> Environment:
        """The environment; unknown when nothing gives it away. Labels are `key=value`."""
        name, labels = namespace or "", [*labels]
        by_label = (f"{LABEL}{label.lower()}" for label in labels)
        said = self._said_of(name) or next(filter(None, map(self._said_of, by_label)), None)
        return said or _by_labels(labels) or environment_in(name) or Environment.UNKNOWN

    def _said_of(self, text: str) -> Environment | None:
        """By the team's file; a name cannot pass for a label, as it has no colon."""
        found = (
            environment
            for pattern, environment in self.team
            if fnmatchcase(text, pattern) and pattern.startswith(LABEL) is text.startswith(LABEL)
        )
        return next(found, None)


OUR_OWN = Environments()


def load_environments(path: Path | None) -> Environments:
    """With a team's rules, where there is a file; raises StartupFailed with its line."""
    if path is None:
        return OUR_OWN
    return Environments(tuple(read_policy_file(path, TeamEnvironments, SETTING).rules()))


def environment_in(name: str) -> Environment | None:
    """What a name's words tell; of several environments never production.

    A word beside `prod` says what it is for: `prod-test`, `dev2prod`, `non-prod` are not where
    customers are. Reading such a place as production would mix what people allow there into the
    most careful environment, and the other way round a production of such a name loses some care:
    its team says so in its file or by a label. Of the others the more careful one is meant. Nothing
    but preference follows: what may be run, and where nothing is tried out, is up to the policy.
    """
    found = set(_told(name))
    return next((environment for environment in words().environments if environment in found), None)


def _told(name: str) -> Iterator[Environment]:
    """Of each word in its place; `nonprod` is `non-prod`."""
    parts = [part for part in re.split(r"[^a-z]+", name.lower()) if part]
    for before, part in pairwise(["", *parts]):
        yield from _opposites(before, part)
        for environment, known in words().environments.items():
            if part in known:
                yield environment


def _opposites(before: str, part: str) -> Iterator[Environment]:
    """Where a word takes back that it is production."""
    production = words().environments[Environment.PRODUCTION]
    for environment, prefixes in words().opposites.items():
        for prefix in prefixes:
            is_apart = before == prefix and part in production
            if is_apart or part.removeprefix(prefix) in production - {part}:
                yield environment


def _by_labels(labels: Iterable[str]) -> Environment | None:
    """Where labels say different things, the most careful: none of them can be called wrong."""
    pairs = (label.partition("=") for label in labels)
    told = {environment_in(value) for key, _, value in pairs if _is_telling(key.lower())}
    return next((environment for environment in CAREFUL_FIRST if environment in told), None)


def _is_telling(key: str) -> bool:
    return any(key == known or key.endswith((f"/{known}", f".{known}")) for known in words().labels)
