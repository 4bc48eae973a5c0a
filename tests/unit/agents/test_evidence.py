"""What a reasoner quotes must stand in the input."""

import pytest

from app.agents.evidence import checked_evidence, checked_findings
from app.domain.answer import Entities
from app.domain.errors import ReasonerFailed
from app.domain.incident import (
    Analysis,
    ErrorFinding,
    Findings,
    FindingsSummary,
    RootCause,
    WarningFinding,
)
from app.domain.logbatch import Line, LineSeverity, LogBatch, Pattern

LINES = (
    "10:00:01 INFO  cart ready",
    "10:00:02 ERROR cart cannot reach redis-master:6379: connection refused",
    "10:00:03 WARN  retrying   in 5s",
    "42: odd line that starts with a number",
)


def batch_of(*texts: str) -> LogBatch:
    lines = tuple(Line(number, text) for number, text in enumerate(texts, 1))
    sample = Line(900, "10:09:00 ERROR cart gave up after 12 tries")
    pattern = Pattern(
        template="cart gave up after <*> tries",
        severity=LineSeverity.ERROR,
        count=3,
        timestamp="10:09:00",
        service="cart",
        message="cart gave up after 12 tries",
        samples=(sample,),
        trace="RetryError: gave up\n  at connect (cart.py:7)",
        entities=Entities(),
    )
    return LogBatch(1000, 50_000, (pattern,), 0, lines, False, Entities(), ())


def evidence_left(*quotes: str) -> tuple[str, ...]:
    analysis = Analysis(root_cause_analysis=(RootCause(root_cause="redis", evidence=quotes),))
    return checked_evidence(analysis, batch_of(*LINES)).root_cause_analysis[0].evidence


@pytest.mark.parametrize(
    ("quote", "kept"),
    [
        ("line 2: connection refused", "line 2: connection refused"),
        (
            "Line 2: cart cannot reach redis-master:6379",
            "line 2: cart cannot reach redis-master:6379",
        ),
        ("line 7: connection refused", "line 2: connection refused"),
        ("connection refused", "line 2: connection refused"),
        ("line 3: retrying in 5s", "line 3: retrying in 5s"),
        ("line 2: ERROR cart … connection refused", "line 2: ERROR cart … connection refused"),
        ("line 900: gave up after 12 tries", "line 900: gave up after 12 tries"),
        ("line 900: at connect (cart.py:7)", "line 900: at connect (cart.py:7)"),
        ("42: odd line that starts", "line 4: odd line that starts"),
    ],
)
def test_a_quote_that_stands_in_the_input_is_kept_at_its_true_line(quote: str, kept: str):
    assert evidence_left(quote) == (kept,)


@pytest.mark.parametrize(
    "quote",
    [
        "line 2: out of memory",
        "line 2:",
        "line 2: …",
        "",
        "line 2: connection refused … ERROR cart",
        "line 99999999999999999999: connection lost",
        "the database is down",
    ],
)
def test_an_invented_quote_does_not_survive(quote: str):
    assert evidence_left(quote) == ()


def test_the_same_quote_twice_is_kept_once():
    assert evidence_left("line 2: connection refused", "connection refused") == (
        "line 2: connection refused",
    )


def test_line_numbers_that_do_not_belong_to_the_finding_are_dropped():
    error = ErrorFinding(
        message="cart cannot reach redis-master:6379: connection refused", lines=(2, 1, 2, 5555)
    )
    warning = WarningFinding(message="retrying in 5s", lines=(1,))

    checked = checked_findings(Findings(errors=(error,), warnings=(warning,)), batch_of(*LINES))

    assert checked.errors[0].lines == (2,)
    assert checked.warnings[0].lines == (3,)


def test_a_finding_that_stands_nowhere_keeps_no_line_but_is_not_lost():
    error = ErrorFinding(message="disk quota exceeded on volume", lines=(1, 2))

    checked = checked_findings(Findings(errors=(error,)), batch_of(*LINES))

    assert [(found.message, found.lines) for found in checked.errors] == [
        ("disk quota exceeded on volume", ())
    ]


def test_counted_but_unlisted_problems_are_a_failure_not_health():
    with pytest.raises(ReasonerFailed, match="counted 3 problems but listed none"):
        checked_findings(Findings(summary=FindingsSummary(total_errors=3)), batch_of(*LINES))
