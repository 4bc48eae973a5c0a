"""Who a finding is about: the workload, where anything around the record names it."""

import re
from collections.abc import Sequence

from app.adapters.reasoning.playbook_sections import Sections
from app.domain.answer import Entities
from app.domain.incident import UNKNOWN_SERVICE
from app.domain.logbatch import Line, LogBatch, Pattern
from app.intake.entities import find_entities
from app.intake.entity_names import workload_of_pod

_REPORTER = re.compile(
    r"kubelet|kernel|default-scheduler|cluster-autoscaler|[a-z-]*-controller(?:-manager)?"
)
"""Components that report about others."""

_ROW = re.compile(r"(?:pod/)?(\S+)\s+\d+/\d+\s")


class Services:
    """Names the service of a record by itself, its heading, or the text it stands in."""

    def __init__(self, batch: LogBatch, sections: Sections) -> None:
        """Keep what is asked."""
        self._sections = sections
        self._subject = _only_subject(batch)

    def of(self, pattern: Pattern) -> str:
        """The service of a pattern; UNKNOWN_SERVICE where nothing names one."""
        heading = self._sections.owner(pattern.samples[0].number)
        found = find_entities(pattern.samples[:1])
        reporter = pattern.service if _REPORTER.fullmatch(pattern.service) else ""
        said = UNKNOWN_SERVICE if reporter else pattern.service
        owner = workload_of_pod(said)
        names = (
            _row_owner(pattern.samples[0].text),
            owner[1] if owner and found.pod == said else said,
            _name(found),
            _name(heading),
            self._subject,
            reporter,
        )
        return _first(names)

    def at(self, line: Line) -> str:
        """The service of a line that carries no record of its own, such as a row of a table."""
        found, heading = find_entities([line]), self._sections.owner(line.number)
        return _first((_row_owner(line.text), _name(found), _name(heading), self._subject))


def _row_owner(text: str) -> str | None:
    """The workload of the pod that a row of `kubectl get pods` is about."""
    row = _ROW.match(text)
    owner = workload_of_pod(row.group(1)) if row else None
    return owner[1] if owner else None


def _name(entities: Entities) -> str | None:
    return entities.workload or entities.pod


def _first(names: Sequence[str | None]) -> str:
    return next((name for name in names if name and name != UNKNOWN_SERVICE), UNKNOWN_SERVICE)


def _only_subject(batch: LogBatch) -> str | None:
    """The workload that the whole text is about, where its records name no second one."""
    named = {pattern.entities.workload for pattern in batch.patterns} - {None}
    subject = _name(batch.entities)
    return subject if named <= {subject} else None
