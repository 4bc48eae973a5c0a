"""The words by which incidents are compared, read once from `words.yaml`."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from app.domain.feedback import Environment


class Words(BaseModel):
    """What the file holds, in its order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    codes: frozenset[str]
    environments: Mapping[Environment, frozenset[str]]
    opposites: Mapping[Environment, tuple[str, ...]]
    labels: tuple[str, ...]
    domains: frozenset[str]
    joining: frozenset[str]
    noise: frozenset[str]
    change: frozenset[str]
    stateful: frozenset[str]
    stateless: frozenset[str]


@cache
def words() -> Words:
    """The file's content."""
    text = Path(__file__).with_name("words.yaml").read_text(encoding="utf-8")
    return Words.model_validate(yaml.safe_load(text))
