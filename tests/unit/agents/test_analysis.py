"""Root causes as the agent hands them on, whichever reasoner named them."""

from dataclasses import dataclass
from typing import Any

import pytest

from app.agents.analysis import find_causes
from app.domain.answer import Entities
from app.domain.incident import Analysis, Findings, RootCause
from app.domain.questions import Question, Usage
from app.intake.batch import read_batch

TEXT = "ERROR cache is off namespace=green env=prod\n"


@dataclass(frozen=True)
class SaysOneCause:
    """A reasoner that names an object, and no labels."""

    namespace: str
    name: str = "scripted"

    async def ask(self, question: Question[Any], teller: object) -> Any:
        cause = RootCause(
            root_cause="the cache is off",
            evidence=("line 1: cache is off",),
            entities=Entities(namespace=self.namespace),
        )
        return Analysis(root_cause_analysis=(cause,))

    async def trouble(self) -> str | None:
        return None


class Quiet:
    """Nobody listens here."""

    async def progress(self, text: str) -> None: ...

    async def token(self, text: str) -> None: ...

    async def usage(self, usage: Usage) -> None: ...


@pytest.mark.parametrize(("namespace", "labels"), [("green", ("env=prod",)), ("amber", ())])
async def test_a_cause_has_the_labels_of_the_text_unless_it_is_in_another_namespace(
    namespace: str, labels: tuple[str, ...]
):
    batch = read_batch(TEXT)

    found = await find_causes(batch, Findings(), SaysOneCause(namespace), Quiet())

    assert found.root_cause_analysis[0].entities.labels == labels
