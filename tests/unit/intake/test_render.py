"""A prompt gets the whole input when it fits, else what matters most."""

import pytest

from app.domain.logbatch import LogBatch
from app.intake.batch import read_batch
from app.intake.render import render_batch


def test_a_small_input_is_rendered_whole_with_line_numbers():
    assert render_batch(read_batch("INFO a\nERROR b\n"), 100) == "1: INFO a\n2: ERROR b"


def _large() -> LogBatch:
    lines = [f"INFO request {i} served" for i in range(30_000)]
    lines[100::50] = [f"WARN slow request {i}" for i in range(len(lines[100::50]))]
    lines[7_000] = "ERROR rare needle"
    lines[8_000] = "FATAL grave needle"
    return read_batch("\n".join(lines), redactions=(("token", 3),))


@pytest.mark.parametrize("budget", [0, 1, 20, 300, 2_000, 8_000])
def test_the_budget_holds(budget: int):
    assert len(render_batch(_large(), budget)) <= budget * 4


def test_patterns_come_by_severity_and_say_what_was_left_out():
    text = render_batch(_large(), 1_000)

    assert text.startswith("30000 lines, ")
    assert "redacted: 3 token" in text
    assert text.index("grave needle") < text.index("rare needle") < text.index("x596 line 101")
    assert "7001: ERROR rare needle" in text
    assert "7000: INFO request 6999 served" in text
    assert "Left out: 0 patterns, " in text


def test_patterns_without_room_are_counted():
    letters = "ghijklmnop"
    names = ["".join(letters[int(d)] for d in f"{i:03d}") for i in range(500)]
    batch = read_batch("\n".join(f"ERROR {name} lost {'x' * 400}" for name in names))

    text = render_batch(batch, 2_000)

    shown = text.count("[ERROR] x1")
    assert 0 < shown < 500
    assert f"Left out: {500 - shown} patterns" in text
