"""What Kubernetes names look like, and what they give away."""

import re2

WORKLOAD_KINDS = {
    "deployment": "deployment",
    "deployments": "deployment",
    "deploy": "deployment",
    "statefulset": "statefulset",
    "statefulsets": "statefulset",
    "sts": "statefulset",
    "daemonset": "daemonset",
    "daemonsets": "daemonset",
    "ds": "daemonset",
    "job": "job",
    "jobs": "job",
    "cronjob": "cronjob",
    "cronjobs": "cronjob",
    "replicaset": "replicaset",
    "replicasets": "replicaset",
    "rs": "replicaset",
}
"""Every spelling of a workload kind → its lower-case singular."""

_WORDS = """
a an the is in on of to at for from with by and or not no name namespace pod pods node nodes
container containers image error failed status ready running pending unknown none null nil
default-scheduler kubelet apps batch v1 true false was has be been will can could it that this
all any some deployment service sandbox network which matching belongs using info warning
warn debug fatal critical level msg message reason type object age normal
"""
NOT_NAMES = frozenset(_WORDS.split())
"""Words that stand where a name could."""

_PARTS = """
runtime process network restart restarts limit limits memory cpu id exit exited killed terminated
started start startup created creation stop group groups logs log registry ports port state states
storage termination engine daemon health hook lifecycle probe security pull
"""
NOT_CONTAINERS = NOT_NAMES | frozenset(_PARTS.split())
"""What follows the word container where no name does."""

NOT_BEFORE_SLASH = NOT_NAMES | frozenset({*WORKLOAD_KINDS, "po", "log", "logs", "endpoints"})
"""Kinds and folders that stand before a slash where a namespace could."""

NOT_SUFFIXES = frozenset({"https", "00000", "12345", "http2"})
"""Five characters that Kubernetes could have drawn but people wrote."""

SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]{5}"
"""What Kubernetes draws for the end of a pod's name: no vowels and no 0, 1, 3, so no word."""

HASH = "[bcdfghjklmnpqrstvwxz0-9]{6,10}"
"""Of a pod template, at the end of a ReplicaSet's name; in older clusters a number."""

OLDER_SUFFIX = "[bcdfghjklmnpqrstvwxz0-9]{5}"
"""As older clusters drew them; taken only behind a hash."""

HASH_LETTERS = 8
"""A hash without any digit has at least so many letters: shorter ones may be an abbreviation."""

_NAME = re2.compile(r"[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?")
_REPLICA_SET_POD = re2.compile(rf"([a-z0-9][-a-z0-9.]*?)-({HASH})-({OLDER_SUFFIX})")
_REPLICA_SET = re2.compile(rf"([a-z0-9][-a-z0-9.]*?)-({HASH})")
_ORDINAL_POD = re2.compile(r"([a-z][-a-z0-9.]*?)-([0-9]{1,3})")
_CRON_POD = re2.compile(rf"([a-z0-9][-a-z0-9.]*?)-([0-9]{{7,12}})-({OLDER_SUFFIX})")
_OWNED_POD = re2.compile(rf"([a-z0-9][-a-z0-9.]*?)-({SUFFIX})")


def is_object_name(name: str) -> bool:
    """Whether Kubernetes would accept it as an object's name."""
    return len(name) <= 253 and _NAME.fullmatch(name) is not None


def fits(role: str, name: str) -> bool:
    """Whether a word that stands where a name could is one, and not another word of that place."""
    return name not in (NOT_CONTAINERS if role == "container" else NOT_NAMES)


def workload_of_pod(pod: str) -> tuple[str | None, str] | None:
    """The (kind, name) of the workload that a pod's generated name gives away."""
    if cron := _CRON_POD.fullmatch(pod):
        return "cronjob", str(cron.group(1))
    if deployment := _deployment_of_pod(pod):
        return "deployment", deployment
    if ordinal := _ORDINAL_POD.fullmatch(pod):
        return "statefulset", str(ordinal.group(1))
    owned = _OWNED_POD.fullmatch(pod)
    if owned and owned.group(2) not in NOT_SUFFIXES:
        return None, str(owned.group(1))
    return None


def is_replica_pod(name: str) -> bool:
    """Whether Kubernetes drew the end of the name for a pod of a ReplicaSet."""
    return _deployment_of_pod(name) is not None


def workload_of_replica_set(name: str) -> tuple[str | None, str]:
    """The deployment behind a ReplicaSet's generated name, else the ReplicaSet itself."""
    found = _REPLICA_SET.fullmatch(name)
    if found and _is_hash(found.group(2)):
        return "deployment", str(found.group(1))
    return "replicaset", name


def workload_kind_named(name: str) -> str | None:
    """The kind that a workload's own name claims, such as `meme-deployment`."""
    last = name.rsplit("-", 1)[-1]
    return WORKLOAD_KINDS.get(last) if len(last) > 3 else None


def _deployment_of_pod(pod: str) -> str | None:
    found = _REPLICA_SET_POD.fullmatch(pod)
    if found is None or found.group(3) in NOT_SUFFIXES:
        return None
    is_drawn = _is_hash(found.group(2)) or _has_digit(found.group(3))
    return str(found.group(1)) if is_drawn else None


def _is_hash(text: str) -> bool:
    return len(text) >= HASH_LETTERS or _has_digit(text)


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)
