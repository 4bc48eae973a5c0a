"""What a playbook file may say: its schema, and loading all of them once."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal

import re2
import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from app.domain.answer import Level, Priority
from app.domain.errors import StartupFailed
from app.domain.incident import ErrorType, PatternType
from app.domain.plan import SafetyLevel

Template = str
"""A sentence or a command with `{parameters}`; left out where one of them is not known."""

SHARED_FILE = "shared.yaml"


def _compiles(pattern: str) -> str:
    try:
        re2.compile(pattern)
    except re2.error as error:
        raise ValueError(f"not a regular expression: {pattern!r}: {error}") from None
    return pattern


Regex = Annotated[str, AfterValidator(_compiles)]
"""A pattern of google-re2, so that reading untrusted text takes linear time."""


class Part(BaseModel):
    """A part of a playbook: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Symptom(Part):
    """A regular expression (re2, case-insensitive) that shows in lines of this failure."""

    see: Regex
    weight: float = Field(default=5, ge=0, le=10)
    """10 proves the mode, 5 suggests it, 1 is a hint; 0 only captures parameters."""
    unless: Regex | None = None
    """Lines that match this are not meant."""
    loud: bool = False
    """Counts in full on lines that call themselves informational, too."""
    group: str = ""
    """Symptoms of one group count once, the best of them."""


class CommandTemplate(Part):
    """A kubectl command without `kubectl` and without its namespace, which the engine adds."""

    run: Template
    why: Template
    expect: Template = ""
    scope: Literal["namespace", "cluster"] = "namespace"
    everywhere: bool = False
    """A read that looks at all namespaces where none is known."""
    risk: SafetyLevel | None = None
    """Default: SAFE for reads, CAUTION for writes."""
    seconds: int = Field(default=5, ge=1)


class Remedy(Part):
    """One way out; offered when each of its commands can be rendered from known facts."""

    action: Template
    """`verb/kind` of what it changes, as reviewers' decisions are counted."""
    does: Template
    """What the step is, in one sentence."""
    commands: tuple[CommandTemplate, ...]
    rollback: tuple[CommandTemplate, ...] = ()
    success: Template = ""
    pros: tuple[Template, ...] = ()
    cons: tuple[Template, ...] = ()
    reverts: bool = False
    """It takes the last change back: more likely right where one came shortly before."""


class ImpactTemplate(Part):
    """Who suffers."""

    severity: Level = Level.HIGH
    blast: Template = ""
    users: Template = ""
    effects: tuple[Template, ...] = ()


class Playbook(Part):
    """What is known about one failure mode."""

    mode: str
    title: str
    severity: Level = Level.HIGH
    priority: Priority = Priority.P1
    error_type: ErrorType = ErrorType.KUBERNETES
    pattern: PatternType | None = None
    """The shape it gives to a whole system, when it does."""
    rank: float = 0
    """Added to the score where modes compete: the specific beats the generic."""
    needs: float = Field(default=4, ge=0)
    """The score from which it is an incident."""
    symptoms: tuple[Symptom, ...] = Field(min_length=1)
    facts: tuple[Regex, ...] = ()
    """Regular expressions that only capture parameters, read when the mode is in question."""
    excluded_by: tuple[Regex, ...] = ()
    """Lines of the input that show it is something else."""
    recovered_by: tuple[Regex, ...] = ()
    """Lines that, after the last symptom, show it is over."""
    ends_when: Literal["", "ready", "steady"] = ""
    """A pod that is ready again has left this behind; steady: and that was never restarted."""
    follows: tuple[str, ...] = ()
    """Modes that bring this one about: where one of them is present, this is its effect."""
    cause: tuple[Template, ...] = Field(min_length=1)
    """The first that can be rendered is the root cause; the last needs no parameter."""
    explanation: tuple[Template, ...] = Field(min_length=1)
    """Every sentence that can be rendered."""
    factors: tuple[Template, ...] = ()
    impact: ImpactTemplate = ImpactTemplate()
    investigate: tuple[str | CommandTemplate, ...] = ()
    """Names of shared commands, or commands."""
    remedies: tuple[str | Remedy, ...] = ()
    """In the order of habit; names of shared remedies, or remedies."""
    verify: tuple[str | CommandTemplate, ...] = ()
    success: Template = "The symptom no longer appears in events and logs."
    manual: tuple[Template, ...] = Field(min_length=1)
    """What a person has to do where no command can; the last needs no parameter."""
    prevent: tuple[str, ...] = ()
    minutes: int = Field(default=10, ge=1)


class Background(Part):
    """What is known beside failures: what is harmless, and what is only an attempt to command."""

    good_news: tuple[Regex, ...] = ()
    """Phrases that only sound like trouble, such as `errors=0`; the rest of the line counts."""
    harmless: tuple[Regex, ...]
    """Lines that are never a symptom, such as a command that was typed."""
    quiet: tuple[Regex, ...]
    """Lines that call themselves informational; their symptoms count less."""
    orders: tuple[Regex, ...]
    """Text that addresses the reader and wants something done: data, never a symptom."""
    resolved: tuple[Regex, ...]
    """Lines by which an alert or a tool declares the whole incident over or by design."""
    remarks: tuple[Regex, ...] = ()
    """Prose that says so; it counts after the last symptom alone."""
    recovered: tuple[Regex, ...]
    """Lines that show that what failed before works again."""
    changes: tuple[Regex, ...] = ()
    """Lines that tell of a deployment or another change shortly before."""
    unchanged: tuple[Regex, ...] = ()
    """Lines that only seem to, or tell of one long ago."""
    commands: dict[str, CommandTemplate]
    """Reads that playbooks name."""
    remedies: dict[str, Remedy] = {}
    """Ways out that playbooks name."""


class Library(Part):
    """All playbooks and what they share."""

    playbooks: tuple[Playbook, ...]
    background: Background

    def of(self, mode: str) -> Playbook | None:
        """The playbook of a mode."""
        return next((book for book in self.playbooks if book.mode == mode), None)

    def command(self, reference: str | CommandTemplate) -> CommandTemplate:
        """A command, or the shared one of that name."""
        if isinstance(reference, CommandTemplate):
            return reference
        return self.background.commands[reference]

    def remedies_of(self, book: Playbook) -> tuple[Remedy, ...]:
        """A playbook's remedies in its order, the shared ones in their places."""
        shared = self.background.remedies
        return tuple(shared[one] if isinstance(one, str) else one for one in book.remedies)


@cache
def shipped_library() -> Library:
    """The playbooks of the product; raises StartupFailed for a file that cannot be used."""
    return load_library(files("app.adapters.reasoning") / "playbooks")


def load_library(folder: Traversable) -> Library:
    """Reads and checks every YAML file of a folder; raises StartupFailed that names the file."""
    playbooks: list[Playbook] = []
    shared: Mapping[str, Any] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name == SHARED_FILE:
            shared = _parse(file)
        elif file.name.endswith(".yaml"):
            playbooks.extend(_playbooks(file))
    try:
        library = Library(
            playbooks=tuple(playbooks), background=Background.model_validate(dict(shared))
        )
    except ValidationError as error:
        raise StartupFailed(f"{SHARED_FILE} cannot be used: {_first(error)}") from None
    _check(library)
    return library


def _playbooks(file: Traversable) -> list[Playbook]:
    try:
        return [Playbook.model_validate(entry) for entry in _parse(file)["playbooks"]]
    except KeyError:
        raise StartupFailed(f"{file.name} has no list named playbooks") from None
    except ValidationError as error:
        raise StartupFailed(f"{file.name} cannot be used: {_first(error)}") from None


def _parse(file: Traversable) -> Mapping[str, Any]:
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise StartupFailed(f"{file.name} is not YAML: {error}") from None
    if not isinstance(content, dict):
        raise StartupFailed(f"{file.name} must hold a mapping")
    return content


def _first(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"


def _check(library: Library) -> None:
    modes = [book.mode for book in library.playbooks]
    if doubled := {mode for mode in modes if modes.count(mode) > 1}:
        raise StartupFailed(f"two playbooks for {', '.join(sorted(doubled))}")
    for book in library.playbooks:
        for mode in book.follows:
            if mode not in modes:
                raise StartupFailed(f"playbook {book.mode} follows {mode}, which nobody describes")
        _check_names(book, library.background)


def _check_names(book: Playbook, background: Background) -> None:
    for reference in (*book.investigate, *book.verify):
        if isinstance(reference, str) and reference not in background.commands:
            raise StartupFailed(f"playbook {book.mode} names no known command: {reference}")
    for remedy in book.remedies:
        if isinstance(remedy, str) and remedy not in background.remedies:
            raise StartupFailed(f"playbook {book.mode} names no known remedy: {remedy}")
