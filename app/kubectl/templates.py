"""Whether a template of an output prints values without the names that tell secrets apart."""

import re
from collections.abc import Iterator

from app.kubectl.command import ParsedCommand

JSONPATHS = frozenset({"jsonpath", "jsonpath-as-json"})
COLUMNS = "custom-columns"
GO_TEMPLATE = "go-template"

_ACTION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
# What a template may say so that every value it prints is at the end of a path that can be read.
_PLAIN_ACTION = re.compile(
    r"(?:[\s()-]|\d+|(?:range|if|else|end|with|index|len|eq|ne|gt|lt|not|and|or)\b|(?:\.[A-Za-z_]\w*)+)*"
)
_TEXT_OF_JSONPATH = re.compile(r'\{"(?:[^"\\]|\\.)*"\}')
_WHOLE_LIST = re.compile(r"(?<=\w)\[\*\]")
_FIELD = re.compile(r"[\w-]+")


def prints_bare(command: ParsedCommand, fields: re.Pattern[str]) -> bool:
    """Whether it may print a value of these fields, or of any, alone."""
    return any(_is_bare(language, text, fields) for language, text in _templates(command))


def _templates(command: ParsedCommand) -> Iterator[tuple[str, str]]:
    """Each template of the command with its language."""
    language, _, text = (command.value("output") or "").partition("=")
    language = language.lower()
    if text:
        yield language, text
    if template := command.value("template"):
        yield language if language in JSONPATHS else GO_TEMPLATE, template


def _is_bare(language: str, text: str, fields: re.Pattern[str]) -> bool:
    if language in JSONPATHS:
        return _is_bare_path(text, fields)
    if language == COLUMNS:
        columns = text.split(",")
        return any(_is_bare_path(column.partition(":")[2], fields) for column in columns)
    return _is_bare_template(text, fields)


def _is_bare_path(text: str, fields: re.Pattern[str]) -> bool:
    """A star names every field, unless it stands for all of a list that is named."""
    path = _TEXT_OF_JSONPATH.sub("", text).replace("\\", "")
    return "*" in _WHOLE_LIST.sub("", path) or _names(path, fields)


def _is_bare_template(text: str, fields: re.Pattern[str]) -> bool:
    """Whatever is more than paths and conditions could name or make any field."""
    for action in _ACTION.findall(text):
        paths, strings = _STRING.subn(" ", action)
        if not _PLAIN_ACTION.fullmatch(paths) or (strings and "index" in paths):
            return True
        if _names(paths, fields):
            return True
    return False


def _names(path: str, fields: re.Pattern[str]) -> bool:
    return any(fields.fullmatch(name) for name in _FIELD.findall(path))
