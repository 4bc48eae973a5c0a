"""Templates of playbooks: a sentence or command is said only when all it names is known."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.adapters.reasoning.playbook_model import CommandTemplate
from app.domain.plan import Command, SafetyLevel

VALUE_CHARACTERS = 180
NAMED_AT_MOST = 3
"""Values listed for `{…_all}`."""

READING_VERBS = frozenset({"get", "describe", "logs", "top", "events", "cluster-info", "auth"})

_SLOT = re.compile(r"\{(\w+)\}")
_PLAIN_ARGUMENT = re.compile(r"[A-Za-z0-9][\w./:@=+-]{0,252}")
_QUOTED_PATCH = re.compile(r"'\{[\w\":{}\[\].,-]+\}'")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What is known about one diagnosis, by name; the first value is the best."""

    values: Mapping[str, tuple[str, ...]]
    namespace: str | None = None

    def first(self, name: str) -> str | None:
        """The best value, or None."""
        if name.endswith("_all"):
            return _listed(self.values.get(name.removesuffix("_all"), ()))
        found = self.values.get(name)
        return found[0] if found else None


def render(template: str, known: Parameters) -> str | None:
    """The sentence, or None where it names something that is not known."""
    parts: list[str] = []
    end = 0
    for slot in _SLOT.finditer(template):
        value = known.first(slot.group(1))
        if not value:
            return None
        parts += [template[end : slot.start()], value]
        end = slot.end()
    text = "".join([*parts, template[end:]])
    return text[:1].upper() + text[1:]


def render_all(templates: Iterable[str], known: Parameters) -> tuple[str, ...]:
    """Every sentence that can be said, each once."""
    return tuple(dict.fromkeys(text for item in templates if (text := render(item, known))))


def render_first(templates: Iterable[str], known: Parameters) -> str | None:
    """The first sentence that can be said."""
    return next((text for item in templates if (text := render(item, known))), None)


def render_command(template: CommandTemplate, known: Parameters) -> Command | None:
    """The command, or None where an argument is unknown, unsafe, or its namespace is missing."""
    body = _arguments(template.run, known)
    if body is None:
        return None
    is_read = _is_read(template.run)
    scope = _scope(template, known, is_read=is_read)
    if scope is None:
        return None
    return Command(
        command=f"kubectl {body}{scope}",
        explanation=render(template.why, known) or "",
        safety_level=template.risk or (SafetyLevel.SAFE if is_read else SafetyLevel.CAUTION),
        expected_output=render(template.expect, known) or "" if template.expect else "",
        estimated_time_seconds=template.seconds,
    )


def _scope(template: CommandTemplate, known: Parameters, *, is_read: bool) -> str | None:
    if template.scope == "cluster":
        return ""
    if known.namespace:
        return f" -n {known.namespace}"
    if not is_read:
        return None
    return " -A" if template.everywhere else ""


def _arguments(template: str, known: Parameters) -> str | None:
    for name in _SLOT.findall(template):
        value = known.first(name)
        if not value or not (_PLAIN_ARGUMENT.fullmatch(value) or _QUOTED_PATCH.fullmatch(value)):
            return None
    return _SLOT.sub(lambda slot: known.first(slot.group(1)) or "", template)


def _is_read(run: str) -> bool:
    words = run.split()
    return words[0] in READING_VERBS or words[:2] in (["rollout", "status"], ["rollout", "history"])


def _listed(values: tuple[str, ...]) -> str | None:
    named = values[:NAMED_AT_MOST]
    if len(named) < len(values):
        return f"{', '.join(named)} and {len(values) - len(named)} more"
    if len(named) > 1:
        return f"{', '.join(named[:-1])} and {named[-1]}"
    return named[0] if named else None
