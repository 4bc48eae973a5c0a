"""An object as the cluster shows it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import JsonValue

from app.domain.errors import BadInput
from app.kubectl.grammar import grammar

NO_FIELDS: Mapping[str, JsonValue] = {}


class UnreadableObject(BadInput):
    """What should be an object is none."""


@dataclass(frozen=True, slots=True)
class ClusterObject:
    """One object's JSON, with names for what is asked often."""

    json: Mapping[str, JsonValue]

    @classmethod
    def parse(cls, output: str) -> Self:
        """The object in what kubectl printed, warnings around it left out."""
        start = 0 if output.startswith("{") else output.find("\n{") + 1
        try:
            found, _ = json.JSONDecoder().raw_decode(output, start)
        except (ValueError, RecursionError):
            raise UnreadableObject("kubectl printed no object") from None
        if not isinstance(found, dict):
            raise UnreadableObject("kubectl printed no object")
        return cls(found)

    def at(self, *path: str) -> JsonValue:
        """The field's value; None where there is none."""
        value: JsonValue | Mapping[str, JsonValue] = self.json
        for name in path:
            if not isinstance(value, Mapping):
                return None
            value = value.get(name)
        return value if not isinstance(value, Mapping) else dict(value)

    def text(self, *path: str) -> str:
        """The field's value where it is text, else nothing."""
        value = self.at(*path)
        return value if isinstance(value, str) else ""

    def number(self, *path: str) -> int:
        """The field's value where it is a number; API servers leave out what is 0."""
        value = self.at(*path)
        return value if isinstance(value, int) else 0

    def items(self, *path: str) -> tuple[Mapping[str, JsonValue], ...]:
        """The objects in a list, such as containers."""
        value = self.at(*path)
        listed = value if isinstance(value, list) else []
        return tuple(item for item in listed if isinstance(item, dict))

    def texts(self, *path: str) -> Mapping[str, str]:
        """Labels, annotations and other plain words by name."""
        value = self.at(*path)
        found = value if isinstance(value, dict) else {}
        return {name: text for name, text in found.items() if isinstance(text, str)}

    def each(self) -> tuple["ClusterObject", ...]:
        """The objects of a list; the object itself where it is none."""
        if "items" in self.json and self.text("kind").endswith("List"):
            return tuple(ClusterObject(item) for item in self.items("items"))
        return (self,)

    @property
    def kind(self) -> str:
        """Canonical, as in parsed commands."""
        name = self.text("kind").lower()
        return grammar().kinds.get(name, name)

    @property
    def name(self) -> str:
        """Unique for its kind and namespace."""
        return self.text("metadata", "name")

    @property
    def namespace(self) -> str:
        """Empty where it belongs to the cluster."""
        return self.text("metadata", "namespace")

    @property
    def uid(self) -> str:
        """Of this object alone, also when another one of its name follows."""
        return self.text("metadata", "uid")

    @property
    def version(self) -> str:
        """Changes with every write."""
        return self.text("metadata", "resourceVersion")

    @property
    def labels(self) -> Mapping[str, str]:
        """Its own, not those of pods made from it."""
        return self.texts("metadata", "labels")

    @property
    def annotations(self) -> Mapping[str, str]:
        """Notes of people and machines."""
        return self.texts("metadata", "annotations")

    @property
    def pod_labels(self) -> Mapping[str, str]:
        """Those of its pods, which are its own where it is a pod."""
        if self.kind == "pod":
            return self.labels
        return self.texts("spec", "template", "metadata", "labels")

    @property
    def controller(self) -> "Target | None":
        """Who brings it back when it is gone."""
        for owner in self.items("metadata", "ownerReferences"):
            kind, name = owner.get("kind"), owner.get("name")
            if owner.get("controller") and isinstance(kind, str) and isinstance(name, str):
                return Target(self.namespace, grammar().kinds.get(kind.lower(), kind.lower()), name)
        return None

    @property
    def target(self) -> "Target":
        """What it is called."""
        return Target(self.namespace, self.kind, self.name)


@dataclass(frozen=True, slots=True)
class Target:
    """What an object is called."""

    namespace: str
    """Empty where it belongs to the cluster."""
    kind: str
    name: str

    @classmethod
    def of_reference(cls, reference: str) -> Self:
        """The object of `namespace/kind/name`."""
        namespace, _, rest = reference.partition("/")
        kind, _, name = rest.partition("/")
        return cls(namespace, kind, name)

    @property
    def reference(self) -> str:
        """`namespace/kind/name`; nothing before the first slash where it belongs to the cluster."""
        return f"{self.namespace}/{self.short}"

    @property
    def short(self) -> str:
        """`kind/name`."""
        return f"{self.kind}/{self.name}"

    @property
    def place(self) -> tuple[str, ...]:
        """The flag that leads there."""
        return (f"--namespace={self.namespace}",) if self.namespace else ()
