"""House rules that no tool of others checks."""

import ast
import re
import unicodedata
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi import FastAPI

from app.agents.prompts import read_template
from app.api.application import create_app
from app.api.errors import STATUS, status_of
from app.domain import errors
from app.domain.errors import AppError
from app.services import Services
from app.settings import Settings
from tests.fakes.servers import REPOSITORY

MODULE_LINES = 300
PRODUCT = ("app", "bench", "verify_setup.py")
SAMPLES = REPOSITORY / "data" / "samples"


def our_files(*suffixes: str) -> list[Path]:
    places = [REPOSITORY / place for place in PRODUCT]
    found = [path for place in places for path in (place.rglob("*") if place.is_dir() else [place])]
    return sorted(path for path in found if path.suffix in suffixes)


def named(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def every_error(kind: type[AppError] = AppError) -> Iterator[type[AppError]]:
    for child in kind.__subclasses__():
        yield child
        yield from every_error(child)


def test_no_module_is_too_long():
    lengths = {named(path): len(path.read_text().splitlines()) for path in our_files(".py")}

    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_no_pictures_in_the_source():
    texts = {path: path.read_text() for path in our_files(".py", ".js", ".html", ".css", ".md")}

    assert [
        (named(path), sign)
        for path, text in texts.items()
        for sign in set(text)
        if ord(sign) > 0x2BFF and unicodedata.category(sign) == "So"
    ] == []


def test_every_error_has_a_status():
    kinds = [kind for kind in every_error() if kind.__module__ == errors.__name__]

    assert len(kinds) > 5
    assert [kind for kind in kinds if not any(parent in STATUS for parent in kind.__mro__)] == []


def test_a_new_kind_of_error_takes_the_status_of_its_parent():
    class Odd(errors.NotFound):
        """An error that the table does not know."""

    assert status_of(Odd("nothing")) == STATUS[errors.NotFound]


def test_every_error_is_drawn_in_the_tree_on_top():
    tree = errors.__doc__ or ""
    kinds = [kind.__name__ for kind in every_error() if kind.__module__ == errors.__name__]

    assert [name for name in kinds if not re.search(rf"\b{name}\b", tree)] == []


def test_every_setting_says_what_it_means():
    said = {name: field.description or "" for name, field in Settings.model_fields.items()}

    assert [name for name, text in said.items() if not text.endswith(".")] == []


@pytest.fixture
def backend() -> FastAPI:
    def never_opened(_: Settings) -> AbstractAsyncContextManager[Services]:
        raise AssertionError("routes are read without starting anything")

    return create_app(Settings(), never_opened)


def test_every_route_has_a_tag_a_sentence_and_says_what_it_answers(backend: FastAPI):
    operations = {
        f"{method} {path}": operation
        for path, methods in backend.openapi()["paths"].items()
        for method, operation in methods.items()
    }

    assert len(operations) > 15
    assert [name for name, operation in operations.items() if not operation.get("tags")] == []
    assert [name for name, operation in operations.items() if "description" not in operation] == []
    assert [name for name, operation in operations.items() if answers_anything(operation)] == []


def answers_anything(operation: dict[str, Any]) -> bool:
    """JSON without a model; a raw answer declares its response class and has no JSON content."""
    successes = [answer for code, answer in operation["responses"].items() if code.startswith("2")]
    schemas = [answer.get("content", {}).get("application/json") for answer in successes]
    return {"schema": {}} in schemas


def test_every_prompt_is_used_and_every_used_prompt_is_there():
    files = {path.stem for path in (REPOSITORY / "app/agents/prompts").glob("*.md")}
    source = (REPOSITORY / "app/agents/prompts.py").read_text()

    assert {name for name in files if f'"{name}"' not in source} == set()
    assert all(read_template(name).strip() for name in files)


def test_only_settings_reads_the_environment():
    readers = [
        named(path)
        for path in our_files(".py")
        if path.is_relative_to(REPOSITORY / "app")
        and any(
            isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
            for node in ast.walk(ast.parse(path.read_text()))
        )
    ]

    assert readers in ([], ["app/settings.py"])


def test_every_sample_is_in_the_index_and_the_other_way_round():
    index = yaml.safe_load((SAMPLES / "samples.yaml").read_text())

    assert [entry["name"] for entry in index if not (entry["title"] and entry["description"])] == []
    assert {entry["name"] for entry in index} == {path.stem for path in SAMPLES.glob("*.log")}


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.log")), ids=lambda path: path.stem)
def test_a_sample_is_as_long_as_a_real_excerpt(sample: Path):
    lines = sample.read_text().splitlines()

    assert 100 <= len(lines) <= 250
    assert max(map(len, lines)) < 600
