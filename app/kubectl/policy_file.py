"""Reads a policy that people wrote; what is wrong with it is one line with its place."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from app.domain.errors import StartupFailed

MAX_BYTES = 64 * 1024
KEY_MARK = "[key]"
"""What pydantic adds to the place of a key that is wrong, not its value."""

Model = TypeVar("Model", bound=BaseModel)


class _Unusable(Exception):
    """Something is wrong, in a line counted from 0."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def read_policy_file(path: Path, model: type[Model], setting: str) -> Model:
    """The file as the model; raises StartupFailed with the setting, the line and the reason."""
    try:
        return _validated(_read(path), model)
    except _Unusable as error:
        reason = " ".join(str(error).split())
        raise StartupFailed(f"{setting} {path}, line {error.line + 1}: {reason}.") from None
    except OSError as error:
        raise StartupFailed(f"{setting} {path} cannot be read: {error.strerror}.") from error


def _read(path: Path) -> str:
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise _Unusable(data.count(b"\n"), f"it is longer than {MAX_BYTES} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _Unusable(data[: error.start].count(b"\n"), "it is not UTF-8 text") from None


def _validated(text: str, model: type[Model]) -> Model:
    root = _composed(text)
    try:
        # Words stay words: YAML would read `no` as false and 16:00 as 960.
        return model.model_validate(yaml.load(text, Loader=yaml.BaseLoader))  # noqa: S506
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = [part for part in problem["loc"] if part != KEY_MARK]
        where = ".".join(map(str, place))
        reason = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            reason = "there is no such key"
        said = f"{where}: {reason}" if where else reason
        raise _Unusable(_line_of(root, place), said) from None


def _composed(text: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None:
            raise _Unusable(0, "it is empty")
        for key in _repeated_keys(root):
            raise _Unusable(key.start_mark.line, f"{key.value} is there twice")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _Unusable(mark.line if mark else 0, str(error.problem or error.context)) from None
    except yaml.YAMLError as error:
        raise _Unusable(0, str(error)) from None
    except RecursionError:
        raise _Unusable(0, "it is nested too deeply") from None
    return root


def _repeated_keys(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    waiting, seen = [root], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            raise _Unusable(node.start_mark.line, "an alias (*) is not understood here")
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            yield from _twice([key for key, _ in node.value])
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _twice(keys: Sequence[Any]) -> Iterator[yaml.ScalarNode]:
    known: set[str] = set()
    for key in keys:
        if not isinstance(key, yaml.ScalarNode):
            raise _Unusable(key.start_mark.line, "a key must be a word")
        if key.value in known:
            yield key
        known.add(key.value)


def _line_of(root: yaml.Node, place: Sequence[int | str]) -> int:
    """The line of the innermost part of the place that is there."""
    node, line = root, root.start_mark.line
    for part in place:
        found = _inner(node, part)
        if found is None:
            break
        line, node = found
    return line


def _inner(node: yaml.Node, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key.start_mark.line, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line, value
    return None
