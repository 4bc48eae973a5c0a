"""One rule of reading: a phrase or field that names an object, and what it is worth."""

from dataclasses import dataclass
from typing import Any

import re2

from app.intake.entity_names import HASH, OLDER_SUFFIX

_NAME = r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?"
_KINDS = (
    "deployments?|deploy|statefulsets?|sts|daemonsets?|ds|jobs?|cronjobs?|replicasets?|rs|pods?|po"
    "|Deployment|StatefulSet|DaemonSet|Job|CronJob|ReplicaSet|Pod"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern whose named groups are roles; `kind` tells the role of `object`.

    A `folder` is what stands before a slash: a namespace, where it is no kind.
    """

    needles: tuple[str, ...]
    """At least one of these stands in every match: a cheap test before the pattern runs."""
    pattern: Any
    """A compiled re2 pattern; the library has no types."""
    weight: float


def rule(needles: str, pattern: str, weight: float) -> Rule:
    """A rule from a pattern with NAME, KINDS, HASH and SUFFIX in it, and its needles."""
    filled = pattern.replace("NAME", _NAME).replace("KINDS", _KINDS)
    filled = filled.replace("HASH", HASH).replace("SUFFIX", OLDER_SUFFIX)
    return Rule(tuple(needles.split("|")), re2.compile(filled), weight)
