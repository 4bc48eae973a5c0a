"""Names that stand only in the part of an input that no reasoner was shown."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

from app.intake import ansi
from app.kubectl.evidence import Evidence
from app.kubectl.parser import parse
from app.kubectl.words import UnparseableCommand

ReadInput = Callable[[], Awaitable[str]]
"""Reads the whole redacted input."""


async def widened(evidence: Evidence, commands: Iterable[str], read_input: ReadInput) -> Evidence:
    """The evidence, and of the whole input the names in these commands that it lacks."""
    unseen = {
        name: kind
        for command in commands
        for name, kind in _names_in(command).items()
        if not evidence.names(name, kind)
    }
    if not unseen or evidence.text is None:
        return evidence
    found = await asyncio.to_thread(_found, unseen, await read_input())
    return Evidence.from_text([evidence.text, *found]) if found else evidence


def _names_in(command: str) -> Mapping[str, str]:
    """The objects and the namespace of a command, with their kinds."""
    try:
        parsed = parse(command)
    except UnparseableCommand:
        return {}
    names = {name: kind for kind, name in parsed.resources if name}
    return {parsed.namespace: "namespace"} | names if parsed.namespace else names


def _found(names: Mapping[str, str], text: str) -> list[str]:
    if "\x1b" in text:
        text = ansi.strip(text.encode("utf-8", "replace")).decode("utf-8", "replace")
    whole = Evidence(text)
    return [name for name, kind in names.items() if whole.names(name, kind)]
