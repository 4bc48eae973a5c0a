"""A kubectl command that was understood."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from app.kubectl.grammar import Form, grammar

NO_VALUES: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedCommand:
    """One command, every spelling of it made the same."""

    verb: str
    subverb: str | None
    """`restart` of `rollout restart`, `secret generic` of `create secret generic`."""
    resources: tuple[tuple[str, str | None], ...]
    """Canonical singular kinds with the object's name, None where only the kind is given."""
    flags: Mapping[str, tuple[str, ...]] = field(hash=False)
    """By long name, sorted; switches are `true` or `false`."""
    args: tuple[str, ...]
    """Words that name no object, such as `web=nginx:1.25` of `set image`."""
    after_dashes: tuple[str, ...]
    """The command that would run in a container."""

    @property
    def path(self) -> str:
        """Verb and subverb."""
        return f"{self.verb} {self.subverb}" if self.subverb else self.verb

    @property
    def action(self) -> str:
        """Verb, subverb and kind: `rollout restart/deployment`; without a kind just the verb."""
        return f"{self.path}/{self.resources[0][0]}" if self.resources else self.path

    @property
    def namespace(self) -> str | None:
        """What `--namespace` says."""
        return self.value("namespace")

    @property
    def selector(self) -> str | None:
        """What `--selector` says."""
        return self.value("selector")

    def value(self, flag: str) -> str | None:
        """The value of a flag that is given once."""
        values = self.flags.get(flag, NO_VALUES)
        return values[-1] if values else None

    def argv(self) -> tuple[str, ...]:
        """The canonical argument list, without the leading `kubectl`."""
        return tuple(self._words())

    def render(self) -> str:
        """The canonical text; it parses to an equal command."""
        return shlex.join(("kubectl", *self.argv()))

    def _words(self) -> Iterator[str]:
        yield from self.path.split()
        yield from self._object_words()
        yield from self.args
        for name, values in self.flags.items():
            for value in values:
                yield f"--{name}" if self._is_plain_switch(name, value) else f"--{name}={value}"
        if self.after_dashes:
            yield "--"
            yield from self.after_dashes

    def _object_words(self) -> Iterator[str]:
        form = grammar().verbs[self.path].form
        names = [name for _, name in self.resources if name is not None]
        if form is Form.NAMED:
            yield from names
        elif not names:
            if self.resources:
                yield ",".join(kind for kind, _ in self.resources)
        elif form is Form.TYPED:
            yield self.resources[0][0]
            yield from names
        else:
            yield from (f"{kind}/{name}" for kind, name in self.resources)

    def _is_plain_switch(self, name: str, value: str) -> bool:
        return value == "true" and grammar().verbs[self.path].flags[name].type.is_switch
