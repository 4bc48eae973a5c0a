"""What a workflow has seen, to tell a name that was read from one that was made up."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_BEFORE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.")
# Names that Kubernetes makes from a workload's name use letters of this set.
_RANDOM = "[bcdfghjklmnpqrstvwxz2456789]"
_END = r"(?![A-Za-z0-9-]|\.[A-Za-z0-9])"
_AFTER = re.compile(
    rf"{_END}"
    rf"|-(?:{_RANDOM}{{6,10}}-)?{_RANDOM}{{5}}{_END}"  # the workload of a pod that is named
    r"|(?:\.[a-z0-9-]+)?\.svc(?![A-Za-z0-9-])"  # a Service's address
)
_AFTER_OF_KIND = {
    "deployment": re.compile(rf"-{_RANDOM}{{6,10}}{_END}"),  # its ReplicaSet
    "statefulset": re.compile(rf"-\d{{1,4}}{_END}"),
    "cronjob": re.compile(rf"-\d{{8,10}}(?:-{_RANDOM}{{5}})?{_END}"),
}
_NAMESPACE_IN_ADDRESS = re.compile(r"\.svc(?![A-Za-z0-9-])")


@dataclass(frozen=True, slots=True)
class Evidence:
    """The texts of a workflow, its logs and what its tools said, as one."""

    text: str | None
    """None where nobody knows them."""

    @classmethod
    def from_text(cls, texts: Iterable[str]) -> Self:
        """Evidence of these texts."""
        return cls("\n".join(texts))

    @classmethod
    def unknown(cls) -> Self:
        """For a place that does not know what the workflow saw; nothing stands in it."""
        return cls(None)

    @property
    def is_known(self) -> bool:
        """Whether there is text to look into."""
        return self.text is not None

    def names(self, name: str, kind: str = "") -> bool:
        """Whether the name stands there as a whole word, or a name made from it does."""
        return self.text is not None and _stands_in(self.text, name, _AFTER_OF_KIND.get(kind))


def _stands_in(text: str, name: str, after_of_kind: re.Pattern[str] | None) -> bool:
    position = text.find(name)
    while position >= 0:
        end = position + len(name)
        before = text[position - 1] if position else ""
        if before not in _BEFORE and (
            _AFTER.match(text, end) or (after_of_kind and after_of_kind.match(text, end))
        ):
            return True
        if before == "." and _NAMESPACE_IN_ADDRESS.match(text, end):
            return True
        position = text.find(name, position + 1)
    return False
