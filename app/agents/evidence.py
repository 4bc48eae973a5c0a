"""Holds a reasoner to the text: what it quotes and numbers must stand in the input."""

import re
from collections.abc import Mapping
from typing import TypeVar

from app.domain.errors import ReasonerFailed
from app.domain.incident import Analysis, ErrorFinding, Findings, RootCause, WarningFinding
from app.domain.logbatch import LogBatch

Finding = TypeVar("Finding", ErrorFinding, WarningFinding)

SHARED_WORDS = 0.5
"""A line belongs to a finding when it holds at least this part of the finding's words."""

_NUMBERED = re.compile(r"\s*(?:line\s+)?(\d{1,12})\s*[:|]\s*(.*)", re.IGNORECASE | re.DOTALL)
_ELLIPSIS = re.compile(r"\.\.\.|…")
_WORD = re.compile(r"\w+")


def checked_evidence(analysis: Analysis, batch: LogBatch) -> Analysis:
    """The analysis with only those quotes that stand in the input, each at its true line."""
    lines = _shown_lines(batch)
    causes = tuple(_with_true_quotes(cause, lines) for cause in analysis.root_cause_analysis)
    return analysis.model_copy(update={"root_cause_analysis": causes})


def checked_findings(findings: Findings, batch: LogBatch) -> Findings:
    """The findings with only those line numbers whose lines say what the finding says.

    Raises ReasonerFailed when problems are counted and none is listed: passing that on would
    make a broken cluster look healthy.
    """
    claimed = findings.summary.total_errors + findings.summary.total_warnings
    if findings.is_empty and claimed > 0:
        raise ReasonerFailed(f"The reasoner counted {claimed} problems but listed none of them.")
    lines = _shown_lines(batch)
    return findings.model_copy(
        update={
            "errors": tuple(_with_true_lines(error, lines) for error in findings.errors),
            "warnings": tuple(_with_true_lines(warning, lines) for warning in findings.warnings),
        }
    )


def _shown_lines(batch: LogBatch) -> Mapping[int, str]:
    """What a reasoner was shown of each line; a record's message and trace count as its line."""
    samples = (line for pattern in batch.patterns for line in pattern.samples)
    lines = {line.number: line.text for line in (*samples, *batch.excerpt)}
    for pattern in batch.patterns:
        first = pattern.samples[0].number
        lines[first] = f"{lines[first]} {pattern.message} {pattern.trace or ''}"
    return {number: _squeezed(text) for number, text in lines.items()}


def _with_true_quotes(cause: RootCause, lines: Mapping[int, str]) -> RootCause:
    quotes = (_true_quote(quote, lines) for quote in cause.evidence)
    true = dict.fromkeys(quote for quote in quotes if quote is not None)
    return cause.model_copy(update={"evidence": tuple(true)})


def _true_quote(quote: str, lines: Mapping[int, str]) -> str | None:
    numbered = _NUMBERED.fullmatch(quote)
    claimed = int(numbered.group(1)) if numbered else None
    # A line of the input may itself begin with a number and a colon: read it both ways.
    for number, said in ((claimed, numbered.group(2) if numbered else quote), (None, quote)):
        fragments = _fragments(said)
        if not fragments:
            continue
        if number is not None and _holds(lines.get(number, ""), fragments):
            return f"line {number}: {said.strip()}"
        found = next((at for at, text in lines.items() if _holds(text, fragments)), None)
        if found is not None:
            return f"line {found}: {said.strip()}"
    return None


def _fragments(quote: str) -> list[str]:
    parts = (_squeezed(part) for part in _ELLIPSIS.split(quote.strip().strip("\"'`")))
    return [part for part in parts if _WORD.search(part)]


def _holds(text: str, fragments: list[str]) -> bool:
    position = 0
    for fragment in fragments:
        found = text.find(fragment, position)
        if found < 0:
            return False
        position = found + len(fragment)
    return True


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _with_true_lines(finding: Finding, lines: Mapping[int, str]) -> Finding:
    wanted = set(_WORD.findall(finding.message.lower()))
    true = tuple(
        number
        for number in dict.fromkeys(finding.lines)
        if number in lines and _says(lines[number], wanted)
    )
    return finding.model_copy(update={"lines": true or _first_line_of(finding.message, lines)})


def _says(text: str, wanted: set[str]) -> bool:
    if not wanted:
        return False
    return len(wanted & set(_WORD.findall(text.lower()))) >= SHARED_WORDS * len(wanted)


def _first_line_of(message: str, lines: Mapping[int, str]) -> tuple[int, ...]:
    fragments = _fragments(message)
    found = (number for number, text in lines.items() if fragments and _holds(text, fragments))
    first = next(found, None)
    return () if first is None else (first,)
