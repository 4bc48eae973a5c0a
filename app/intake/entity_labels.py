"""Labels in a text: of describe pages, manifests and objects in JSON, and fields that tell a stage."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import re2

MOST_LABELS = 16
LONGEST_LABEL = 128
MATCHES = 400
"""More of them do not change an election."""

GENERATED = (
    "pod-template-hash",
    "controller-revision-hash",
    "controller-uid",
    "batch.kubernetes.io/",
)
"""Beginnings of keys whose values Kubernetes makes up."""

_FIELD = re2.compile(
    r"(?:^|[\s{,;(\[\"'?&])(?P<hosting>[Hh]osting )?"
    r"(?P<key>(?:[A-Za-z0-9_-]+[./])*(?:env|environment|ENV|ENVIRONMENT|stage|tier"
    r"|deployment[._]environment(?:[._]name)?|label_env|label_environment))"
    r"\\?[\"']?[ \t]?(?:=|:[ \t]{0,30})[ \t]?\\?[\"']?(?P<value>[A-Za-z][-A-Za-z0-9_.]*)"
)
"""A field or label whose key speaks of an environment, in whatever log; `.NET` tells a default."""
_NEEDLES = ("env", "ENV", "stage", "tier")
_NAME = re2.compile(r"^Name:\s+(\S+)\s*$")
_HEAD = re2.compile(r"^(?P<indent>[\s]*)(?:- )?\"?[Ll]abels\"?:\s*(?:\{\s*)?(?P<first>[^\s{]\S*)?$")
_DESCRIBED = re2.compile(r"^([A-Za-z0-9][-\w./]*)=([-\w.]*)$")
_WRITTEN = re2.compile(r"^[\"']?([A-Za-z0-9][-\w./]*)[\"']?:\s*[\"']?([-\w.]*)[\"']?,?$")
_COMPACT = re2.compile(r"\\?\"labels\\?\"\s?:\s?\{([^{}]{1,1000})\}")
_PAIR = re2.compile(r"\\?\"([A-Za-z0-9][-\w./]*)\\?\"\s?:\s?\\?\"([-\w.]*)\\?\"")


@dataclass(slots=True)
class LabelVotes:
    """How often each label of an object was read; those of nobody in particular are of ``."""

    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """By object, key and value."""

    def elect(self, names: set[str]) -> tuple[str, ...]:
        """`key=value`; of the objects in trouble where theirs were read, else what most say.

        Where as many say one thing as another, both stay: who reads them may be careful.
        """
        own = Counter({label: n for label, n in self.counts.items() if label[0] in names})
        told = _most_said(own)
        for key, values in _most_said(self.counts).items():
            told.setdefault(key, values)
        chosen = [f"{key}={value}" for key, values in told.items() for value in values]
        return tuple(chosen[:MOST_LABELS])


def read_labels(texts: list[str], votes: LabelVotes) -> None:
    """Every label that stands in a text, and fields that tell an environment."""
    text = "\n".join(texts)
    if "abels" in text:
        for owner, key, value in (*_blocks(texts), *_compact(text)):
            _count(votes, owner, key, value)
    if any(needle in text for needle in _NEEDLES):
        for number, found in enumerate(_FIELD.finditer(text)):
            if number >= MATCHES:
                break
            if not found["hosting"]:
                _count(votes, "", str(found["key"]), str(found["value"]))


def _most_said(counts: Counter[tuple[str, str, str]]) -> dict[str, list[str]]:
    """By key the value that was read most often, or all of those."""
    by_key: dict[str, Counter[str]] = {}
    for (_, key, value), number in counts.items():
        by_key.setdefault(key, Counter())[value] += number
    return {
        key: [value for value in values if values[value] == max(values.values())]
        for key, values in by_key.items()
    }


def _count(votes: LabelVotes, owner: str, key: str, value: str) -> None:
    value = value.rstrip("-_.")
    if value and len(key) + len(value) < LONGEST_LABEL and not key.startswith(GENERATED):
        votes.counts[owner, key, value] += 1


def _blocks(texts: list[str]) -> Iterator[tuple[str, str, str]]:
    """Lines under `Labels:` of a describe page, `labels:` of a manifest, `"labels": {` in JSON."""
    owner, depth = "", -1
    for line in texts:
        if page := _NAME.match(line):
            owner, depth = str(page.group(1)), -1
        elif head := _HEAD.match(line):
            depth = len(head["indent"])
            if first := _DESCRIBED.match(head["first"] or ""):
                yield owner, str(first.group(1)), str(first.group(2))
        elif depth >= 0:
            words = line.strip()
            pair = _DESCRIBED.match(words) or _WRITTEN.match(words)
            if pair is None or len(line) - len(line.lstrip()) <= depth:
                depth = -1
            else:
                yield owner, str(pair.group(1)), str(pair.group(2))


def _compact(text: str) -> Iterator[tuple[str, str, str]]:
    """`"labels":{…}` on one line."""
    for number, block in enumerate(_COMPACT.finditer(text)):
        if number >= MATCHES:
            return
        for pair in _PAIR.finditer(block.group(1)):
            yield "", str(pair.group(1)), str(pair.group(2))
