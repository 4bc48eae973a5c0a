"""A feedback log that takes long to read: a workflow says that it waits, and goes on."""

import os
from pathlib import Path

import pytest

from app.workflow.specialists import READING
from tests.conftest import StartProduct
from tests.fakes.servers import RunningProduct
from tests.fakes.stream import follow_stream, start_workflow

SAMPLE = (Path(__file__).parents[2] / "data" / "samples" / "oom-killed.log").read_bytes()

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]


def test_a_workflow_that_waits_for_the_feedback_says_so_and_goes_on(start_product: StartProduct):
    product = start_product(HOLDOUT_SHARE="0")
    log = feedback_of(product)
    aside = log.with_suffix(".aside")
    log.rename(aside)
    os.mkfifo(log)  # Whoever opens it to read stays there until somebody writes.

    seen = []
    for message in follow_stream(product.url, start_workflow(product.url, SAMPLE)):
        seen.append(message.data)
        if message.data["data"] == READING:
            reader_may_go_on(log, aside)

    sentences = [data["data"] for data in seen]
    assert sentences.count(READING) == 1
    assert seen[-1]["status"] == "COMPLETED"
    assert b'"type":"proposed"' in log.read_bytes()


def reader_may_go_on(log: Path, aside: Path) -> None:
    """The log is back, and who waits at the old place comes to its end."""
    with log.open("wb"):
        aside.rename(log)


def feedback_of(product: RunningProduct) -> Path:
    return product.data_dir / "feedback" / "remediation_feedback.jsonl"
