"""What kubectl understands: verbs, flags and kinds, from tables.yaml and grammar.yaml."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parent


class FlagType(StrEnum):
    """What a flag takes."""

    SWITCH = "switch"
    SWITCH_ON = "switch-on"
    VALUE = "value"
    LIST = "list"
    OPTIONAL = "optional"

    @property
    def is_switch(self) -> bool:
        """Whether it is true when it is merely there."""
        return self in {FlagType.SWITCH, FlagType.SWITCH_ON}


class Form(StrEnum):
    """How a verb reads the words that are not flags; grammar.yaml explains each."""

    OBJECTS = "objects"
    CHANGES = "changes"
    TYPED = "typed"
    LAST = "last"
    ONE = "one"
    NODES = "nodes"
    NAMED = "named"
    WORDS = "words"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of one verb."""

    name: str
    type: FlagType
    left_out_value: str
    """What it means when no value is given; empty where one must be."""


@dataclass(frozen=True, slots=True)
class VerbTable:
    """One verb with its subverb: its flags and how it reads its words."""

    path: str
    form: Form
    kind: str | None
    """The kind meant where none is said."""
    takes_command: bool
    flags: Mapping[str, Flag]
    shorts: Mapping[str, Flag]


@dataclass(frozen=True, slots=True)
class Grammar:
    """Everything the parser knows."""

    global_flags: VerbTable
    verbs: Mapping[str, VerbTable]
    """By path, and by every alias of its last word."""
    families: frozenset[str]
    """Words that other words must or may follow: rollout, create, create secret."""
    kinds: Mapping[str, str]
    """Every name of a kind, with and without group, to the canonical one."""
    cluster_kinds: frozenset[str]


class _VerbEntry(BaseModel):
    """A verb as tables.yaml has it."""

    model_config = ConfigDict(extra="forbid")
    aliases: tuple[str, ...]
    flags: dict[str, tuple[str, ...]]


class _Tables(BaseModel):
    """The file tables.yaml."""

    model_config = ConfigDict(extra="forbid")
    version: str
    global_flags: dict[str, tuple[str, ...]] = Field(alias="global")
    verbs: dict[str, _VerbEntry]


class _KindEntry(BaseModel):
    """A kind as grammar.yaml has it."""

    model_config = ConfigDict(extra="forbid")
    plural: str | None = None
    short: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    cluster: bool = False


class _GrammarFile(BaseModel):
    """The file grammar.yaml."""

    model_config = ConfigDict(extra="forbid")
    forms: dict[str, Form]
    kinds_of_verbs: dict[str, str]
    kinds: dict[str, _KindEntry]
    takes_command: frozenset[str]
    left_out_values: dict[str, str]


@cache
def grammar() -> Grammar:
    """The grammar, read once."""
    tables = _Tables.model_validate(_read("tables.yaml"))
    file = _GrammarFile.model_validate(_read("grammar.yaml"))
    verbs = dict(_verbs(tables, file))
    paths = [table.path for table in verbs.values()]
    return Grammar(
        global_flags=_verb_table("kubectl", tables.global_flags, file),
        verbs=verbs,
        families=frozenset(path.rpartition(" ")[0] for path in paths if " " in path)
        | frozenset(path.partition(" ")[0] for path in paths if " " in path),
        kinds={name: kind for kind, entry in file.kinds.items() for name in _names(kind, entry)},
        cluster_kinds=frozenset(kind for kind, entry in file.kinds.items() if entry.cluster),
    )


def _read(name: str) -> Any:
    # The loader in C reads these files in a tenth of the time; not every build of PyYAML has it.
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), Loader=loader)  # noqa: S506


def _verbs(tables: _Tables, file: _GrammarFile) -> Iterator[tuple[str, VerbTable]]:
    for path, entry in tables.verbs.items():
        table = _verb_table(path, tables.global_flags | entry.flags, file)
        family = path.rpartition(" ")[0]
        yield path, table
        for alias in entry.aliases:
            yield f"{family} {alias}".strip(), table


def _verb_table(path: str, entries: dict[str, tuple[str, ...]], file: _GrammarFile) -> VerbTable:
    flags = {
        name: Flag(name, FlagType(entry[0]), file.left_out_values.get(name, ""))
        for name, entry in entries.items()
    }
    return VerbTable(
        path=path,
        form=file.forms.get(path, Form.WORDS),
        kind=file.kinds_of_verbs.get(path),
        takes_command=path in file.takes_command,
        flags=flags,
        shorts={entry[1]: flags[name] for name, entry in entries.items() if len(entry) > 1},
    )


def _names(kind: str, entry: _KindEntry) -> Iterator[str]:
    plain = {kind, entry.plural or kind}
    yield from plain
    yield from entry.short
    for name in plain:
        yield from (f"{name}.{group}" for group in entry.groups)
